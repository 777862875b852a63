"""What the organisation sets for the rules about sizing and placement of accelerators."""

from __future__ import annotations

from service.model.base import Value


class GpuParameters(Value):
    """The section ``gpu`` of ``org/*.yaml``."""
