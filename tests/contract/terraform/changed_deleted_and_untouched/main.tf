# One pool grows, one machine goes, one changes in nothing that counts, one is only renamed.
terraform {
  required_providers {
    aws     = { source = "hashicorp/aws" }
    google  = { source = "hashicorp/google" }
    azurerm = { source = "hashicorp/azurerm" }
  }
}

variable "nodes" {
  type    = number
  default = 6
}

variable "old" {
  type    = set(string)
  default = []
}

variable "script" {
  type    = string
  default = "echo two"
}

provider "aws" {
  region = "eu-central-1"
}

provider "google" {
  project = "northwind-prod-eu"
}

provider "azurerm" {
  features {}
}

resource "google_container_node_pool" "grows" {
  cluster        = "prod-eu"
  location       = "europe-west4-a"
  node_locations = ["europe-west4-a"]
  node_count     = var.nodes

  node_config {
    machine_type = "a2-highgpu-1g"
    spot         = true
    labels       = { "portreeve.dev/team" = "vision" }
  }
}

resource "google_compute_instance" "old" {
  for_each     = var.old
  name         = each.key
  machine_type = "n1-standard-8"
  zone         = "europe-west4-b"

  guest_accelerator {
    type  = "nvidia-tesla-v100"
    count = 4
  }
}

resource "aws_instance" "script" {
  instance_type = "p4d.24xlarge"
  user_data     = var.script
}

resource "azurerm_linux_virtual_machine" "same" {
  name                = "same"
  resource_group_name = "train"
  location            = "francecentral"
  size                = "Standard_NC24ads_A100_v4"
  admin_username      = "azureuser"
}
