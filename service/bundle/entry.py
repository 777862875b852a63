"""The one generated module of a bundle: what engines are asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from service.bundle.metadata import Reporter

ENTRY_RULE = "data.portreeve.entry.findings"

_HEAD = """\
# Generated when the bundle was built, from the packages that report findings.
package portreeve.entry

findings := resource_findings | request_findings
"""


def entry_module(reporters: Iterable[Reporter], codes: frozenset[str]) -> str:
    """The source of ``portreeve.entry``.

    It defines three sets: ``resource_findings`` of the rules that look at one resource at a time,
    ``request_findings`` of those that look at the context, and ``findings``, their union.

    Args:
        reporters: The packages that report, with all their codes.
        codes: The codes that the bundle selected.
    """
    known = sorted(reporters, key=lambda reporter: reporter.package)
    parts = [_HEAD]
    for name, reads_request in (("resource_findings", False), ("request_findings", True)):
        chosen = [reporter for reporter in known if reporter.reads_request is reads_request]
        parts.extend(_definitions(name, chosen, codes))
    return "\n".join(parts)


def _definitions(name: str, chosen: list[Reporter], codes: frozenset[str]) -> Iterator[str]:
    if not chosen:
        yield f"{name} := set()\n"
    for reporter in chosen:
        loop = f"some finding in data.{reporter.package}.deny"
        selected = sorted(reporter.codes & codes)
        if len(selected) == len(reporter.codes):
            yield f"{name} contains finding if {loop}\n"
        else:
            listed = ", ".join(f'"{code}"' for code in selected)
            yield (f"{name} contains finding if {{\n\t{loop}\n\tfinding.code in {{{listed}}}\n}}\n")
