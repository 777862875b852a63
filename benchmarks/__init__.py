"""Comparisons with peers, in the same run and as ratios: ``make bench``."""
