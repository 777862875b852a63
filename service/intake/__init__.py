"""Bytes to plain values; whatever cannot be read is refused with a code."""
