"""Decisions as a person reads them in a terminal."""

from __future__ import annotations

import json
from collections.abc import Sequence

from service.model.decision import Cause, DecidedResource, Decision, Outcome
from service.model.finding import JudgedFinding, Mode, WaiverTerms
from service.report.break_glass import as_lines as break_glass_lines
from service.report.break_glass import in_words, where
from service.report.text import columns, paint, plain

_COLOURS = {Outcome.ALLOW: "green", Outcome.WARN: "yellow", Outcome.DENY: "red"}
_MARKS = {
    Mode.ENFORCE: ("deny", "red"),
    Mode.WARN: ("warn", "yellow"),
    Mode.OBSERVE: ("note", "dim"),
}
_WORDS = {Outcome.ALLOW: "allowed", Outcome.WARN: "allowed with warnings", Outcome.DENY: "denied"}
_MONTH_HOURS = 730


def as_json(items: Sequence[tuple[str, Decision]]) -> str:
    """A list of decisions, each with the ``source`` it was made from."""
    return json.dumps(
        [{"source": source, **decision.model_dump(mode="json")} for source, decision in items],
        indent=2,
    )


def as_lines(decision: Decision, *, source: str = "", colour: bool = False) -> str:
    """One decision: its outcome, what was asked, and each finding with its remedy."""
    if decision.break_glass is not None:
        words = [in_words(decision), *break_glass_lines(decision, decision.break_glass)]
        return "".join(f"{line}\n" for line in words)
    lines = [_headline(decision, source, colour=colour)]
    shown = columns([_row(item) for item in decision.resources])
    lines += [f"  {line}" for line in shown.splitlines()]
    lines += [line for finding in decision.findings for line in _finding(finding, colour=colour)]
    lines.append(_rest(decision))
    return "".join(f"{line}\n" for line in lines if line)


def as_page(decisions: Sequence[Decision]) -> str:
    """Decisions, one line each."""
    if not decisions:
        return "no decisions\n"
    head = ("TIME", "OUTCOME", "POINT", "WHAT", "CODES", "ID")
    return columns([head, *(_line(decision) for decision in decisions)])


def _headline(decision: Decision, source: str, *, colour: bool) -> str:
    word = _WORDS[decision.outcome]
    if decision.cause in {Cause.ERROR, Cause.BUSY}:
        word = "could not decide"
    name = plain(source or decision.decision_id)
    return f"{name}: {paint(word, _COLOURS[decision.outcome], on=colour)}"


def _row(item: DecidedResource) -> tuple[str, ...]:
    accelerators = (
        "accelerators not known"
        if item.accelerators is None
        else ", ".join(
            f"{'?' if entry.total.max is None else entry.total.max} x "
            f"{entry.model or 'unknown model'}{f' ({entry.slice})' if entry.slice else ''}"
            for entry in item.accelerators
        )
    )
    where = "/".join(part for part in (item.vendor, item.region) if part) or "-"
    by = item.covered_by
    cost = f"covered by {by.kind} {by.name}" if by is not None else _cost(item)
    return tuple(
        plain(cell) for cell in (item.change.value, item.address, accelerators or "-", where, cost)
    )


def _cost(item: DecidedResource) -> str:
    if item.cost is None:
        return ""
    if item.cost.micros_per_hour is None:
        return "no price known"
    hourly = item.cost.micros_per_hour
    monthly = f"{hourly * _MONTH_HOURS // 1_000_000:,} {item.cost.currency}/month"
    return f"{monthly} ({item.cost.basis.value})"


def _finding(finding: JudgedFinding, *, colour: bool) -> list[str]:
    word, tone = _MARKS[finding.mode]
    if finding.waived_by is not None:
        word, tone = "waived", "dim"
    elif finding.baseline is not None:
        word, tone = "kept", "dim"
    old = " (as before this change)" if finding.pre_existing else ""
    lines = [f"  {paint(word, tone, on=colour)}  {finding.code}: {plain(finding.message)}{old}"]
    if finding.waived_by is not None:
        lines.append(f"        {plain(_waiver(finding.waived_by, finding.waiver))}")
    elif finding.baseline is not None:
        mode, until = finding.baseline.instead_of.value, finding.baseline.until
        lines.append(f"        in the baseline until {plain(until)} ({mode} without it)")
    elif finding.remedy:
        lines.append(f"        {plain(finding.remedy)}")
    return lines


def _waiver(waived_by: str, terms: WaiverTerms | None) -> str:
    if terms is None:
        return f"waiver {waived_by}"
    if terms.approver is None:
        return (
            f"waived by break-glass {waived_by} of {terms.owner} until {terms.expires}: "
            f"{terms.reason}"
        )
    return (
        f"waived until {terms.expires} by {terms.approver}, owner {terms.owner}: {terms.reason} "
        f"({waived_by})"
    )


def _rest(decision: Decision) -> str:
    parts = []
    if not decision.resources and decision.kind != "rejected":
        parts.append("nothing in it takes accelerators, money or data")
    if decision.not_covered:
        kinds = ", ".join(sorted({item.kind for item in decision.not_covered}))
        parts.append(f"{len(decision.not_covered)} not covered ({plain(kinds)})")
    if decision.irrelevant:
        parts.append(f"{decision.irrelevant} irrelevant")
    parts.append(f"decision {decision.decision_id}, bundle {decision.bundle.name}")
    return "  " + "; ".join(parts)


def _line(decision: Decision) -> tuple[str, ...]:
    codes = sorted({finding.code for finding in decision.findings})
    glass = decision.break_glass
    first = decision.resources[0].address if decision.resources else decision.kind
    if glass is not None:
        first = f"break-glass {decision.operation}: {where(glass)}"
        codes = list(glass.codes or ("all codes",))
    more = f" +{len(decision.resources) - 1}" if len(decision.resources) > 1 else ""
    return (
        decision.time,
        decision.outcome.value,
        decision.enforcement_point.value,
        plain(first) + more,
        ",".join(codes) or "-",
        decision.decision_id,
    )
