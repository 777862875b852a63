# What is marked sensitive is in clear in the plan; none of it may reach the request.
terraform {
  required_providers {
    aws     = { source = "hashicorp/aws" }
    azurerm = { source = "hashicorp/azurerm" }
  }
}

variable "password" {
  type      = string
  sensitive = true
  default   = "canary-7f3a-password"
}

variable "size" {
  type      = string
  sensitive = true
  default   = "Standard_canary_7f3a"
}

variable "region" {
  type      = string
  sensitive = true
  default   = "canary-7f3a-1"
}

provider "aws" {
  region     = "eu-west-1"
  access_key = "canary-7f3a-access"
  secret_key = "canary-7f3a-secret"
}

provider "azurerm" {
  features {}
}

resource "azurerm_linux_virtual_machine" "password" {
  name                = "password"
  resource_group_name = "train"
  location            = "West Europe"
  size                = "Standard_ND96isr_H100_v5"
  admin_username      = "azureuser"
  admin_password      = var.password
  custom_data         = "canary-7f3a-data"

  tags = {
    "portreeve:team"       = "language"
    "portreeve:data-class" = "public,personal"
    "db-password"          = "canary-7f3a-unmarked"
    note                   = "sent with token=canary-7f3a-argument"
  }
}

resource "azurerm_linux_virtual_machine" "size" {
  name                = "size"
  resource_group_name = "train"
  location            = "westeurope"
  size                = var.size
  admin_username      = "azureuser"
  priority            = "Spot"

  tags = {
    "portreeve:team" = var.password
    Environment      = "staging"
  }
}

resource "aws_instance" "region" {
  region        = var.region
  instance_type = "p5.48xlarge"
  user_data     = "export HF_TOKEN=canary-7f3a-user"
}

output "password" {
  value     = var.password
  sensitive = true
}
