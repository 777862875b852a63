"""All modules of a bundle as one, with the names of each made its own.

The embedded engine walks through all modules for each look-up in ``data``, and resolves imports at
each call: sixty modules as one take two thirds of the time. Nothing but names is changed, at the
places where the syntax trees have them; what cannot be told to keep its meaning is not linked.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.bundle.checks import RULES
from service.bundle.references import local_names
from service.bundle.syntax import opened, walk

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from service.bundle.syntax import Module, Node, Path, RuleHead

LINKED_PATH = "portreeve/linked.rego"
# Of one part: engines put paths together for each rule that they evaluate.
LINKED_PACKAGE = "portreeve"
_HEAD = f"package {LINKED_PACKAGE}\n"
_WORD = re.compile(rb"\w+")
# What one module may refer to in another one; everything else below `data` are documents.
_VIRTUAL = ("policies", "portreeve")


@dataclass(frozen=True)
class Linked:
    """The one module.

    Attributes:
        text: Its source.
        names: What each rule is called in it, by its full path without ``data``.
        parts: Of each definition its first line in the text, its path, and its line there.
    """

    text: str
    names: Mapping[str, str]
    parts: tuple[tuple[int, str, int], ...]

    def place(self, line: int) -> tuple[str, int]:
        """The path and the line that *line* of the text is from."""
        number = bisect_right(self.parts, line, key=lambda part: part[0]) - 1
        if number < 0:
            return LINKED_PATH, line
        first, path, there = self.parts[number]
        return path, there + line - first


@dataclass(frozen=True)
class _Edit:
    """New text for the bytes from *start* to *end* of a module."""

    start: int
    end: int
    text: str


class _NotLinkable(Exception):
    """A name of which it cannot be told what it means."""


def linked(modules: Iterable[Module]) -> Linked | None:
    """The *modules* as one; ``None`` where a name of theirs cannot be told apart.

    What is no function comes first: the engine looks for a rule from the first definition on, and
    for functions by their names.
    """
    known = tuple(modules)
    names = _names(known)
    words = {word for module in known for word in _WORD.findall(module.text)}
    if len(set(names.values())) < len(names) or not words.isdisjoint(
        map(str.encode, names.values())
    ):
        return None
    definitions = [(module, rule) for module in known for rule in module.rules]
    definitions.sort(key=lambda each: each[1].kind == "Func")
    texts, parts, line = [_HEAD], [], _HEAD.count("\n") + 1
    try:
        for module, rule in definitions:
            text = _renamed(module, rule, names)
            texts.append(text)
            parts.append((line, module.path, rule.line))
            line += text.count("\n")
    except _NotLinkable:
        return None
    return Linked(
        text="".join(texts),
        names={".".join(path): name for path, name in names.items()},
        parts=tuple(parts),
    )


def _names(modules: tuple[Module, ...]) -> dict[Path, str]:
    """A name for each rule: ``gpu_memory_deny`` of ``policies.rules.gpu.memory.deny``."""
    full = {(*module.package, rule.name[0]) for module in modules for rule in module.rules}
    return {path: re.sub(r"\W", "_", "_".join(_short(path)), flags=re.ASCII) for path in full}


def _short(path: Path) -> Path:
    return path[2:] if path[:2] == RULES else path[1:]


def _renamed(module: Module, rule: RuleHead, names: Mapping[Path, str]) -> str:
    """The definition of *rule*, lines kept, its references by *names*."""
    parts, end = [], rule.start
    for edit in sorted(set(_edits(module, rule, names)), key=lambda edit: edit.start):
        parts += [module.text[end : edit.start], edit.text.encode()]
        end = edit.end
    return b"".join((*parts, module.text[end : rule.end], b"\n")).decode()


def _edits(module: Module, rule: RuleHead, names: Mapping[Path, str]) -> Iterator[_Edit]:
    local = local_names(module, rule)
    inner: set[int] = set()
    for kind, body in walk([*rule.head.values(), rule.bodies]):
        if kind in ("RefDot", "RefBrack"):
            inner.add(id(opened(body["refr"])[1]))
        if kind in ("Var", "RefDot", "RefBrack") and id(body) not in inner:
            edit = _edit(module, {kind: body}, local, names)
            if edit is not None:
                yield edit


def _edit(
    module: Module, reference: Node, local: set[str], names: Mapping[Path, str]
) -> _Edit | None:
    """What makes of *reference*, a whole one, the same in the linked module."""
    steps = _steps(reference)
    if not steps:
        return None
    root, end = steps[0]
    start = _start(reference)
    own = (*module.package, root)
    is_alias = root in module.imports or root == "data"
    if root in local:
        # A variable hides what it has the name of; which of them is meant is not worked out here.
        if own in names or is_alias:
            raise _NotLinkable
        return None
    if not is_alias:
        return _Edit(start, end, names[own]) if own in names else None
    path = module.imports.get(root, ("data",))
    for number in range(len(steps)):
        if number:
            path = (*path, steps[number][0])
        if path[1:] in names:
            return _Edit(start, steps[number][1], names[path[1:]])
    if len(path) == 1 or path[1] in _VIRTUAL:
        raise _NotLinkable
    return None if root == "data" else _Edit(start, end, ".".join(module.imports[root]))


def _steps(reference: Node) -> list[tuple[str, int]]:
    """The constant beginning of a reference, each name with where it ends."""
    chain = [opened(reference)]
    while chain[-1][0] in ("RefDot", "RefBrack"):
        chain.append(opened(chain[-1][1]["refr"]))
    kind, root = chain.pop()
    if kind != "Var":
        return []
    steps = [(root["value"], root["span"]["end"])]
    for kind, body in reversed(chain):
        index_kind, index = opened(body["index"]) if kind == "RefBrack" else ("", {})
        if kind == "RefBrack" and index_kind != "String":
            break
        name = index["value"] if kind == "RefBrack" else body["field"][1]
        steps.append((name, body["span"]["end"]))
    return steps


def _start(reference: Node) -> int:
    kind, body = opened(reference)
    while kind != "Var":
        kind, body = opened(body["refr"])
    start: int = body["span"]["start"]
    return start
