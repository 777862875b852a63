terraform {
  required_providers {
    aws     = { source = "hashicorp/aws" }
    azurerm = { source = "hashicorp/azurerm" }
  }
}

variable "name" {
  type = string
}

variable "location" {
  type = string
}

resource "aws_eks_node_group" "this" {
  cluster_name   = var.name
  node_role_arn  = "arn:aws:iam::123456789012:role/nodes"
  subnet_ids     = ["subnet-1"]
  instance_types = ["p4d.24xlarge"]
  capacity_type  = "SPOT"

  scaling_config {
    desired_size = 1
    min_size     = 0
    max_size     = 4
  }
}

resource "aws_eks_node_group" "several" {
  cluster_name   = var.name
  node_role_arn  = "arn:aws:iam::123456789012:role/nodes"
  subnet_ids     = ["subnet-1"]
  instance_types = ["g6.xlarge", "g6.12xlarge"]

  scaling_config {
    desired_size = 1
    min_size     = 1
    max_size     = 1
  }
}

resource "azurerm_kubernetes_cluster" "this" {
  name                = var.name
  location            = var.location
  resource_group_name = "train"
}

resource "azurerm_kubernetes_cluster_node_pool" "this" {
  name                  = "gpu"
  kubernetes_cluster_id = azurerm_kubernetes_cluster.this.id
  vm_size               = "Standard_NC24ads_A100_v4"
  auto_scaling_enabled  = true
  min_count             = 0
  max_count             = 3
}

resource "azurerm_kubernetes_cluster_node_pool" "elsewhere" {
  name                  = "far"
  kubernetes_cluster_id = "/subscriptions/1/resourceGroups/x/providers/Microsoft.ContainerService/managedClusters/far"
  vm_size               = "Standard_NC24ads_A100_v4"
  node_count            = 2
}
