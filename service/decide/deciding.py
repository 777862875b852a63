"""Findings + posture, modes and waivers -> what happens to the request, and why.

The mode of a finding starts from the organisation's mode rules, and without one from the rule's
own. What a rule that only warns cannot tell is then recorded and not shown: one value that is not
known would otherwise warn once for every rule that might have had a word on it. A rule for a team
or an environment that only a label states may make it stricter and not milder. Everything after
that can only lower it: the posture; for an undetermined finding the strictest ``on_unknown`` among
the reasons of what it misses; for what was already true before the change ``on_existing``; and
``observe`` where nothing is taken any more (a deletion, a read, a change without effect), or where
the organisation's baseline has it and no more is taken than then. The outcome is the strictest mode
among the findings that no waiver and no break-glass covers.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

from service.decide.about import bound, claimed, common, resources_of
from service.decide.baseline import Baseline, Kept, ended
from service.decide.break_glass import OpenGlass
from service.decide.builtin import (
    BASELINE_ENDED,
    BUILTIN,
    NOT_BELIEVED,
    NOT_COVERED,
    WAIVER_EXPIRED,
    system_rule,
)
from service.decide.forged import unbelieved
from service.decide.modes import RANK, Place, mildest, stated_mode, strictest
from service.decide.reasons import Reasons
from service.decide.rulebook import LONGEST_FACT, render, tidy
from service.decide.waivers import Waivers, expiry, terms
from service.errors import EngineUnavailable, EvaluationFailed, GovernanceError
from service.model.base import Change
from service.model.decision import Cause, Outcome
from service.model.finding import (
    BaselineTerms,
    Facts,
    Finding,
    JudgedFinding,
    Mode,
    WaiverTerms,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from service.bundle.values import Bundle, Rule
    from service.decide.about import Whereabouts
    from service.model.request import Request
    from service.model.resource import Resource

_OWN = frozenset({NOT_BELIEVED, NOT_COVERED})
_SETTLED = frozenset({Change.DELETE, Change.NO_OP, Change.READ})
_OUTCOMES = {Mode.OBSERVE: Outcome.ALLOW, Mode.WARN: Outcome.WARN, Mode.ENFORCE: Outcome.DENY}
_LONGEST_TEXT = 2048
_NOT_KEPT = Kept(None)

_Identity = tuple[str, str, tuple[str, ...], str]


@dataclass(frozen=True)
class Verdict:
    """What is decided, before it becomes a record."""

    outcome: Outcome
    cause: Cause
    findings: tuple[JudgedFinding, ...] = ()


def decide(
    request: Request, findings: Sequence[Finding], before: Sequence[Finding], bundle: Bundle
) -> Verdict:
    """Judge *findings* about a resolved *request*; *before* are those about its former state.

    Every finding is reported once: those that count before those that are waived, the strictest
    first, then by code and resource.

    Raises:
        EvaluationFailed: A finding has a code that the bundle's rulebook does not know.
    """
    every = (*findings, *_uncovered(request), *unbelieved(request, bundle.org))
    reported = {_identity(finding): finding for finding in every}
    if not reported:
        return Verdict(Outcome.ALLOW, Cause.NONE)
    judge = _Judge(request, before, bundle)
    judged = [
        (*_weight(result), _identity(said), result)
        for finding in reported.values()
        for result, said in judge.judged(finding)
    ]
    judged.sort(key=lambda item: item[:3])
    # Several findings may have fallen under one waiver that is over: it is reported once.
    once: dict[_Identity, JudgedFinding] = {}
    for _, _, identity, result in judged:
        once.setdefault(identity, result)
    return _verdict(tuple(once.values()))


def refusal(error: GovernanceError) -> Verdict:
    """The refusal that *error* is, whatever posture and modes say."""
    rule = system_rule(error.code)
    busy = isinstance(error, EngineUnavailable) or error.code == "SYS-BUSY"
    finding = JudgedFinding(
        code=error.code,
        mode=Mode.ENFORCE,
        severity=rule.severity,
        title=rule.title,
        message=tidy(error.message, _LONGEST_TEXT),
        remedy=tidy(error.hint, _LONGEST_TEXT) or rule.remedy,
    )
    return Verdict(Outcome.DENY, Cause.BUSY if busy else Cause.ERROR, (finding,))


@dataclass(frozen=True)
class _Subject:
    """What one finding is about.

    Attributes:
        claimed: What its resources share, with what labels say of the owner.
        bound: What they share without that.
        each: The same one by one.
        resources: The resources themselves.
        settled: Whether none of it takes anything any more.
    """

    claimed: Whereabouts
    bound: Whereabouts
    each: Sequence[Whereabouts]
    resources: Sequence[Resource]
    settled: bool


class _Judge:
    """Judges findings of one request."""

    def __init__(self, request: Request, before: Sequence[Finding], bundle: Bundle) -> None:
        self._request = request
        self._org = bundle.org
        self._rulebook = bundle.rulebook
        self._reasons = Reasons(request)
        self._before = {_identity(finding) for finding in before}
        self._waivers = Waivers(bundle.org.waivers, request.context.now)
        self._baseline = Baseline(bundle.baseline, request.context.now)
        self._glass = OpenGlass(bundle.org.break_glass, request.context)

    def judged(self, finding: Finding) -> Iterator[tuple[JudgedFinding, Finding]]:
        """*finding* with its mode and its words, and what is to be said of its waivers."""
        rule = self._rule(finding.code)
        subject = self._subject(finding)
        missing = {at: self._reasons.of(finding.resource, at) for at in finding.undetermined}
        pre_existing = bool(self._before) and _identity(finding) in self._before
        mode = self._own_mode(rule, subject, is_undetermined=bool(finding.undetermined))
        if finding.undetermined:
            reasons = chain.from_iterable(missing.values())
            mode = mildest(mode, strictest(*(self._org.on_unknown.of(why) for why in reasons)))
        if pre_existing:
            mode = mildest(mode, self._org.on_existing)
        waived_by, waiver = self._waived(finding.code, subject.each)
        kept = _NOT_KEPT
        if self._baseline and waiver is None and mode is not Mode.OBSERVE:
            kept = self._baseline.keeps(finding.code, subject.resources)
        words = render(rule, finding, missing)
        judged = JudgedFinding(
            code=finding.code,
            mode=mode if kept.until is None else Mode.OBSERVE,
            severity=rule.severity,
            resource=finding.resource,
            title=words.title,
            message=words.message,
            remedy=words.remedy,
            facts=_tidy_facts(finding.facts),
            undetermined=finding.undetermined,
            waived_by=waived_by,
            waiver=waiver,
            baseline=BaselineTerms(until=kept.until, instead_of=mode) if kept.until else None,
            pre_existing=pre_existing,
        )
        yield judged, finding
        for lapsed in kept.lapsed:
            said = ended(lapsed, finding)
            yield self._said(said, BUILTIN[BASELINE_ENDED], judged.mode, subject), said
        if self._waivers and waiver is None:
            yield from self._expired(finding, judged.mode, subject)

    def _waived(
        self, code: str, where: Sequence[Whereabouts]
    ) -> tuple[str, WaiverTerms] | tuple[None, None]:
        """What takes *code* out of the decision: a waiver before break-glass, which is for need."""
        waiver = self._waivers and self._waivers.covering(code, where)
        if waiver:
            return waiver.id, terms(waiver)
        opened = self._glass.covering(code, where)
        return (opened.id, opened.terms()) if opened else (None, None)

    def _expired(
        self, finding: Finding, mode: Mode, subject: _Subject
    ) -> Iterator[tuple[JudgedFinding, Finding]]:
        """The waivers of *finding* that are over; none weighs more than the finding itself."""
        for waiver in self._waivers.lapsed(finding.code, subject.each):
            said = expiry(waiver, finding)
            yield self._said(said, BUILTIN[WAIVER_EXPIRED], mode, subject), said

    def _said(self, said: Finding, rule: Rule, mode: Mode, subject: _Subject) -> JudgedFinding:
        """What is *said* of an exception to a finding, which weighs no more than its *mode*."""
        words = render(rule, said)
        return JudgedFinding(
            code=said.code,
            mode=mildest(self._own_mode(rule, subject), mode),
            severity=rule.severity,
            resource=said.resource,
            title=words.title,
            message=words.message,
            remedy=words.remedy,
            facts=_tidy_facts(said.facts),
        )

    def _rule(self, code: str) -> Rule:
        rule = BUILTIN[code] if code in _OWN else self._rulebook.get(code)
        if rule is None:
            raise EvaluationFailed(
                f"a rule reported the code `{tidy(code, 64)}`, which the bundle's rulebook lacks",
                hint="Build the bundle again; every code needs its METADATA.",
            )
        return rule

    def _own_mode(self, rule: Rule, subject: _Subject, *, is_undetermined: bool = False) -> Mode:
        """The mode of the organisation or of the rule, capped by what caps every finding."""
        if subject.settled:
            return Mode.OBSERVE
        unstated = Mode.OBSERVE if is_undetermined and rule.mode is Mode.WARN else rule.mode
        own = self._stated(rule, subject.bound) or unstated
        if subject.claimed != subject.bound:
            own = strictest(own, self._stated(rule, subject.claimed) or unstated)
        return mildest(own, self._org.posture)

    def _stated(self, rule: Rule, where: Whereabouts) -> Mode | None:
        point = self._request.enforcement_point.value
        return stated_mode(self._org.modes, Place.at(rule.code, rule.domain, point, where))

    def _subject(self, finding: Finding) -> _Subject:
        resources = resources_of(finding, self._request, self._reasons)
        about: Sequence[Resource | None] = resources or (None,)
        each = [bound(self._request, item) for item in about]
        claims = [claimed(self._request, item) for item in about]
        taking = self._request.resources if finding.resource is None else resources
        settled = bool(taking) and all(item.change in _SETTLED for item in taking)
        return _Subject(common(claims), common(each), each, resources, settled)


def _uncovered(request: Request) -> list[Finding]:
    return [
        Finding(code=NOT_COVERED, resource=item.address, facts={"kind": item.kind})
        for item in request.not_covered
    ]


def _weight(finding: JudgedFinding) -> tuple[bool, int]:
    return finding.waived_by is not None, -RANK[finding.mode]


def _verdict(findings: tuple[JudgedFinding, ...]) -> Verdict:
    counting = [finding for finding in findings if finding.waived_by is None]
    hardest = counting[0].mode if counting else Mode.OBSERVE
    if hardest is Mode.OBSERVE:
        return Verdict(Outcome.ALLOW, Cause.NONE, findings)
    decisive = [finding for finding in counting if finding.mode is hardest]
    certain = any(not finding.undetermined for finding in decisive)
    cause = Cause.POLICY if certain else Cause.UNDETERMINED
    return Verdict(_OUTCOMES[hardest], cause, findings)


def _identity(finding: Finding) -> _Identity:
    """What makes two findings the same."""
    facts = json.dumps(finding.facts, sort_keys=True) if finding.facts else ""
    return finding.code, finding.resource or "", finding.undetermined, facts


def _tidy_facts(facts: Facts) -> Facts:
    """Facts in the order of their names, safe to print and to keep."""
    tidied: Facts = {}
    for name in sorted(facts):
        value = facts[name]
        if isinstance(value, str):
            value = tidy(value, LONGEST_FACT)
        elif isinstance(value, list):
            value = [tidy(item, LONGEST_FACT) for item in value]
        tidied[name] = value
    return tidied
