"""What runs already and breaks a rule: kept observed until it takes more, or a day comes.

A row says what something took when it was looked at. It is accepted as far as that goes and no
further, so a value that a row does not state was not known then and is accepted as it comes, while
one that a row states must still be known.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Self

from pydantic import Field, ValidationError, field_validator, model_validator

from service.bundle.editing import shown
from service.bundle.invalid import explain
from service.bundle.reading import read_mapping
from service.bundle.waivers import ends_at
from service.errors import BundleRefused
from service.model.base import Count, PriceKind, Text, Value

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

KEY = "baseline"
_HINT = "Write one with `portreeve scan --write-baseline FILE`."


class TakenAccelerators(Value):
    """Accelerators of one model, or of one slice of it.

    ``most`` is their number at the largest size. Where nobody can say how many there are, as of a
    DaemonSet, ``per_worker`` is that of each worker.
    """

    model: Text | None = None
    slice: Text | None = None
    most: Count | None = None
    per_worker: Count | None = None


class Taken(Value):
    """What something takes at its largest size, and where.

    ``micros_per_hour`` is in millionths of ``currency``. ``data`` are the classes of its data.
    ``accelerators`` is ``None`` where it is not known what they are.
    """

    accelerators: tuple[TakenAccelerators, ...] | None = ()
    nodes: Count | None = None
    micros_per_hour: Count | None = None
    currency: Text | None = None
    vendor: Text | None = None
    region: Text | None = None
    instance_type: Text | None = None
    price_kind: PriceKind | None = None
    data: tuple[Text, ...] = ()


class BaselineRow(Taken):
    """One subject whose findings with ``codes`` are observed while it takes no more than here.

    ``until`` is a day, whose last moment in UTC is the row's, or a time with its offset.
    """

    subject: Annotated[Text, Field(min_length=1)]
    codes: Annotated[tuple[Text, ...], Field(min_length=1)]
    until: Text

    @field_validator("until")
    @classmethod
    def _is_a_time(cls, text: str) -> str:
        ends_at(text)
        return text

    @model_validator(mode="after")
    def _is_bounded(self) -> Self:
        """A row without a number would accept any number."""
        if self.accelerators is None or any(
            (item.most is None) == (item.per_worker is None) for item in self.accelerators
        ):
            raise ValueError("`most` or `per_worker` of each of the accelerators is expected")
        if self.micros_per_hour is not None and self.currency is None:
            raise ValueError("a `currency` is expected with `micros_per_hour`")
        return self

    def is_over(self, moment: datetime) -> bool:
        """Whether it no longer holds at *moment* (with a time zone)."""
        return moment >= ends_at(self.until)


class _File(Value):
    baseline: tuple[BaselineRow, ...]


def read_baseline(path: Path) -> tuple[BaselineRow, ...]:
    """The rows in the file *path*, which has the form of ``org/baseline.yaml``.

    Raises:
        BundleRefused: It cannot be read, or is no baseline; says where.
    """
    what = f"`{path}`"
    try:
        return _File.model_validate_json(
            json.dumps(read_mapping(path, what=what)), strict=True
        ).baseline
    except ValidationError as error:
        raise BundleRefused(f"{what}: {explain(error)}", hint=_HINT) from error


def as_text(rows: Sequence[BaselineRow], *, said: Sequence[str] = ()) -> str:
    """*rows* as a file that ``read_baseline`` reads, with the lines *said* as comments before."""
    lines = [f"# {line}".rstrip() for line in said]
    lines.append(f"{KEY}:" if rows else f"{KEY}: []")
    for row in sorted(rows, key=lambda item: (item.subject, item.until, item.codes)):
        lines += shown(_entry(row), "  ")
    return "\n".join(lines) + "\n"


def _entry(row: BaselineRow) -> dict[str, object]:
    """*row* without what it does not state, its name first."""
    stated = row.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
    first = ("subject", "codes", "until")
    return {**{name: stated[name] for name in first}, **stated}
