# Stores of data: in one region, in several, and with copies that the vendor makes.
terraform {
  required_providers {
    aws     = { source = "hashicorp/aws" }
    azurerm = { source = "hashicorp/azurerm" }
    google  = { source = "hashicorp/google" }
  }
}

provider "aws" {
  region = "eu-central-1"
}

provider "azurerm" {
  features {}
}

provider "google" {
  project = "northwind-data"
}

resource "terraform_data" "sku" {
  input = "GRS"
}

resource "aws_s3_bucket" "prompts" {
  bucket = "northwind-prompts"

  tags = {
    "portreeve:data-class" = "personal"
    "portreeve:data-asset" = "prompts"
  }
}

resource "aws_s3_bucket" "elsewhere" {
  bucket = "northwind-elsewhere"
  region = "us-east-1"
}

# The target is known by a reference only: its ARN is there after the apply.
resource "aws_s3_bucket_replication_configuration" "referred" {
  bucket = aws_s3_bucket.prompts.bucket
  role   = "arn:aws:iam::123456789012:role/replication"

  rule {
    status = "Enabled"
    destination { bucket = aws_s3_bucket.elsewhere.arn }
  }
}

# And here by its name.
resource "aws_s3_bucket_replication_configuration" "named" {
  bucket = "northwind-prompts"
  role   = "arn:aws:iam::123456789012:role/replication"

  rule {
    status = "Enabled"
    destination { bucket = "arn:aws:s3:::northwind-elsewhere" }
  }

  rule {
    status = "Enabled"
    destination { bucket = "arn:aws:s3:::somebody-elses" }
  }
}

resource "azurerm_storage_account" "paired" {
  name                     = "northwindpaired"
  resource_group_name      = "data"
  location                 = "Brazil South"
  account_tier             = "Standard"
  account_replication_type = "RAGRS"
  tags                     = { "portreeve:data-class" = "personal" }
}

resource "azurerm_storage_account" "later" {
  name                     = "northwindlater"
  resource_group_name      = "data"
  location                 = "westeurope"
  account_tier             = "Standard"
  account_replication_type = terraform_data.sku.output
}

resource "google_storage_bucket" "union" {
  name     = "northwind-union"
  location = "EU"
  labels   = { portreeve_data-class = "health" }
}

resource "google_storage_bucket" "two" {
  name     = "northwind-two"
  location = "EU"

  custom_placement_config {
    data_locations = ["EUROPE-WEST3", "EUROPE-WEST9"]
  }
}
