"""From sources and data to a bundle that may decide; the same for a folder and for an archive."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from service.bundle.checks import ENTRY_PATH, check_program
from service.bundle.compiling import CompileLimits, compile_modules
from service.bundle.digest import check_numbers, digest
from service.bundle.entry import ENTRY_RULE, entry_module
from service.bundle.linking import linked
from service.bundle.metadata import rulebook_of
from service.bundle.recursion import check_recursion
from service.bundle.references import check_references
from service.bundle.syntax import program
from service.bundle.values import Bundle, Org
from service.errors import BundleRefused
from service.model.decision import BundleRef

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from service.bundle.values import Rule


@dataclass(frozen=True)
class Parts:
    """What a bundle is made of.

    Attributes:
        name: What decisions call it.
        revision: Which edition of it.
        sources: Rego by path, without tests and without the generated entry.
        data: ``catalog``, ``index`` and ``org``.
        org: The typed form of ``data["org"]``.
    """

    name: str
    revision: str
    sources: Mapping[str, str]
    data: Mapping[str, Any]
    org: Org


def assemble(
    parts: Parts,
    select: Callable[[Mapping[str, Rule]], frozenset[str]],
    *,
    limits: CompileLimits | None = None,
) -> Bundle:
    """The bundle made of *parts*, after every check.

    Args:
        parts: Sources and data.
        select: Chooses among all rules, by code, those that the bundle reports.
        limits: What compiling may take.

    Raises:
        BundleRefused: Any check failed.
    """
    sources, data = parts.sources, parts.data
    check_numbers(data)
    parsed = program(sources, compile_modules(sources, {}, entry=None, limits=limits))
    check_program(parsed)
    check_recursion(parsed)
    check_references(parsed, data)
    reporters, rulebook = rulebook_of(parsed)
    codes = select(rulebook)
    chosen = [reporter for reporter in reporters if reporter.codes & codes]
    if not chosen:
        raise BundleRefused(
            "the bundle selects no rules: nothing would ever be refused",
            hint="Name domains or codes in `rules` of `bundle.yaml`, or write `all`.",
        )
    unused = {reporter.package for reporter in reporters if reporter not in chosen}
    used = [module for module in parsed.modules if ".".join(module.package) not in unused]
    modules = {module.path: sources[module.path] for module in used}
    modules[ENTRY_PATH] = entry_module(chosen, codes)
    compile_modules(modules, data, entry=ENTRY_RULE, limits=limits)
    return Bundle(
        ref=BundleRef(name=parts.name, revision=parts.revision, digest=digest(modules, data)),
        modules=modules,
        data=data,
        rulebook={code: rulebook[code] for code in sorted(codes)},
        org=parts.org,
        linked=linked(used),
    )
