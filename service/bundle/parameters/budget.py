"""What the organisation sets for the rules about money."""

from __future__ import annotations

from service.model.base import Value


class BudgetParameters(Value):
    """The section ``budget`` of ``org/*.yaml``."""
