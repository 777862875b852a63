"""Granting a waiver: checked against the bundle, then written into the organisation's file."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from service.bundle.build import build
from service.bundle.coherence import check_org
from service.bundle.editing import add_entry
from service.bundle.invalid import explain
from service.bundle.waivers import Waiver, ends_at
from service.errors import BundleRefused

if TYPE_CHECKING:
    from service.bundle.values import Bundle, Org

_FILE = "org/waivers.yaml"


def grant(folder: Path, stated: Mapping[str, Any], *, now: datetime) -> tuple[Waiver, Path]:
    """Add the waiver that *stated* describes to the bundle *folder*; returns it and its file.

    *stated* has the fields of ``Waiver``; without ``id`` the next free one of the year is taken.

    Raises:
        BundleRefused: The folder is no bundle, a field is missing or malformed, the code is none of
            the bundle's, or the waiver would end in the past or too far ahead.
    """
    bundle = build(folder)
    named = {"id": _next_id(bundle.org, now), **stated}
    waiver = _read(named)
    _check_end(waiver, bundle.org, now)
    _check(waiver, bundle)
    inherited = [entry_of(item) for item in bundle.org.waivers]
    return waiver, add_entry(folder, "waivers", entry_of(waiver), inherited)


def entry_of(waiver: Waiver) -> dict[str, Any]:
    """*waiver* as an entry of the file."""
    return waiver.model_dump(mode="json", exclude_none=True)


def _read(stated: Mapping[str, Any]) -> Waiver:
    try:
        return Waiver.model_validate_json(json.dumps(dict(stated)), strict=True)
    except ValidationError as error:
        raise BundleRefused(f"the waiver: {explain(error)}") from error


def _check_end(waiver: Waiver, org: Org, now: datetime) -> None:
    if waiver.is_over(now):
        raise BundleRefused(
            f"the waiver would end on `{waiver.expires}`, which is over",
            hint="Give a day or a time that is still to come.",
        )
    last = (now + timedelta(days=org.waiver_days)).astimezone(UTC).date().isoformat()
    if ends_at(waiver.expires) > ends_at(last):
        raise BundleRefused(
            f"the waiver would end on `{waiver.expires}`, more than {org.waiver_days} days ahead",
            hint=f"The last day is {last}; `waiver_days` of the organisation "
            "says how far ahead a waiver may end.",
        )


def _check(waiver: Waiver, bundle: Bundle) -> None:
    """The same checks that the next build makes, with an answer that fits the command."""
    if waiver.code.startswith("SYS-"):
        raise BundleRefused(
            f"`{waiver.code}` is an error of Portreeve's own, which nothing waives",
            hint="See `portreeve explain` for what to do about it.",
        )
    org = bundle.org.model_copy(update={"waivers": (*bundle.org.waivers, waiver)})
    check_org(org, bundle, {"waivers": _FILE})


def _next_id(org: Org, now: datetime) -> str:
    prefix = f"W-{now.year}-"
    taken = [
        int(match[1])
        for waiver in org.waivers
        if (match := re.fullmatch(re.escape(prefix) + "([0-9]{1,9})", waiver.id))
    ]
    return f"{prefix}{max(taken, default=0) + 1:03d}"
