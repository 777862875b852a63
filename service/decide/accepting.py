"""From what was found to a baseline that accepts it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from service.bundle.baseline import BaselineRow
from service.decide.baseline import taken_by
from service.model.finding import Mode

if TYPE_CHECKING:
    from collections.abc import Container, Sequence

    from service.bundle.baseline import Taken
    from service.model.finding import JudgedFinding
    from service.model.resource import Resource


class Accepted(NamedTuple):
    """What a baseline would say of the resources of one request.

    Attributes:
        rows: What is accepted.
        unbounded: Addresses with findings that cannot be: nobody could say whether they grew.
    """

    rows: list[BaselineRow]
    unbounded: list[str]


def accepted(
    resources: Sequence[Resource],
    findings: Sequence[JudgedFinding],
    codes: Container[str],
    *,
    until: str,
) -> Accepted:
    """Accept *findings* about resolved *resources* that warn or refuse, with one of *codes*.

    What the baseline has already is accepted as it is now, and no longer than until then.
    """
    rows: list[BaselineRow] = []
    unbounded: list[str] = []
    for resource in resources:
        found: dict[str, set[str]] = {}
        for finding in findings:
            if finding.code in codes and finding.resource in (None, resource.address):
                if finding.baseline is not None:
                    found.setdefault(finding.baseline.until, set()).add(finding.code)
                elif finding.mode is not Mode.OBSERVE and finding.waived_by is None:
                    found.setdefault(until, set()).add(finding.code)
        taken = taken_by(resource)
        if found and not _is_bounded(taken):
            unbounded.append(resource.address)
            continue
        stated = {name: getattr(taken, name) for name in type(taken).model_fields}
        seen: set[str] = set()
        for day, names in sorted(found.items()):
            # Two findings of one code, one of them kept: the shorter time is for both.
            if left := sorted(names - seen):
                row = BaselineRow(subject=resource.subject, codes=tuple(left), until=day, **stated)
                rows.append(row)
            seen |= names
    return Accepted(rows, unbounded)


def _is_bounded(taken: Taken) -> bool:
    return taken.accelerators is not None and all(
        item.most is not None or item.per_worker is not None for item in taken.accelerators
    )
