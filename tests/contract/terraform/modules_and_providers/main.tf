# Regions reach the machines through variables, aliases of providers and modules.
terraform {
  required_providers {
    aws     = { source = "hashicorp/aws" }
    azurerm = { source = "hashicorp/azurerm" }
  }
}

variable "home" {
  type    = string
  default = "eu-north-1"
}

provider "aws" {
  region = var.home
}

provider "aws" {
  alias  = "west"
  region = "us-west-2"

  default_tags {
    tags = { Team = "platform", CostCenter = "CC-1000" }
  }
}

provider "azurerm" {
  features {}
}

module "west" {
  source    = "./pool"
  for_each  = toset(["train", "serve.v2"])
  name      = each.key
  providers = { aws = aws.west }
  location  = "swedencentral"
}

resource "aws_instance" "home" {
  count         = 2
  instance_type = "inf2.xlarge"
}
