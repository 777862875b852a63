"""Kubernetes admission reviews and manifests, and the answers to the API server."""
