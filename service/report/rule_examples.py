"""The examples beside a rule, as its page and ``bundle test`` show them."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from service.bundle.reading import parse_yaml, read_text

_INPUTS = ("before", "cluster", "kubernetes", "terraform")
_SHOWN = ("scope", *_INPUTS)


@dataclass(frozen=True)
class Example:
    """One entry of an ``examples.yaml``.

    Attributes:
        body: The entry.
        text: Its scope and its input as they are written there.
    """

    body: dict[str, Any]
    text: str

    @property
    def name(self) -> str:
        """What it is an example of."""
        return str(self.body["name"])

    @property
    def bundle(self) -> str:
        """Under which bundle."""
        return str(self.body["bundle"])

    @property
    def outcome(self) -> str:
        """What its own rule makes of it."""
        return str(self.body["outcome"])

    @property
    def findings(self) -> list[dict[str, Any]]:
        """What is found."""
        found: list[dict[str, Any]] = self.body["findings"]
        return found

    @property
    def what(self) -> str:
        """What kind of input it is."""
        if "terraform" in self.body:
            types = dict.fromkeys(item["type"] for item in self.body["terraform"])
            return f"Terraform {', '.join(f'`{name}`' for name in types)}"
        changed = " that is changed" if "before" in self.body else ""
        watched = " in a watched cluster" if "cluster" in self.body else ""
        return f"Kubernetes {self.body['kubernetes']['kind']}{changed}{watched}"

    def findings_of(self, code: str) -> list[str]:
        """What is said under *code*."""
        return [
            f"cannot tell; not known: {', '.join(f'`{at}`' for at in finding['undetermined'])}"
            if "undetermined" in finding
            else str(finding["message"])
            for finding in self.findings
            if finding["code"] == code
        ]


def examples_of(path: Path) -> list[Example]:
    """The examples in the file *path*, in its order.

    Raises:
        BundleRefused: It cannot be read.
    """
    what = "/".join(path.parts[-3:])
    text = read_text(path, what=what)
    entries = parse_yaml(text, what=what)
    parts = list(_parts(text))
    return [Example(body, part) for body, part in zip(entries, parts, strict=True)]


def _parts(text: str) -> Iterator[str]:
    """What each entry of the list in *text* says of its input, without its other keys."""
    blocks: list[list[str]] = []
    for line in text.splitlines():
        if line.startswith("- "):
            blocks.append(["  " + line[2:]])
        elif blocks and not line.startswith("#"):
            blocks[-1].append(line)
    for block in blocks:
        kept: list[str] = []
        keep = False
        for line in block:
            if line[:2] == "  " and line[2:3] not in ("", " ", "-"):
                keep = line.strip().partition(":")[0] in _SHOWN
            if keep:
                kept.append(line)
        yield textwrap.dedent("\n".join(kept)).rstrip() + "\n"
