"""Prices from files that vendors publish into the catalog of a bundle, without any network."""
