"""What a scan found, for a person: in a terminal, or as Markdown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from service.model.decision import Outcome
from service.model.finding import JudgedFinding, Mode
from service.report.scan import IdleAccelerators, Scanned, Survey, TeamCost, monthly
from service.report.text import columns, paint, plain

_MOST_ROWS = 50


class _Table(NamedTuple):
    """One part of the report; ``cut`` counts rows that are left out."""

    title: str
    head: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    cut: int = 0


def as_table(survey: Survey, *, colour: bool = False) -> str:
    """The report for a terminal."""
    lines = [
        f"{paint(line, 'bold', on=colour and not at)}\n" for at, line in enumerate(_head(survey))
    ]
    for item in _cut(survey.with_outcome(Outcome.DENY)):
        lines.append(f"\n{paint('refused', 'red', on=colour)}  {_plain_row(item)}\n")
        for finding in _decisive(item, Mode.ENFORCE):
            lines.append(f"  {finding.code}: {plain(finding.message)}\n")
            lines += [f"    {plain(finding.remedy)}\n"] if finding.remedy else []
    refused = len(survey.with_outcome(Outcome.DENY))
    if refused > _MOST_ROWS:
        lines.append(f"and {refused - _MOST_ROWS} more (--format json)\n")
    for table in _tables(survey):
        lines.append(f"\n{paint(table.title, 'bold', on=colour)}\n")
        shown = columns([table.head, *(tuple(map(plain, row)) for row in table.rows)])
        lines += [f"  {line}\n" for line in shown.splitlines()]
        if table.cut:
            lines.append(f"  and {table.cut} more (--format json)\n")
    return "".join(lines)


def as_markdown(survey: Survey) -> str:
    """The report as GitHub-flavoured Markdown."""
    first, *rest = _head(survey)
    lines = [f"# {_escaped(first)}\n\n", *(f"- {_escaped(line)}\n" for line in rest)]
    refused = [
        (
            _name(item),
            _amount(item),
            finding.code,
            finding.message + (f" — {finding.remedy}" if finding.remedy else ""),
        )
        for item in survey.with_outcome(Outcome.DENY)
        for finding in _decisive(item, Mode.ENFORCE)
    ]
    tables = list(_tables(survey))
    if refused:
        head = ("OBJECT", "TAKES", "CODE", "WHY")
        shown = refused[:_MOST_ROWS]
        tables.insert(0, _Table("Refused today", head, shown, len(refused) - len(shown)))
    for table in tables:
        lines.append(f"\n## {table.title}\n\n")
        lines.append(f"| {' | '.join(cell.capitalize() for cell in table.head)} |\n")
        lines.append(f"|{' --- |' * len(table.head)}\n")
        lines += [f"| {' | '.join(map(_escaped, row))} |\n" for row in table.rows]
        if table.cut:
            lines.append(f"\nand {table.cut} more\n")
    return "".join(lines)


def _head(survey: Survey) -> Iterator[str]:
    bundle = survey.bundle
    yield f"{plain(survey.cluster)}: {len(survey.objects)} objects that take accelerators or nodes"
    refused, warned = (len(survey.with_outcome(each)) for each in (Outcome.DENY, Outcome.WARN))
    yield f"{refused} would be refused today, {warned} allowed with warnings"
    if survey.kept:
        yield f"{len(survey.kept)} kept observed by the baseline"
    if survey.failed:
        yield f"{len(survey.failed)} could not be decided"
    if survey.left_out:
        left = ", ".join(f"{count} {why}" for why, count in survey.left_out.items())
        yield f"left out: {left}"
    yield f"{sum(survey.read.values())} objects of {len(survey.read)} kinds read at {survey.time}"
    yield f"bundle {plain(bundle.name)} {plain(bundle.revision)}"


def _tables(survey: Survey) -> Iterator[_Table]:
    if survey.not_read:
        rows = [(item.kind, item.why) for item in survey.not_read]
        yield _Table("Not read", ("KIND", "WHY"), rows)
    if survey.failed:
        rows_of = [
            (_name(item), finding.code, finding.message)
            for item in survey.failed
            for finding in item.findings
        ]
        yield _cut_table("Not decided", ("OBJECT", "CODE", "WHY"), rows_of)
    if codes := _codes(survey):
        yield _Table("Findings", ("CODE", "REFUSED", "WARNED", "KEPT", "TITLE"), codes)
    warned = [
        (_name(item), _amount(item), finding.code, finding.message)
        for item in survey.with_outcome(Outcome.WARN)
        for finding in _decisive(item, Mode.WARN)
    ]
    if warned:
        yield _cut_table("Warned", ("OBJECT", "TAKES", "CODE", "WHY"), warned)
    if survey.idle:
        head = ("ACCELERATOR", "NODES", "OFFERED", "ASKED FOR", "IDLE", "IDLE NODES")
        yield _Table("Idle accelerators", head, [_idle(row) for row in survey.idle])
    if unowned := survey.unowned:
        rows_of_two = [(_name(item), _amount(item)) for item in unowned]
        yield _cut_table("Without a team", ("OBJECT", "TAKES"), rows_of_two)
    if survey.costs:
        head = ("TEAM", "ROLE", "OBJECTS", "ACCELERATORS", "PER MONTH", "WITHOUT A PRICE")
        yield _Table("Cost by team", head, [_cost(row) for row in survey.costs])


def _cut_table(title: str, head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> _Table:
    return _Table(title, head, rows[:_MOST_ROWS], max(0, len(rows) - _MOST_ROWS))


def _cut(items: Sequence[Scanned]) -> Sequence[Scanned]:
    return items[:_MOST_ROWS]


def _decisive(item: Scanned, mode: Mode) -> list[JudgedFinding]:
    return [each for each in item.findings if each.mode is mode and each.waived_by is None]


def _codes(survey: Survey) -> list[tuple[str, ...]]:
    """How many objects each code refuses, warns of, and is kept observed at, worst first."""
    counts: dict[str, Counter[str]] = {}
    titles: dict[str, str] = {}
    for item in survey.objects:
        if item.failed:
            continue
        seen = {
            (each.code, "kept" if each.baseline is not None else each.mode.value)
            for each in item.findings
            if each.waived_by is None
        }
        titles.update({each.code: each.title for each in item.findings})
        for code, what in seen:
            counts.setdefault(code, Counter())[what] += 1
    rows = [
        (code, found["enforce"], found["warn"], found["kept"], titles[code])
        for code, found in counts.items()
        if found["enforce"] or found["warn"] or found["kept"]
    ]
    rows.sort(key=lambda row: (-row[1], -row[2], -row[3], row[0]))
    return [tuple(map(str, row)) for row in rows]


def _name(item: Scanned) -> str:
    return item.address


def _plain_row(item: Scanned) -> str:
    return "  ".join(map(plain, filter(None, (_name(item), _amount(item)))))


def _amount(item: Scanned) -> str:
    resource = item.resource
    if resource is None:
        return "-"
    if resource.accelerators is None:
        takes = "accelerators not known"
    else:
        takes = ", ".join(
            f"{'?' if entry.total.max is None else entry.total.max} x "
            f"{entry.model or 'unknown model'}{f' ({entry.slice})' if entry.slice else ''}"
            for entry in resource.accelerators
        )
    cost = resource.cost
    if cost is None or cost.micros_per_hour is None:
        return takes or "-"
    money = f"{monthly(cost.micros_per_hour):,} {cost.currency}/month"
    return f"{takes}, {money}" if takes else money


def _idle(row: IdleAccelerators) -> tuple[str, ...]:
    name = row.model or row.product or row.resource
    counts = (row.nodes, row.offered, row.asked, row.idle, row.idle_nodes)
    return (name, *map(str, counts))


def _cost(row: TeamCost) -> tuple[str, ...]:
    count = f"{row.accelerators}" + (f" + {row.uncounted} unknown" if row.uncounted else "")
    money = f"{monthly(row.micros_per_hour):,} {row.currency}" if row.currency else "-"
    return (row.team or "-", row.role.value, str(row.objects), count, money, str(row.unpriced))


def _escaped(text: str) -> str:
    """*text* as Markdown shows it: neither markup nor HTML, on one line."""
    shown = plain(text).replace("\n", " ").replace("\\", "\\\\")
    for mark in "|*_`[]<>#~":
        shown = shown.replace(mark, f"\\{mark}")
    return shown
