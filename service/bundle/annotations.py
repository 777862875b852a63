"""METADATA comments of Rego modules, read without an engine, since not every engine knows them.

A block is the comment lines directly after ``# METADATA``; it belongs to the package or the rule
that follows it. The form is OPA's (https://www.openpolicyagent.org/docs/policy-language#metadata).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from service.bundle.reading import parse_yaml
from service.errors import BundleRefused

if TYPE_CHECKING:
    from collections.abc import Iterator

_SCOPES = ("package", "subpackages", "document", "rule")
_PACKAGE = re.compile(r"package(?![\w])")
_NAME = re.compile(r"(?:default\s+)?([A-Za-z_]\w*)")
_KEYS = frozenset(
    (
        "scope",
        "title",
        "description",
        "related_resources",
        "authors",
        "organizations",
        "schemas",
        "entrypoint",
        "compile",
        "custom",
    )
)


@dataclass(frozen=True)
class Annotation:
    """One METADATA block.

    Attributes:
        line: Where it starts.
        scope: What it is about: ``package``, ``subpackages``, ``document`` or ``rule``.
        target: The rule's name; empty for a package.
        content: The block's YAML.
    """

    line: int
    scope: str
    target: str
    content: dict[str, Any]


def read_annotations(path: str, text: str) -> Iterator[Annotation]:
    """Every METADATA block of the module at *path*.

    Raises:
        BundleRefused: A block is not YAML, has keys that OPA does not know, or nothing follows it.
    """
    lines = text.splitlines()
    for index, line in enumerate(lines):
        if line.startswith("#") and line[1:].strip() == "METADATA":
            yield _annotation(path, lines, index)


def _annotation(path: str, lines: list[str], start: int) -> Annotation:
    end = start + 1
    while end < len(lines) and lines[end].startswith("#"):
        end += 1
    where = f"{path}:{start + 1}"
    body = "\n".join(line[1:].removeprefix(" ") for line in lines[start + 1 : end])
    content = parse_yaml(body, what=f"{where}: METADATA")
    if not isinstance(content, dict):
        raise BundleRefused(f"{where}: METADATA is empty, expected YAML in the comment lines below")
    for key in content:
        if key not in _KEYS:
            raise BundleRefused(
                f"{where}: METADATA has the key `{key}`, which OPA does not know",
                hint="Put keys of Portreeve below `custom`.",
            )
    following = next((line for line in lines[end:] if line and not line.startswith("#")), "")
    if _PACKAGE.match(following):
        target, default = "", "package"
    elif name := _NAME.match(following):
        target, default = name[1], "rule"
    else:
        raise BundleRefused(f"{where}: METADATA is followed by neither a package nor a rule")
    scope = content.get("scope", default)
    if scope not in _SCOPES:
        expected = ", ".join(f"`{known}`" for known in _SCOPES)
        raise BundleRefused(
            f"{where}: METADATA has the scope `{scope}`, expected one of {expected}"
        )
    return Annotation(start + 1, scope, target, content)
