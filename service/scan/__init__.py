"""Evaluates what runs in a cluster already, as its webhook would if it were made today."""
