"""What the organisation sets for the rules about vendors, regions and lock-in."""

from __future__ import annotations

from service.model.base import Value


class VendorParameters(Value):
    """The section ``vendor`` of ``org/*.yaml``."""
