"""What the organisation sets about the catalog itself; no rule reads it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from service.model.base import Count, Value


class CatalogParameters(Value):
    """The section ``catalog`` of ``org/*.yaml``.

    Attributes:
        stale_price_days: After how many days the list prices of a vendor are called old by
            ``portreeve check``, ``serve`` and ``bundle inspect``. It never changes a decision: the
            same request gets the same answer on any day. Half a year, in which list prices of
            accelerators change about once.
    """

    stale_price_days: Annotated[Count, Field(ge=1, le=3650)] = 180
