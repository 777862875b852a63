"""What the organisation sets for the rules about ownership, lifetimes and manifests."""

from __future__ import annotations

from service.model.base import Value


class HygieneParameters(Value):
    """The section ``hygiene`` of ``org/*.yaml``."""
