"""What the pages tell a reader to type can be typed, and what they point at is there."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.cli import parser

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    path
    for pattern in ("*.md", "docs/*.md", "docs/*/*.md", "bundles/**/*.md", "policies/*.md")
    for path in ROOT.glob(pattern)
)
_BLOCK = re.compile(r"^```(?:sh|console|bash)\n(.*?)^```", re.DOTALL | re.MULTILINE)
_COMMAND = re.compile(r"^(?:\$ )?(?:\S*\.venv/bin/)?portreeve (.*)$", re.MULTILINE)
_LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


def _commands() -> Iterator[tuple[str, str]]:
    for path in PAGES:
        for block in _BLOCK.findall(path.read_text(encoding="utf-8")):
            for command in _COMMAND.findall(block.replace("\\\n", " ")):
                yield path.relative_to(ROOT).as_posix(), command.split(" | ")[0].split(" > ")[0]


@pytest.mark.parametrize(("page", "command"), sorted(set(_commands())))
def test_a_command_that_is_shown_can_be_typed(page: str, command: str) -> None:
    words = [word for word in shlex.split(command, comments=True) if word != "&"]
    if "--help" in words or "--version" in words:
        words = words[:1]

    assert parser().parse_args(words).run, page


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_what_a_page_points_at_is_there(page: Path) -> None:
    gone = [
        target
        for target in _LINK.findall(page.read_text(encoding="utf-8"))
        if "://" not in target and not (page.parent / target).exists()
    ]

    assert gone == []


def test_there_are_commands_to_try() -> None:
    assert len(set(_commands())) >= 20
