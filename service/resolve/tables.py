"""The catalog's tables, read so that a missing one is noticed when the bundle is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from service.errors import BundleRefused

Table = Mapping[str, Any]

REMEMBERED = 4096
"""Results that one look-up keeps; requests choose the keys, so what is kept is bounded."""


def table(catalog: Table, name: str) -> Table:
    """The table *name*.

    Raises:
        BundleRefused: It is absent: every look-up in it would fail in silence.
    """
    found = catalog.get(name)
    if not isinstance(found, Mapping):
        raise BundleRefused(
            f"the catalog has no table `{name}`",
            hint="Build the bundle again from a complete catalog.",
        )
    return found


def folded(names: Table) -> dict[str, str]:
    """Names as they are spelt, by their spelling in lower case without blanks.

    Azure takes ``West Europe`` for ``westeurope`` and ``standard_nc6`` for ``Standard_NC6``.
    """
    return {fold(name): name for name in names}


def fold(name: str) -> str:
    """*name* in lower case without blanks."""
    return name.replace(" ", "").lower()
