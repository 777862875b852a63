"""The vendor-neutral values that every part of Portreeve speaks in; imports nothing of the project."""
