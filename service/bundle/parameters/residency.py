"""What the organisation sets for the rules about where data may be."""

from __future__ import annotations

from service.model.base import Value


class ResidencyParameters(Value):
    """The section ``residency`` of ``org/*.yaml``."""
