"""The vendor-neutral values that every part speaks in; imports nothing of the project."""
