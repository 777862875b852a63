# A new image replaces both machines; one exists twice for a while, the other not at all.
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

variable "image" {
  type    = string
  default = "ami-2"
}

variable "type" {
  type    = string
  default = "p5.48xlarge"
}

provider "aws" {
  region = "us-east-1"
}

resource "aws_instance" "first_gone" {
  ami           = var.image
  instance_type = var.type
}

resource "aws_instance" "first_made" {
  ami               = var.image
  instance_type     = "g6.12xlarge"
  availability_zone = "us-east-1d"

  instance_market_options {
    market_type = "spot"
  }

  lifecycle {
    create_before_destroy = true
  }
}
