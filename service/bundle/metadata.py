"""From METADATA and ``deny`` heads to the rulebook, refusing where the two do not agree."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from service.bundle.annotations import Annotation, read_annotations
from service.bundle.checks import RULES
from service.bundle.invalid import explain
from service.bundle.reports import Report, reports_of
from service.bundle.values import Rule
from service.errors import BundleRefused

if TYPE_CHECKING:
    from collections.abc import Iterable

    from service.bundle.syntax import Module, Path, Program

_CODE = re.compile(r"[A-Z][A-Z0-9]{0,15}-[0-9]{3,4}", re.ASCII)
_OURS = ("SYS-", "COV-", "WVR-")
_REQUIRED = ("code", "severity", "message", "remedy")
_TEXTS = ("severity", "mode", "off_because", "message", "remedy", "undetermined")
_LISTS = ("fields", "tables", "adapters")
_CUSTOM = frozenset((*_REQUIRED, *_TEXTS, *_LISTS, "reads", "needs", "deprecated"))
_PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9_]*)\}", re.ASCII)


@dataclass(frozen=True)
class Reporter:
    """A package that reports findings.

    Attributes:
        package: Its name without ``data``.
        codes: Every code that it reports.
        reads_request: Whether its rules look at the context instead of single resources.
    """

    package: str
    codes: frozenset[str]
    reads_request: bool


@dataclass(frozen=True)
class _Annotated:
    rule: Rule
    where: str


def rulebook_of(program: Program) -> tuple[tuple[Reporter, ...], dict[str, Rule]]:
    """The packages that report findings, and what their METADATA says, by code.

    A package below ``policies.rules`` that neither reports nor annotates a code is a helper and is
    left out.

    Raises:
        BundleRefused: A rule lacks METADATA or METADATA a rule; a code is there twice or is one of
            Portreeve's own; a text has a placeholder that is no fact of the rule; no rule is there.
    """
    packages: dict[Path, list[Module]] = defaultdict(list)
    for module in program.modules:
        if module.package[:2] == RULES:
            packages[module.package].append(module)
    reporters: list[Reporter] = []
    book: dict[str, _Annotated] = {}
    for package, modules in packages.items():
        found = [report for module in modules for report in reports_of(program, module)]
        annotated = _annotated(modules, book)
        _check_agreement(found, annotated)
        if found:
            reporters.append(_reporter(package, found, annotated))
    if not reporters:
        raise BundleRefused(
            "the bundle has no rules: nothing would ever be refused",
            hint="Select rules in `bundle.yaml`, or leave `rules` out for all of them.",
        )
    return tuple(reporters), {code: book[code].rule for code in sorted(book)}


def _annotated(modules: list[Module], book: dict[str, _Annotated]) -> dict[str, _Annotated]:
    """The annotated rules of one package; each is entered into *book* as well."""
    mine: dict[str, _Annotated] = {}
    for module in modules:
        for annotation in read_annotations(module.path, module.text.decode()):
            where = f"{module.path}:{annotation.line}"
            custom = annotation.content.get("custom", {})
            if annotation.scope not in ("rule", "document") or not (
                annotation.target == "deny" or _has_code(custom)
            ):
                continue
            entry = _Annotated(_rule(annotation, custom, module, where), where)
            code = entry.rule.code
            if code in book:
                raise BundleRefused(
                    f"{where}: the code `{code}` is there twice, first at `{book[code].where}`",
                    hint="A code is never reused; give the new rule the next number.",
                )
            if annotation.target != "deny" and not entry.rule.deprecated:
                raise BundleRefused(
                    f"{where}: `{code}` is annotated on `{annotation.target}`, expected `deny`"
                )
            book[code] = mine[code] = entry
    return mine


def _has_code(custom: Any) -> bool:
    return isinstance(custom, dict) and "code" in custom


def _rule(annotation: Annotation, custom: Any, module: Module, where: str) -> Rule:
    if not isinstance(custom, dict):
        raise BundleRefused(f"{where}: `custom` is not a mapping")
    missing = [name for name in _REQUIRED if not custom.get(name)]
    if not annotation.content.get("title"):
        missing.append("title")
    if missing:
        raise BundleRefused(
            f"{where}: METADATA of a rule lacks {', '.join(f'`{name}`' for name in missing)}",
            hint="A rule states title, and below `custom` code, severity, message and remedy.",
        )
    for name in custom:
        if name not in _CUSTOM:
            expected = ", ".join(sorted(_CUSTOM))
            raise BundleRefused(
                f"{where}: `custom` has the unknown key `{name}`", hint=f"Known are {expected}."
            )
    code = str(custom["code"])
    if not _CODE.fullmatch(code) or code.startswith(_OURS):
        raise BundleRefused(
            f"{where}: the code `{code}` is not of a rule",
            hint="A code is capital letters, a dash and three digits; `SYS-`, `COV-` and `WVR-` "
            "are taken.",
        )
    values = {name: custom[name] for name in (*_TEXTS, *_LISTS, "deprecated") if name in custom}
    values |= {
        name: annotation.content[name]
        for name in ("title", "description")
        if name in annotation.content
    }
    values |= {
        "code": code,
        "package": ".".join(module.package),
        "domain": module.package[2],
        "references": _references(annotation.content.get("related_resources", [])),
        "reads_request": bool(custom.get("reads")),
    }
    try:
        return Rule.model_validate_json(json.dumps(values), strict=True)
    except ValidationError as error:
        raise BundleRefused(f"{where}: METADATA of `{code}`: {explain(error)}") from error


def _references(resources: Iterable[Any]) -> list[Any]:
    return [item.get("ref") if isinstance(item, dict) else item for item in resources]


def _check_agreement(found: list[Report], annotated: dict[str, _Annotated]) -> None:
    reported: dict[str, list[Report]] = defaultdict(list)
    for report in found:
        reported[report.code].append(report)
        if report.code not in annotated:
            raise BundleRefused(
                f"{report.where}: the rule reports `{report.code}`, which no METADATA of its "
                "package describes"
            )
    for code, entry in annotated.items():
        if code not in reported and not entry.rule.deprecated:
            raise BundleRefused(
                f"{entry.where}: METADATA describes `{code}`, which no rule reports"
            )
        _check_request(entry, reported[code])
        _check_texts(entry, reported[code])


def _check_request(entry: _Annotated, heads: list[Report]) -> None:
    for head in heads:
        if head.about_request is not entry.rule.reads_request:
            raise BundleRefused(
                f"{head.where}: `{entry.rule.code}` reports "
                f"{'no resource' if head.about_request else 'a resource'}, but its METADATA "
                f"{'states' if entry.rule.reads_request else 'does not state'} `reads`",
                hint='A rule that states `custom.reads` reports `"resource": null`, others do not.',
            )


def _check_texts(entry: _Annotated, heads: list[Report]) -> None:
    facts = _facts(head for head in heads if not head.undetermined)
    known = None if facts is None else facts | {"resource"}
    _check_text(entry, "message", entry.rule.message, known)
    _check_text(entry, "remedy", entry.rule.remedy, known)
    facts = _facts(head for head in heads if head.undetermined)
    known = None if facts is None else facts | {"resource", "missing"}
    _check_text(entry, "undetermined", entry.rule.undetermined, known)


def _facts(heads: Iterable[Report]) -> frozenset[str] | None:
    """The facts that all *heads* have; ``None`` where that cannot be told."""
    known: frozenset[str] | None = None
    for head in heads:
        if head.facts is None:
            return None
        known = head.facts if known is None else known & head.facts
    return known


def _check_text(entry: _Annotated, name: str, text: str, known: frozenset[str] | None) -> None:
    rest = _PLACEHOLDER.sub("", text)
    if "{" in rest or "}" in rest:
        raise BundleRefused(
            f"{entry.where}: `{name}` of `{entry.rule.code}` has a brace that is no placeholder",
            hint="A placeholder is a plain name in braces, such as `{resource}`.",
        )
    for placeholder in _PLACEHOLDER.findall(text):
        if known is not None and placeholder not in known:
            expected = ", ".join(f"`{fact}`" for fact in sorted(known))
            raise BundleRefused(
                f"{entry.where}: `{name}` of `{entry.rule.code}` has the placeholder "
                f"`{placeholder}`, expected one of {expected}"
            )


def _reporter(package: Path, found: list[Report], annotated: dict[str, _Annotated]) -> Reporter:
    kinds = {annotated[report.code].rule.reads_request for report in found}
    if len(kinds) > 1:
        raise BundleRefused(
            f"the package `{'.'.join(package)}` has rules about resources and about the request",
            hint="Put the rules that state `reads` into a package of their own.",
        )
    return Reporter(".".join(package), frozenset(report.code for report in found), kinds.pop())
