"""The table of settings, ``docs/settings.md``, from the settings themselves.

``python -m service.report.settings`` writes it; ``--check`` fails where it differs.
"""

from __future__ import annotations

import sys
from pathlib import Path

from service.settings import PREFIX, Settings

_TARGET = Path(__file__).resolve().parents[2] / "docs" / "settings.md"
_HEAD = """# Settings

Each setting is an environment variable.
Those that `portreeve serve --help` lists are options too, and an option wins.
This page is generated from `service/settings.py` by `python -m service.report.settings`.

| variable | default | meaning |
| --- | --- | --- |
"""
_DEFAULTS = {"log": "`$XDG_STATE_HOME/portreeve/decisions.db`, or below `~/.local/state`"}


def table() -> str:
    """The page as Markdown."""
    rows = []
    for name, field in Settings.model_fields.items():
        default = _DEFAULTS.get(name) or _shown(field.default)
        rows.append(f"| `{PREFIX}{name.upper()}` | {default} | {field.description} |\n")
    return _HEAD + "".join(rows)


def _shown(value: object) -> str:
    return "none" if value is None else f"`{getattr(value, 'value', value)}`"


def main() -> int:
    """Write the page, or check it."""
    if "--check" in sys.argv[1:]:
        if not _TARGET.exists() or _TARGET.read_text(encoding="utf-8") != table():
            print("docs/settings.md is out of date: python -m service.report.settings")
            return 1
        return 0
    _TARGET.write_text(table(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
