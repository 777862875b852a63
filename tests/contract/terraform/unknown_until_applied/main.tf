# Nothing about these machines is known before `terraform_data.size` exists.
terraform {
  required_providers {
    aws    = { source = "hashicorp/aws" }
    google = { source = "hashicorp/google" }
  }
}

provider "aws" {
  region = terraform_data.size.output
}

provider "google" {
  project = "northwind-dev"
}

resource "terraform_data" "size" {
  input = "p5.48xlarge"
}

resource "terraform_data" "count" {
  input = 3
}

resource "aws_instance" "type" {
  instance_type = terraform_data.size.output
  tags          = { "portreeve:team" = terraform_data.size.output, Name = "type" }
}

resource "aws_eks_node_group" "nodes" {
  cluster_name   = "prod"
  node_role_arn  = "arn:aws:iam::123456789012:role/nodes"
  subnet_ids     = ["subnet-1"]
  instance_types = ["g6.12xlarge"]

  scaling_config {
    desired_size = 1
    min_size     = 1
    max_size     = terraform_data.count.output
  }
}

resource "aws_eks_node_group" "template" {
  cluster_name  = "prod"
  node_role_arn = "arn:aws:iam::123456789012:role/nodes"
  subnet_ids    = ["subnet-1"]

  launch_template {
    id      = "lt-1"
    version = "1"
  }

  scaling_config {
    desired_size = 0
    min_size     = 0
    max_size     = 2
  }
}

resource "google_compute_instance" "attached" {
  name         = "attached"
  machine_type = "n1-standard-8"
  zone         = terraform_data.size.output

  dynamic "guest_accelerator" {
    for_each = terraform_data.count.output > 2 ? ["one"] : []
    content {
      type  = "nvidia-tesla-t4"
      count = 1
    }
  }
}

resource "google_container_node_pool" "zones" {
  cluster    = "prod"
  location   = "europe-west4"
  node_count = 2

  node_config {
    machine_type = "n1-standard-8"

    guest_accelerator {
      type  = "nvidia-tesla-t4"
      count = terraform_data.count.output
    }
  }
}
