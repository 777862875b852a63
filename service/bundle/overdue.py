"""What the organisation says of admissions that the rules take too long for."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from service.bundle.waivers import selects
from service.model.base import Text, Value

# A pattern of every namespace would let whoever makes the rules slow into all of them.
NamespacePattern = Annotated[Text, Field(pattern=r"^[a-z0-9-]+\*?$")]


class OverdueParameters(Value):
    """The section ``overdue``: what happens to an admission that the rules take too long for.

    It is refused, but for ``allow_namespaces``: there the object is admitted with a warning, and
    recorded as admitted for want of time. A name may end in ``*`` and is never ``*`` alone. Only
    the deadline of the rules counts: what cannot be read or recorded is refused there too.
    """

    allow_namespaces: tuple[NamespacePattern, ...] = ()

    def admits(self, namespace: str | None) -> bool:
        """Whether what is overdue in *namespace* is admitted."""
        return any(selects(pattern, namespace) for pattern in self.allow_namespaces)
