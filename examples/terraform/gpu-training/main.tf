# Two teams of the example organisation ask for machines: `language` for one training server on AWS,
# `vision` for a node pool of inference machines beside the cluster prod-eu.

terraform {
  required_providers {
    aws    = { source = "hashicorp/aws" }
    google = { source = "hashicorp/google" }
  }
}

variable "trainer_region" {
  type    = string
  default = "us-east-1"
}

provider "aws" {
  region = var.trainer_region

  default_tags {
    tags = {
      "portreeve:cost-center" = "CC-1200"
    }
  }
}

provider "google" {
  project = "northwind-prod-eu"
  region  = "europe-west4"
}

resource "aws_security_group" "trainer" {
  name = "llama-finetune"
}

resource "aws_s3_bucket" "weights" {
  bucket = "northwind-llama-weights"
}

resource "aws_instance" "trainer" {
  ami           = "ami-0d1a2b3c4d5e6f708"
  instance_type = "p5.48xlarge"

  tags = {
    Name                   = "llama-finetune"
    "portreeve:team"       = "language"
    "portreeve:purpose"    = "finetuning"
    "portreeve:data-class" = "public"
    "portreeve:owner"      = "mia@northwind.example"
  }
}

resource "google_container_node_pool" "cameras" {
  name           = "cameras-l4"
  cluster        = "prod-eu"
  location       = "europe-west4"
  node_locations = ["europe-west4-a", "europe-west4-b"]

  autoscaling {
    min_node_count = 1
    max_node_count = 4
  }

  node_config {
    machine_type = "g2-standard-24"

    guest_accelerator {
      type  = "nvidia-l4"
      count = 2
    }

    resource_labels = {
      portreeve_team        = "vision"
      portreeve_cost-center = "cc-1100"
      portreeve_purpose     = "inference"
      portreeve_data-class  = "personal"
    }
  }
}
