"""Looks up what the bundle knows about a request: a normalised request in, a resolved one out."""
