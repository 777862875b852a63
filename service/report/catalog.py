"""Rows, differences and imports of a catalog, as text for people and as JSON."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from service.report.text import plain

if TYPE_CHECKING:
    from service.bundle.comparing import Change
    from service.bundle.importing.judging import Judgement

_MICROS = 1_000_000
_MOST_LISTED = 40
_LONGEST_CELL = 60

_Row = Mapping[str, Any]


def table(rows: Sequence[_Row]) -> str:
    """*rows* in aligned columns with a header; numbers to the right."""
    if not rows:
        return "no rows\n"
    header = list(rows[0])
    cells = [[_cell(row[name]) for name in header] for row in rows]
    widths = [max(map(len, column)) for column in zip(header, *cells, strict=True)]
    right = [all(isinstance(row[name], int | None) for row in rows) for name in header]
    lines = [_line(header, widths, right), *(_line(row, widths, right) for row in cells)]
    return "".join(f"{line}\n" for line in lines)


def _line(cells: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    parts = (
        cell.rjust(width) if to_right else cell.ljust(width)
        for cell, width, to_right in zip(cells, widths, right, strict=True)
    )
    return "  ".join(parts).rstrip()


def _cell(value: object) -> str:
    if value is None:
        return "?"
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = " ".join(map(str, value)) if isinstance(value, list) else str(value)
    shown = plain(text)
    return shown if len(shown) <= _LONGEST_CELL else f"{shown[: _LONGEST_CELL - 1]}…"


def price(micros: int) -> str:
    """*micros* of a currency as a decimal, with two to six places."""
    whole, rest = divmod(micros, _MICROS)
    places = f"{rest:06d}".rstrip("0").ljust(2, "0")
    return f"{whole}.{places}"


def changes_as_text(changes: Sequence[Change], *, most: int | None = None) -> str:
    """One line for each change, old value before new; at most *most* of them."""
    lines = [line for change in changes[:most] for line in _change(change)]
    if most is not None and len(changes) > most:
        lines.append(f"… and {len(changes) - most} more")
    return "".join(f"{line}\n" for line in [*lines, _summary(changes)])


def _change(change: Change) -> Iterable[str]:
    name = plain(f"{change.table} {' '.join(change.key)}")
    if change.before is None:
        yield f"+ {name}: {_values(change.after or {})}"
    elif change.after is None:
        yield f"- {name}: {_values(change.before)}"
    else:
        after = change.after
        pairs = (
            f"{column} {_value(column, old)} -> {_value(column, after.get(column))}"
            for column, old in change.before.items()
        )
        yield f"~ {name}: {', '.join(pairs)}"


def _values(row: _Row) -> str:
    known = (f"{column} {_value(column, value)}" for column, value in row.items() if value)
    return ", ".join(known)


def _value(column: str, value: object) -> str:
    if column == "micros_per_hour" and isinstance(value, int):
        return price(value)
    return _cell(value) if not isinstance(value, list | dict) else json.dumps(value)[:_LONGEST_CELL]


def _summary(changes: Sequence[Change]) -> str:
    if not changes:
        return "no differences"
    counts = Counter((change.table, change.kind) for change in changes)
    tables = dict.fromkeys(table for table, _ in counts)
    return "; ".join(
        f"{table}: "
        + ", ".join(
            f"{counts[table, kind]} {kind}"
            for kind in ("added", "changed", "removed")
            if counts[table, kind]
        )
        for table in tables
    )


def changes_as_json(changes: Iterable[Change]) -> list[dict[str, Any]]:
    """Each change with its table, key, kind and both values."""
    return [
        {
            "table": change.table,
            "key": list(change.key),
            "change": change.kind,
            "before": change.before,
            "after": change.after,
        }
        for change in changes
    ]


def import_as_text(judgement: Judgement, changes: Sequence[Change], *, written: str | None) -> str:
    """What an import took and left, and where it was *written* to."""
    lines = [
        *(f"refused {row.place}: {row.reason}" for row in judgement.refused[:_MOST_LISTED]),
        *(f"kept {row.place}: {row.reason}" for row in judgement.kept[:_MOST_LISTED]),
    ]
    hidden = max(0, judgement.refused_rows - _MOST_LISTED) + max(
        0, len(judgement.kept) - _MOST_LISTED
    )
    if hidden:
        lines.append(f"… and {hidden} more rows refused or kept (--format json lists them)")
    text = "".join(f"{plain(line)}\n" for line in lines)
    counts = (
        f"{len(judgement.prices)} prices taken, {len(judgement.sizes)} sizes added,"
        f" {judgement.same} as they were, {len(judgement.kept)} kept, "
        f"{judgement.refused_rows} refused, {judgement.others} without accelerators\n"
    )
    where = f"written to {written}\n" if written else "nothing was written\n"
    return text + changes_as_text(changes, most=_MOST_LISTED) + counts + where


def import_as_json(
    judgement: Judgement, changes: Sequence[Change], *, written: str | None
) -> dict[str, Any]:
    """As `import_as_text`, complete."""
    return {
        "written": written,
        "prices": len(judgement.prices),
        "sizes": len(judgement.sizes),
        "same": judgement.same,
        "without_accelerators": judgement.others,
        "refused_rows": judgement.refused_rows,
        "refused": [{"at": str(row.place), "reason": row.reason} for row in judgement.refused],
        "kept": [{"at": str(row.place), "reason": row.reason} for row in judgement.kept],
        "changes": changes_as_json(changes),
    }
