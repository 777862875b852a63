"""Adding an entry to a list in an organisation's YAML file, with everything else left as it is.

The file belongs to people: its comments, order and spelling stay. What was added is read back, and
nothing is written unless the list then holds exactly one entry more.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from service.bundle.reading import Loader, parse_yaml, read_text
from service.errors import BundleRefused

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._/@+-]*", re.ASCII)


def add_entry(
    folder: Path, key: str, entry: Mapping[str, Any], inherited: Sequence[Mapping[str, Any]]
) -> Path:
    """Append *entry* to the list *key* in the ``org`` of the bundle *folder*; returns the file.

    Where no file states the list yet, ``org/<key>.yaml`` gets it, beginning with *inherited*: a key
    that a bundle states replaces that of the bundle it extends.

    Raises:
        BundleRefused: The list is written in a way that cannot be added to, or cannot be written.
    """
    path = _stating(folder, key)
    if path is None:
        path = folder / "org" / f"{key}.yaml"
        text = read_text(path, what=_name(folder, path)) if path.exists() else ""
        text = _begun(text, key, inherited)
    else:
        text = read_text(path, what=_name(folder, path))
    replace(path, appended(text, key, entry, what=_name(folder, path)))
    return path


def appended(text: str, key: str, entry: Mapping[str, Any], *, what: str) -> str:
    """*text* with *entry* at the end of its list *key*.

    Raises:
        BundleRefused: *text* has no such list, or one in brackets that is not empty.
    """
    before = parse_yaml(text, what=what)
    root = yaml.compose(text, Loader=Loader)
    nodes = {name.value: node for name, node in root.value} if root else {}
    node = nodes[key]
    lines = text.splitlines()
    indent = "  "
    if isinstance(node, yaml.SequenceNode) and node.value and not node.flow_style:
        indent = " " * node.start_mark.column
        at = _last_line(node) + 1
    elif _is_empty(node):
        at = node.start_mark.line + 1
        if node.end_mark.index > node.start_mark.index:
            line = lines[at - 1]
            start, end = node.start_mark.column, node.end_mark.column
            lines[at - 1] = (line[:start].rstrip() + line[end:]).rstrip()
    else:
        raise BundleRefused(
            f"{what}, line {node.start_mark.line + 1}: `{key}` is no list that can be added to",
            hint="Write each of its entries on lines of its own, beginning with a dash.",
        )
    lines[at:at] = shown(entry, indent)
    after = "\n".join(lines) + "\n"
    expected = {**before, key: [*(before[key] or []), dict(entry)]}
    if parse_yaml(after, what=what) != expected:
        raise BundleRefused(
            f"{what}: the entry cannot be added to `{key}` without changing something else",
            hint="Write it by hand:\n" + "\n".join(shown(entry, "  ")),
        )
    return after


def shown(entry: Mapping[str, Any], indent: str) -> list[str]:
    """*entry* as the lines of one item of a list."""
    lines = [f"{name}: {_scalar(value)}" for name, value in entry.items()]
    return [f"{indent}{'  ' if number else '- '}{line}" for number, line in enumerate(lines)]


def replace(path: Path, text: str) -> None:
    """Write *text* to *path*, which is the old file or the whole new one at any moment.

    Raises:
        BundleRefused: It cannot be written.
    """
    try:
        path.parent.mkdir(exist_ok=True)
        mode = path.stat().st_mode & 0o777 if path.exists() else 0o644
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", dir=path.parent, prefix=".edit-", delete=False
        ) as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(file.name).chmod(mode)
        Path(file.name).replace(path)
    except OSError as error:
        raise BundleRefused(f"`{path}` cannot be written: {error.strerror}") from error


def _stating(folder: Path, key: str) -> Path | None:
    """The file of ``org`` that states *key*."""
    for path in sorted((folder / "org").glob("*.y*ml")):
        what = _name(folder, path)
        content = parse_yaml(read_text(path, what=what), what=what)
        if isinstance(content, dict) and key in content:
            return path
    return None


def _begun(text: str, key: str, inherited: Sequence[Mapping[str, Any]]) -> str:
    parts = [text.rstrip("\n") + "\n\n" if text.strip() else "", f"{key}:\n"]
    if inherited:
        parts.append("  # Taken over from the bundle that this one extends.\n")
    for entry in inherited:
        parts += [f"{line}\n" for line in shown(entry, "  ")]
    return "".join(parts)


def _is_empty(node: yaml.Node) -> bool:
    if isinstance(node, yaml.SequenceNode):
        return not node.value and node.start_mark.line == node.end_mark.line
    return node.tag == "tag:yaml.org,2002:null"


def _last_line(node: yaml.Node) -> int:
    """The line of the last thing written in *node*; a block's own end is where the next begins."""
    last = node
    while isinstance(last, yaml.CollectionNode) and last.value and not last.flow_style:
        entry = last.value[-1]
        last = entry[1] if isinstance(entry, tuple) else entry
    line: int = last.end_mark.line
    # A block scalar ends at the start of the line after it.
    return line - 1 if last.end_mark.column == 0 and line > last.start_mark.line else line


def _scalar(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{name}: {_scalar(item)}" for name, item in value.items()) + " }"
    if isinstance(value, str) and _PLAIN.fullmatch(value) and value == value.strip():
        try:
            if parse_yaml(value, what="") == value:
                return value
        except BundleRefused:
            pass
    text = json.dumps(value, ensure_ascii=False)
    # YAML takes fewer characters as they are than JSON does.
    return "".join(each if each.isprintable() else f"\\U{ord(each):08x}" for each in text)


def _name(folder: Path, path: Path) -> str:
    return f"{folder.name}/org/{path.name}"
