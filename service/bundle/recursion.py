"""Rules that depend on themselves: OPA refuses them, and the embedded engine runs out of stack."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

from service.bundle.references import references
from service.errors import BundleRefused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from service.bundle.syntax import Module, Path, Program, RuleHead


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
    for path, _ in references(module, rule):
        yield from _meant(program, path)


def _meant(program: Program, path: Path) -> Iterator[Path]:
    """The rules that *path* names: one, what lies in it, or all of a package."""
    full = path[1:] if path[0] == "data" else path
    for rule in program.rules:
        if full[: len(rule)] == rule or rule[: len(full)] == full:
            yield rule
