"""YAML files of a bundle, read so that what a person wrote is what is meant.

YAML 1.1 reads the country ``NO`` as false, ``1:30`` as ninety and a date as a date; here only
``true``, ``false``, ``null`` and decimal integers are anything but text. Duplicate keys, aliases
and fractions are refused: the first hides a line, the second can grow without bound, and rules
compute with integers only.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import yaml

from service.errors import BundleRefused

if TYPE_CHECKING:
    from pathlib import Path

LARGEST_FILE = 4 * 1024 * 1024


class Loader(yaml.SafeLoader):
    """PyYAML's safe loader with fewer implicit types and without aliases and duplicate keys."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """The next node, which is no alias."""
        if self.check_event(yaml.events.AliasEvent):
            event = self.peek_event()  # type: ignore[no-untyped-call]
            raise yaml.MarkedYAMLError(None, None, "an alias is not allowed", event.start_mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 - PyYAML's signature
        """The mapping that *node* states, each key once."""
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, str):
                raise yaml.MarkedYAMLError(
                    None, None, f"the key `{key}` is not text", key_node.start_mark
                )
            if key in seen:
                raise yaml.MarkedYAMLError(
                    None, None, f"the key `{key}` is there twice", key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep)


_DIGITS = list("-+.0123456789")
_IMPLICIT = (
    ("bool", r"true|false", ["t", "f"]),
    ("null", r"null|~|", ["n", "~", ""]),
    ("int", r"[-+]?(?:0|[1-9][0-9]*)", _DIGITS),
    ("float", r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?", _DIGITS),
)
for _tag, _pattern, _first in _IMPLICIT:
    Loader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_tag}", re.compile(rf"(?:{_pattern})\Z"), _first
    )


def _refuse_fraction(_loader: Loader, node: yaml.ScalarNode) -> None:
    message = f"the fraction `{node.value}` is not allowed, expected an integer in a smaller unit"
    raise yaml.MarkedYAMLError(None, None, message, node.start_mark)


Loader.add_constructor("tag:yaml.org,2002:float", _refuse_fraction)


def parse_yaml(text: str, *, what: str) -> Any:
    """The one YAML document in *text*; ``None`` where there is none.

    Args:
        text: The document.
        what: How the reader knows it: a file name, possibly with a line.

    Raises:
        BundleRefused: It is not YAML, or uses what is not allowed here; names *what* and the line.
    """
    try:
        return yaml.load(text, Loader=Loader)  # noqa: S506 - a subclass of the safe loader
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise BundleRefused(f"{what}, line {line}: {error.problem}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise BundleRefused(f"{what}: it cannot be read as YAML") from error


def read_text(path: Path, *, what: str) -> str:
    """The UTF-8 text of *path*.

    Raises:
        BundleRefused: It cannot be read, is larger than 4 MiB or is not UTF-8; names *what*.
    """
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise BundleRefused(f"{what}: it is larger than {LARGEST_FILE} bytes")
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise BundleRefused(f"{what}: it cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise BundleRefused(f"{what}: it is not UTF-8 at byte {error.start}") from error


def read_mapping(path: Path, *, what: str) -> dict[str, Any]:
    """The mapping that the YAML file *path* holds; empty for an empty file.

    Raises:
        BundleRefused: As ``parse_yaml``, or it holds something else.
    """
    document = parse_yaml(read_text(path, what=what), what=what)
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise BundleRefused(f"{what}: it holds a {type(document).__name__}, expected a mapping")
    return document
