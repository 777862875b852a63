"""Rules that depend on themselves: OPA refuses them, and the embedded engine runs out of stack."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING, Any

from service.bundle.syntax import dotted, opened, walk
from service.errors import BundleRefused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from service.bundle.syntax import Module, Node, Path, Program, RuleHead


def check_recursion(program: Program) -> None:
    """Refuse *program* if any of its rules depends on itself, directly or through others.

    Raises:
        BundleRefused: Names the rules of the circle.
    """
    graph: dict[Path, set[Path]] = {}
    for module in program.modules:
        for rule in module.rules:
            needed = graph.setdefault((*module.package, *rule.name), set())
            needed.update(_needed(program, module, rule))
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        circle = " -> ".join(".".join(path) for path in reversed(error.args[1]))
        raise BundleRefused(
            f"`{circle}` is a circle: a rule depends on itself",
            hint="Engines refuse recursion; use a comprehension or `some … in` instead.",
        ) from error


def _needed(program: Program, module: Module, rule: RuleHead) -> Iterator[Path]:
    """The rules that *rule* refers to, by full path."""
    parts = [rule.bodies, *(part for name, part in rule.head.items() if name != "refr")]
    local = {name for kind, body in walk(parts) for name in _declared(module, kind, body)}
    local |= _variables(rule.head.get("args"))
    inner: set[int] = set()
    for kind, body in walk(parts):
        if kind in ("RefDot", "RefBrack"):
            inner.add(id(opened(body["refr"])[1]))
        if kind in ("Var", "RefDot", "RefBrack") and id(body) not in inner:
            path = _constant_part({kind: body})
            if path[0] not in local:
                yield from _meant(program, module, path)


def _declared(module: Module, kind: str, body: Node) -> Iterator[str]:
    """The variables that a node declares, which then hide a rule of the same name."""
    if kind == "AssignExpr":
        yield from _variables(body["lhs"])
    elif kind == "SomeIn":
        yield from _variables([body["key"], body["value"]])
    elif kind in ("SomeVars", "Every"):
        for span in body.get("vars", [body.get("key"), body.get("value")]):
            if span:
                yield module.text[span["start"] : span["end"]].decode()


def _variables(part: Any) -> set[str]:
    return {body["value"] for kind, body in walk(part) if kind == "Var"}


def _constant_part(node: Node) -> Path:
    """``("data", "a")`` of ``data.a[name].b``; ``("",)`` of what starts with no name."""
    while (path := dotted(node)) is None:
        _, body = opened(node)
        if "refr" not in body:
            return ("",)
        node = body["refr"]
    return path


def _meant(program: Program, module: Module, path: Path) -> Iterator[Path]:
    """The rules that *path* names: one, what lies in it, or all of a package."""
    if path[0] in module.imports:
        path = (*module.imports[path[0]], *path[1:])
    full = path[1:] if path[0] == "data" else (*module.package, *path)
    for rule in program.rules:
        if full[: len(rule)] == rule or rule[: len(full)] == full:
            yield rule
