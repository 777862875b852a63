"""Who may open break-glass, what is refused, and what the record says."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest
from glass import glass, stamp
from records import NOON
from toy_bundle import GOOD, toy

import service.break_glass as desks
from service.api.auth import Caller
from service.break_glass import CODE, BreakGlassDesk, Closing, Opener, Wanted, read_as
from service.bundle.values import Bundle, Org
from service.decide.digests import canonical, digest
from service.errors import LogUnavailable, NotAllowed, NotFound, RequestRefused
from service.log.entry import Entry
from service.model.base import Scope
from service.model.break_glass import LONGEST_MINUTES, BreakGlass
from service.model.decision import Cause, Decision, Outcome
from service.model.finding import Finding
from service.model.request import Context, Request
from service.pipeline import Pipeline

ONCALL = Opener("oncall", ("sre",))
_TABLES = (
    "accelerators accelerator_names instance_types instance_families countries models model_names"
    " operators regions zones prices price_areas"
)


class _Log:
    """Keeps entries, or hangs; says what is open as the reader of a log does."""

    def __init__(self, *, hangs: bool = False) -> None:
        self.entries: list[Entry] = []
        self.opened: list[BreakGlass] = []
        self._hangs = hangs

    async def record(self, entry: Entry) -> Decision:
        if self._hangs:
            await asyncio.Event().wait()
        self.entries.append(entry)
        return entry.decision

    async def ready(self) -> bool:
        return True

    async def close(self) -> None:
        """Nothing to release."""

    def break_glass(self, moment: datetime) -> tuple[BreakGlass, ...]:
        return tuple(item for item in self.opened if item.is_open(moment))


def _bundle(**break_glass: Any) -> Bundle:
    made = toy()
    org = {"name": "Toy", "break_glass": break_glass}
    return Bundle(made.ref, made.modules, made.data, made.rulebook, Org.model_validate(org))


def _desk(log: _Log, *, now: datetime = NOON, **break_glass: Any) -> BreakGlassDesk:
    named = break_glass or {"callers": ["oncall"], "minutes": 120}
    reader: Any = log
    return BreakGlassDesk(_bundle(**named), log, reader, clock=lambda: now)


def _wanted(**changes: Any) -> Wanted:
    stated = {
        "match": {"cluster": "prod-eu"},
        "reason": "the region is down",
        "actor": "ada",
        "minutes": 60,
    }
    return read_as(Wanted, {**stated, **changes})


async def test_the_record_says_who_what_where_why_and_how_long() -> None:
    log = _Log()

    decision = await _desk(log).open(_wanted(codes=["TOY-001", "TOY-001"]), ONCALL)

    [kept] = log.entries
    assert kept.decision == decision
    assert (decision.kind, decision.operation) == ("break_glass", "open")
    assert (decision.outcome, decision.cause) == (Outcome.ALLOW, Cause.NONE)
    assert (decision.caller, decision.actor.name) == ("oncall", "ada")
    assert (decision.scope.cluster, decision.bundle.name) == ("prod-eu", "toy")
    opened = decision.break_glass
    assert opened == glass(decision.decision_id, groups=("sre",), codes=("TOY-001",))
    assert opened is not None
    assert decision.request_digest == digest(canonical(opened))
    assert decision.time == opened.opened_at


@pytest.mark.parametrize("opener", [Opener("oncall"), Opener("ada", ("ops", "sre"))])
async def test_callers_and_groups_that_are_named_may(opener: Opener) -> None:
    desk = _desk(_Log(), callers=["oncall"], groups=["sre"])

    assert (await desk.open(_wanted(), opener)).caller == opener.caller


@pytest.mark.parametrize(
    ("named", "message"),
    [
        ({"minutes": 240}, "break-glass is off: `Toy` names nobody"),
        ({"callers": ["ada"], "groups": ["oncall"]}, "`oncall` may not open"),
    ],
)
async def test_nobody_else_may(named: dict[str, Any], message: str) -> None:
    log = _Log()

    with pytest.raises(NotAllowed, match=message):
        await _desk(log, **named).open(_wanted(), ONCALL)
    assert log.entries == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"minutes": 121}, "wanted for 121 minutes; the most is 120"),
        ({"codes": ["TOY-009"]}, "`TOY-009` is no code of the bundle `toy`"),
        ({"codes": ["SYS-LOG"]}, "`SYS-LOG` is no code"),
        ({"codes": ["WVR-001"]}, "`WVR-001` is no code"),
    ],
)
async def test_what_the_bundle_has_no_place_for_is_refused(
    changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(RequestRefused, match=message) as refused:
        await _desk(_Log()).open(_wanted(**changes), ONCALL)
    assert refused.value.code == CODE


async def test_a_kind_that_nothing_covers_can_be_let_pass() -> None:
    await _desk(_Log()).open(_wanted(codes=["COV-001"]), ONCALL)


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"minutes": LONGEST_MINUTES + 1}, "/minutes"),
        ({"minutes": 0}, "/minutes"),
        ({"minutes": "60"}, "/minutes"),
        ({"minutes": True}, "/minutes"),
        ({"match": {}}, "/match"),
        ({"match": {"team": "vision"}}, "/match/team"),
        ({"codes": []}, "/codes"),
        ({"reason": ""}, "/reason"),
        ({"actor": "  "}, "/actor"),
        ({"caller": "root"}, "/caller"),
    ],
)
def test_another_form_is_refused_with_its_place(changes: dict[str, Any], where: str) -> None:
    with pytest.raises(RequestRefused, match=f"^`{where}` is not what is expected: ") as refused:
        _wanted(**changes)
    assert refused.value.code == CODE
    with pytest.raises(RequestRefused, match="`/`"):
        read_as(Closing, [])


async def test_a_secret_in_a_reason_is_not_recorded() -> None:
    decision = await _desk(_Log()).open(_wanted(reason="password=hunter2 leaked"), ONCALL)

    assert decision.break_glass is not None
    assert "hunter2" not in decision.break_glass.reason


async def test_an_end_is_a_record_too_and_is_never_older() -> None:
    log = _Log()
    log.opened = [glass("B-1", at=60), glass("B-2")]

    early = _desk(log, now=NOON + timedelta(minutes=2))
    ended = await early.end("B-1", Opener("night-shift"), actor="grace")

    assert (ended.kind, ended.operation, ended.key) == ("break_glass", "end", "B-1")
    assert (ended.caller, ended.actor.name) == ("night-shift", "grace")
    assert ended.break_glass == glass("B-1", at=60)
    assert ended.decision_id != "B-1"

    class _SetBack:
        moments = [NOON + timedelta(seconds=30), NOON - timedelta(hours=1)]

        def __call__(self) -> datetime:
            return self.moments.pop(0)

    reader: Any = log
    desk = BreakGlassDesk(_bundle(callers=["oncall"]), log, reader, clock=_SetBack())
    late = await desk.end("B-2", ONCALL, actor="ada")
    assert late.time == stamp(NOON)


async def test_only_what_is_open_can_end() -> None:
    log = _Log()
    log.opened = [glass("B-1", minutes=1)]

    for id_ in ("B-1", "nonsense"):
        with pytest.raises(NotFound, match=f"no break-glass `{id_}` is open"):
            await _desk(log, now=NOON + timedelta(minutes=1)).end(id_, ONCALL, actor="ada")


async def test_there_is_a_most_that_can_be_open() -> None:
    log = _Log()
    log.opened = [glass(f"B-{number}") for number in range(desks.MOST_OPEN)]

    with pytest.raises(RequestRefused, match="are open already"):
        await _desk(log).open(_wanted(), ONCALL)


async def test_what_is_not_confirmed_is_not_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desks, "_RECORD_SECONDS", 0.01)

    with pytest.raises(LogUnavailable, match="did not confirm") as refused:
        await _desk(_Log(hangs=True)).open(_wanted(), ONCALL)
    assert refused.value.code == "SYS-LOG-TIMEOUT"


@pytest.mark.parametrize("changes", [{"name": "local:root"}, {"groups": ["sre", "local:wheel"]}])
def test_no_caller_passes_for_a_user_of_the_machine(changes: dict[str, Any]) -> None:
    stated = {"name": "ci", "token_sha256": "0" * 64, "roles": ["administrator"]}

    assert Caller.model_validate({**stated, "groups": ["sre"]}).groups == ("sre",)
    with pytest.raises(ValueError, match="begins with `local:`"):
        Caller.model_validate({**stated, **changes})


class _Engine:
    """Reports each resource as TOY-001."""

    name = "double"

    async def evaluate(
        self, request: Request, *, seconds: float, document: bytes = b""
    ) -> tuple[Finding, ...]:
        assert seconds > 0
        assert document
        return tuple(Finding(code="TOY-001", resource=item.address) for item in request.resources)

    async def ready(self) -> bool:
        return True

    async def close(self) -> None:
        """Nothing to release."""


async def test_what_is_open_is_part_of_the_context_that_is_recorded() -> None:
    log = _Log()
    opened = (glass("B-1"), glass("B-2", match={"cluster": "dev"}), glass("B-3", at=60))

    async def known() -> tuple[BreakGlass, ...]:
        return opened

    org = {"name": "Toy", "posture": "enforce", "break_glass": {"callers": ["oncall"]}}
    made = toy(catalog={name: {} for name in _TABLES.split()}, index={"offers": {}})
    bundle = Bundle(made.ref, made.modules, made.data, made.rulebook, Org.model_validate(org))
    asked = GOOD.model_copy(update={"scope": Scope(cluster="prod-eu")})

    decided = {}
    for name, source in (("with", {"break_glass": known}), ("without", {})):
        pipeline = Pipeline(bundle, _Engine(), log, clock=lambda: NOON, **source)
        decided[name] = await pipeline.decide(asked, seconds=5)

    assert (decided["with"].outcome, decided["without"].outcome) == (Outcome.ALLOW, Outcome.DENY)
    assert decided["with"].findings[0].waived_by == "B-1"
    assert decided["with"].request_digest == decided["without"].request_digest
    assert decided["with"].context_digest != decided["without"].context_digest
    context = Context.model_validate_json(log.entries[0].context)
    assert [item.id for item in context.waivers] == ["B-1"]
