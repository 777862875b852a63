"""The whole path of a request, readable on one screen.

normalised request -> resolve -> evaluate -> decide -> record -> answer. What the adapters do before
and after it is theirs; nothing here knows an enforcement point.
"""

from __future__ import annotations

import asyncio
import importlib.metadata
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import structlog

from service.bundle.values import Bundle
from service.decide.covered import COVERED, is_covered, unrecorded
from service.decide.deciding import Verdict, decide, refusal
from service.decide.digests import canonical, digest, ordered
from service.decide.ids import uuid7
from service.decide.overdue import unevaluated
from service.decide.summary import summarise
from service.errors import (
    DeadlineExceeded,
    EvaluationFailed,
    GovernanceError,
    LogUnavailable,
    RequestRefused,
)
from service.evaluate.engine import Engine
from service.log.entry import DecisionLog, Entry, recorded
from service.model.base import Binding, Change, EnforcementPoint
from service.model.break_glass import BreakGlass
from service.model.decision import Cause, Decision
from service.model.finding import Finding
from service.model.request import Actor, Context, Request
from service.model.resource import Resource, ResourceState
from service.resolve.resolver import Resolver

VERSION = importlib.metadata.version("portreeve")
_LOG = structlog.get_logger("portreeve")
_RECORD_SECONDS = 1.0
_REJECT_SECONDS = 10.0
_LEAST_SECONDS = 0.05
# Controllers make their objects one after the other: a log that hangs must not hold up each.
_COVERED_SECONDS = 2.0
_NO_CONTEXT = digest(canonical(Context()))


def utc_now() -> datetime:
    """The time that decisions carry."""
    return datetime.now(UTC)


async def nothing_open() -> tuple[BreakGlass, ...]:
    """The break-glass of a service whose organisation lets nobody open any."""
    return ()


@dataclass(frozen=True)
class Rejected:
    """What is known of an input that could not be read.

    Attributes:
        error: Why it was refused.
        point: Where it came in.
        input_digest: Digest of the bytes that were received.
        caller: Who sent them.
        binding: What the decision would have been.
        key: The key of the request, if that much could be read.
    """

    error: GovernanceError
    point: EnforcementPoint
    input_digest: str
    caller: str
    binding: Binding = Binding.BINDING
    key: str = ""


@dataclass(frozen=True)
class _Seen:
    """A request on its way: as it came, as rules see it, that as JSON, and when it came in."""

    request: Request
    resolved: Request
    document: bytes
    started: float
    payload_digest: str | None


class Pipeline:
    """Decides requests with one bundle, one engine and one log."""

    def __init__(
        self,
        bundle: Bundle,
        engine: Engine,
        log: DecisionLog,
        *,
        clock: Callable[[], datetime] = utc_now,
        break_glass: Callable[[], Awaitable[tuple[BreakGlass, ...]]] = nothing_open,
    ) -> None:
        """*break_glass* gives what the log has open; it never fails and answers in a moment."""
        self.bundle = bundle
        self.engine = engine
        self.log = log
        self.controllers = bundle.org.controllers.accounts()
        self._clock = clock
        self._break_glass = break_glass
        self._resolver = Resolver(bundle)

    async def decide(
        self, request: Request, *, seconds: float, payload_digest: str | None = None
    ) -> Decision:
        """The recorded decision about *request*, within *seconds*.

        *payload_digest* is that of the bytes it was read from, where what was read depends on more
        than those bytes: the same bytes are then the same request, whatever was read before.

        What the engine cannot answer is refused, or admitted where the organisation names the
        namespace for what is overdue, and recorded like any other decision.

        Raises:
            LogUnavailable: The decision could not be made durable; it must not be answered.
        """
        started = time.perf_counter()
        resolved, document = request, b""
        if is_covered(request):
            return await self._cover(_Seen(request, request, b"", started, payload_digest), seconds)
        try:
            known = await self._with_waivers(request)
            resolved = ordered(self._resolver.resolve(known, now=self._clock()))
            document = resolved.model_dump_json().encode()
            # What the rules take too long for must still be recorded before the caller gives up.
            share = seconds - min(_RECORD_SECONDS, seconds / 4)
            async with asyncio.timeout((share + seconds) / 2):
                findings, before = await self._evaluate(resolved, document, seconds=share)
            verdict = decide(resolved, findings, before, self.bundle)
        except LogUnavailable:
            raise
        except GovernanceError as error:
            verdict = unevaluated(error, request, self.bundle.org)
        except TimeoutError:
            late = DeadlineExceeded("the policy engine did not stop at its deadline")
            verdict = unevaluated(late, request, self.bundle.org)
        except Exception as error:  # noqa: BLE001  # the outermost edge: a defect of ours refuses
            _LOG.exception("defect", key=request.key)
            verdict = refusal(EvaluationFailed(f"deciding failed: {type(error).__name__}"))
        seen = _Seen(request, resolved, document, started, payload_digest)
        return await self._keep(self._entry(seen, verdict), until=started + seconds)

    async def _cover(self, seen: _Seen, seconds: float) -> Decision:
        """The decision about what the admission of another object covers; nothing is evaluated.

        It is the one that may be answered unrecorded: its record is then in the service's log.
        """
        try:
            resolved = ordered(self._resolver.resolve(seen.request, now=self._clock()))
            seen = replace(seen, resolved=resolved, document=resolved.model_dump_json().encode())
        except Exception as error:  # noqa: BLE001  # what is only recorded must not stop it
            _LOG.exception("defect", key=seen.request.key, error=type(error).__name__)
        entry = self._entry(seen, COVERED)
        try:
            until = seen.started + min(seconds, _COVERED_SECONDS)
            return await self._keep(entry, until=until)
        except LogUnavailable as error:
            record = entry.decision.model_dump(mode="json", exclude_defaults=True)
            _LOG.error(
                "covered_unrecorded", key=seen.request.key, error=error.message, record=record
            )
            return unrecorded(entry.decision, error)

    async def _keep(self, entry: Entry, *, until: float) -> Decision:
        """The decision that stands for *entry*, recorded until then (``time.perf_counter``)."""
        kept = await self._record(entry, seconds=max(_LEAST_SECONDS, until - time.perf_counter()))
        if _is_same_question(kept, entry.decision):
            return kept
        left = max(_LEAST_SECONDS, until - time.perf_counter())
        return await self._record(_apart(entry, kept), seconds=left)

    def resolve(self, request: Request) -> Request:
        """*request* with what the bundle knows about it now; nothing is decided or recorded."""
        return self._resolver.resolve(request, now=self._clock())

    async def reject(self, rejected: Rejected, *, seconds: float = _REJECT_SECONDS) -> Decision:
        """Record an input that could not be read, as a refusal that says why, within *seconds*.

        Raises:
            LogUnavailable: The refusal could not be made durable.
        """
        verdict = refusal(rejected.error)
        decision = Decision(
            decision_id=uuid7(),
            kind="rejected",
            time=stamp(self._clock()),
            outcome=verdict.outcome,
            cause=verdict.cause,
            enforcement_point=rejected.point,
            binding=rejected.binding,
            caller=rejected.caller,
            actor=Actor(),
            key=rejected.key,
            request_digest=rejected.input_digest,
            context_digest=_NO_CONTEXT,
            findings=verdict.findings,
            bundle=self.bundle.ref,
            engine=self.engine.name,
            portreeve_version=VERSION,
            duration_ms=0,
        )
        return await self._record(Entry(decision=decision), seconds=seconds)

    async def _with_waivers(self, request: Request) -> Request:
        opened = await self._break_glass()
        if not opened:
            return request
        context = request.context.model_copy(update={"waivers": opened})
        return request.model_copy(update={"context": context})

    async def _evaluate(
        self, resolved: Request, document: bytes, *, seconds: float
    ) -> tuple[Sequence[Finding], Sequence[Finding]]:
        """Findings about the request, and those that were already true before the change."""
        if not resolved.resources:
            return (), ()
        started = time.perf_counter()
        findings = await self.engine.evaluate(resolved, seconds=seconds, document=document)
        earlier = tuple(_as_it_was(item) for item in resolved.resources if item.before is not None)
        if not findings or not earlier:
            return findings, ()
        left = seconds - (time.perf_counter() - started)
        context = resolved.context.model_copy(update={"totals": ()})
        former = resolved.model_copy(update={"resources": earlier, "context": context})
        return findings, await self.engine.evaluate(former, seconds=max(0.01, left))

    def _entry(self, seen: _Seen, verdict: Verdict) -> Entry:
        request, resolved = seen.request, seen.resolved
        # The context is stored apart: it changes with every request, the request's body need not.
        body = canonical(request.model_copy(update={"context": Context()}))
        context = canonical(resolved.context)
        decision = Decision(
            decision_id=uuid7(),
            time=resolved.context.now or stamp(self._clock()),
            outcome=verdict.outcome,
            cause=verdict.cause,
            enforcement_point=request.enforcement_point,
            operation=request.operation,
            binding=request.binding,
            caller=request.caller,
            actor=request.actor,
            scope=request.scope,
            key=request.key,
            request_digest=digest(body),
            payload_digest=seen.payload_digest,
            context_digest=digest(context),
            findings=verdict.findings,
            bundle=self.bundle.ref,
            engine=self.engine.name,
            portreeve_version=VERSION,
            duration_ms=round((time.perf_counter() - seen.started) * 1000),
            resources=summarise(resolved),
            not_covered=request.not_covered,
            irrelevant=request.irrelevant,
        )
        return Entry(
            decision=decision,
            request=body,
            context=context,
            resolved_digest=digest(seen.document) if seen.document else "",
            # Only an admission uid is a nonce; the same plan may be checked again after a change.
            # A failure of ours is no answer to keep: the API server sends the same uid again.
            unique=request.enforcement_point is EnforcementPoint.KUBERNETES
            and request.binding in {Binding.BINDING, Binding.DRY_RUN}
            and verdict.cause not in {Cause.ERROR, Cause.BUSY},
        )

    async def _record(self, entry: Entry, *, seconds: float) -> Decision:
        hint = "The request was refused; send it again or see `/readyz`."
        kept = await recorded(self.log, entry, seconds=seconds, hint=hint)
        _LOG.info(
            "decision",
            decision_id=kept.decision_id,
            kind=kept.kind,
            key=kept.key,
            enforcement_point=kept.enforcement_point.value,
            binding=kept.binding.value,
            outcome=kept.outcome.value,
            cause=kept.cause.value,
            codes=sorted({finding.code for finding in kept.findings}),
            caller=kept.caller,
            bundle=kept.bundle.revision,
            duration_ms=kept.duration_ms,
            repeated=kept.decision_id != entry.decision.decision_id,
        )
        return kept


def _is_same_question(kept: Decision, decision: Decision) -> bool:
    """Whether two decisions with one key are about the same request."""
    if kept.request_digest == decision.request_digest:
        return True
    return kept.payload_digest is not None and (kept.payload_digest, kept.scope, kept.caller) == (
        decision.payload_digest,
        decision.scope,
        decision.caller,
    )


def _apart(entry: Entry, kept: Decision) -> Entry:
    """*entry*, whose key is that of *kept* and whose request is another one, as its own record.

    A key that is used again for something else is no repetition, and is refused: its answer would
    be about a request that nobody decided. Another release may read the same body into another
    request, so where one decided the digests say nothing, and the request is decided for itself.
    """
    if kept.portreeve_version != entry.decision.portreeve_version:
        return replace(entry, unique=False)
    verdict = refusal(
        RequestRefused(
            f"uid `{kept.key}` was used for another request, decision `{kept.decision_id}`",
            code="SYS-UID-REUSED",
        )
    )
    changed = {
        "outcome": verdict.outcome,
        "cause": verdict.cause,
        "findings": verdict.findings,
    }
    return replace(entry, decision=entry.decision.model_copy(update=changed), unique=False)


def _as_it_was(resource: Resource) -> Resource:
    """The resource as though its former state were asked for now, to find what is not new."""
    state = {name: getattr(resource.before, name) for name in ResourceState.model_fields}
    return resource.model_copy(update={**state, "before": None, "change": Change.CREATE})


def stamp(moment: datetime) -> str:
    """*moment* (with a time zone) as records carry it: RFC 3339 in UTC, with milliseconds."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
