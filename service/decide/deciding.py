"""Findings + posture and modes -> what happens to the request, and why.

The mode of a finding starts from the organisation's mode rules, and without one from the rule's
own. Everything after that can only lower it: the posture; for an undetermined finding the strictest
``on_unknown`` among the reasons of what it misses; for what was already true before the change
``on_existing``; and ``observe`` where nothing is taken any more (a deletion, a read, a change
without effect). The outcome is the strictest mode that is left.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

from service.decide.builtin import BUILTIN, NOT_COVERED, system_rule
from service.decide.modes import RANK, Place, mildest, stated_mode
from service.decide.reasons import Reasons
from service.decide.rulebook import LONGEST_FACT, render, tidy
from service.errors import EngineUnavailable, EvaluationFailed, GovernanceError
from service.model.base import Change, Reason
from service.model.decision import Cause, Outcome
from service.model.finding import Facts, Finding, JudgedFinding, Mode

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from service.bundle.values import Bundle, Rule
    from service.model.request import Request

_SETTLED = frozenset({Change.DELETE, Change.NO_OP, Change.READ})
_OUTCOMES = {Mode.OBSERVE: Outcome.ALLOW, Mode.WARN: Outcome.WARN, Mode.ENFORCE: Outcome.DENY}
_LONGEST_TEXT = 2048

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

    Every finding is reported once, the strictest first, then by code and resource.

    Raises:
        EvaluationFailed: A finding has a code that the bundle's rulebook does not know.
    """
    reported = {_identity(finding): finding for finding in (*findings, *_uncovered(request))}
    if not reported:
        return Verdict(Outcome.ALLOW, Cause.NONE)
    judge = _Judge(request, before, bundle)
    judged = [(judge.judged(finding), identity) for identity, finding in reported.items()]
    judged.sort(key=lambda pair: (-RANK[pair[0].mode], pair[1]))
    return _verdict(tuple(finding for finding, _ in judged))


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


class _Judge:
    """Judges findings of one request."""

    def __init__(self, request: Request, before: Sequence[Finding], bundle: Bundle) -> None:
        self._request = request
        self._org = bundle.org
        self._rulebook = bundle.rulebook
        self._reasons = Reasons(request)
        self._before = {_identity(finding) for finding in before}

    def judged(self, finding: Finding) -> JudgedFinding:
        """*finding* with its mode and its words."""
        rule = self._rule(finding.code)
        missing = {at: self._reasons.of(finding.resource, at) for at in finding.undetermined}
        pre_existing = bool(self._before) and _identity(finding) in self._before
        words = render(rule, finding, missing)
        return JudgedFinding(
            code=finding.code,
            mode=self._mode(
                finding, rule, chain.from_iterable(missing.values()), pre_existing=pre_existing
            ),
            severity=rule.severity,
            resource=finding.resource,
            title=words.title,
            message=words.message,
            remedy=words.remedy,
            facts=_tidy_facts(finding.facts),
            undetermined=finding.undetermined,
            pre_existing=pre_existing,
        )

    def _rule(self, code: str) -> Rule:
        rule = BUILTIN[NOT_COVERED] if code == NOT_COVERED else self._rulebook.get(code)
        if rule is None:
            raise EvaluationFailed(
                f"a rule reported the code `{tidy(code, 64)}`, which the bundle's rulebook lacks",
                hint="Build the bundle again; every code needs its METADATA.",
            )
        return rule

    def _mode(
        self, finding: Finding, rule: Rule, reasons: Iterable[Reason], *, pre_existing: bool
    ) -> Mode:
        if self._is_settled(finding.resource):
            return Mode.OBSERVE
        org = self._org
        own = stated_mode(org.modes, self._place(finding, rule))
        if own is None:
            own = rule.mode
        mode = mildest(own, org.posture)
        if finding.undetermined:
            strictest = max((org.on_unknown.of(reason) for reason in reasons), key=RANK.__getitem__)
            mode = mildest(mode, strictest)
        return mildest(mode, org.on_existing) if pre_existing else mode

    def _is_settled(self, address: str | None) -> bool:
        """Whether nothing that the finding is about takes anything any more."""
        resources = self._request.resources if address is None else self._reasons.at(address)
        return bool(resources) and all(resource.change in _SETTLED for resource in resources)

    def _place(self, finding: Finding, rule: Rule) -> Place:
        team, environment = self._owner(finding)
        point = self._request.enforcement_point.value
        return Place(finding.code, rule.domain, team, environment, point)

    def _owner(self, finding: Finding) -> tuple[str | None, str | None]:
        """Team and environment of a finding, where all that it is about agree on them.

        A finding about the request as a whole is about the team whose total it points at, or names
        in its facts.
        """
        resources = self._reasons.at(finding.resource) if finding.resource is not None else None
        if resources is None:
            stated = finding.facts.get("team")
            team = self._reasons.team(finding.undetermined) or stated
            resources = [
                item for item in self._request.resources if item.ownership.team == team
            ] or list(self._request.resources)
        teams = {item.ownership.team for item in resources}
        environments = {item.ownership.environment for item in resources}
        return (
            teams.pop() if len(teams) == 1 else None,
            environments.pop() if len(environments) == 1 else None,
        )


def _uncovered(request: Request) -> list[Finding]:
    return [
        Finding(code=NOT_COVERED, resource=item.address, facts={"kind": item.kind})
        for item in request.not_covered
    ]


def _verdict(findings: tuple[JudgedFinding, ...]) -> Verdict:
    strictest = findings[0].mode
    if strictest is Mode.OBSERVE:
        return Verdict(Outcome.ALLOW, Cause.NONE, findings)
    decisive = [finding for finding in findings if finding.mode is strictest]
    certain = any(not finding.undetermined for finding in decisive)
    cause = Cause.POLICY if certain else Cause.UNDETERMINED
    return Verdict(_OUTCOMES[strictest], cause, findings)


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
