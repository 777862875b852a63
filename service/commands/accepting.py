"""The options of commands that honour a baseline and write one."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from service.bundle.baseline import BaselineRow, as_text
from service.bundle.waivers import ends_at
from service.errors import SettingsRefused

_DAYS = 90


def add_options(parser: Any) -> None:
    """Add the options to *parser*."""
    parser.add_argument(
        "--baseline",
        type=Path,
        metavar="FILE",
        help="observe what this baseline has until it grows, beside that of the bundle",
    )
    parser.add_argument(
        "--write-baseline",
        type=Path,
        metavar="FILE",
        help="accept what warns or would be refused, in a new file for org/baseline.yaml",
    )
    parser.add_argument(
        "--until",
        metavar="DAY",
        help=f"when what --write-baseline accepts ends (default: {_DAYS} days from today)",
    )


def read_until(given: argparse.Namespace) -> str:
    """When what is accepted ends.

    Raises:
        SettingsRefused: It is no day, or past; or the file to write is there already.
    """
    now, stated = datetime.now(UTC), given.until
    if given.write_baseline is not None and given.write_baseline.exists():
        raise SettingsRefused(
            f"`{given.write_baseline}` exists already, and what it accepts is not to be lost",
            hint="Name a new file, compare the two, and put it in the place of the old one.",
        )
    if stated is None:
        return (now + timedelta(days=_DAYS)).date().isoformat()
    try:
        ends = ends_at(stated)
    except ValueError as error:
        raise SettingsRefused(f"`--until` is `{stated[:64]}`: {error}") from error
    if ends <= now:
        raise SettingsRefused(f"`--until` is `{stated}`, which is over")
    return str(stated)


def write_baseline(
    path: Path, rows: Sequence[BaselineRow], unbounded: Sequence[str], *, about: str
) -> str:
    """Write *rows*, which are *about* something, to the new file *path*; says what was written.

    *unbounded* are addresses of what could not be accepted.

    Raises:
        SettingsRefused: It cannot be written.
    """
    said = [about, "Observed until it takes more than here, or until the day; see docs/bundles.md."]
    if unbounded:
        names = [f"  {address}".replace("\n", " ") for address in unbounded]
        said += ["", "Not accepted, because it is not known how much they take:", *names]
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(as_text(rows, said=said))
    except OSError as error:
        raise SettingsRefused(
            f"`{path}` cannot be written: {(error.strerror or '').lower()}"
        ) from error
    subjects = len({row.subject for row in rows})
    return f"{path}: {subjects} objects accepted, {len(unbounded)} cannot be"
