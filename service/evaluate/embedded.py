"""The embedded engine: regorus' interpreter in a small pool of killable processes.

The interpreter cannot be stopped from outside, holds Python's lock while it works, may panic and
may abort the process it runs in. So it works in processes of its own, one request at a time each;
one that overruns its request's deadline is killed, and each that ends is followed by a fresh one.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import deque
from dataclasses import dataclass, field
from importlib.metadata import version
from itertools import chain
from typing import TYPE_CHECKING, Self

import structlog

from service.errors import EvaluationFailed
from service.evaluate import failures
from service.evaluate.line import SLOW_SECONDS, Job, Line
from service.evaluate.process import End, Evaluator, Load, job
from service.evaluate.reading import RESULT_CODE, read_findings
from service.evaluate.steps import take_apart
from service.model.base import Binding, EnforcementPoint
from service.model.request import Request

if TYPE_CHECKING:
    from service.bundle.values import Bundle
    from service.model.finding import Finding

_LOG = structlog.get_logger("portreeve")
_NAME = f"regorus {version('gordon-to-regorus')}"
_LONGEST_PAUSE = 5.0
# After these the evaluator's state is not what its bundle made it.
_UNTRUSTED = frozenset((failures.PANIC_CODE, failures.MEMORY_CODE, RESULT_CODE))
_NOTHING = Request(
    key="", enforcement_point=EnforcementPoint.API, operation="warm-up", binding=Binding.SCAN
)
_WARM_UP = _NOTHING.model_dump_json().encode()


@dataclass(slots=True)
class _Pool:
    """The processes: all with what they were asked, and those that took on the bundle."""

    lines: dict[Evaluator, Line] = field(default_factory=dict)
    live: set[Evaluator] = field(default_factory=set)
    waiting: deque[Job] = field(default_factory=deque)
    refills: set[asyncio.Task[None]] = field(default_factory=set)
    relief: asyncio.TimerHandle | None = None


class EmbeddedEngine:
    """Evaluates one bundle in processes of this machine; made by ``start``."""

    def __init__(self, bundle: Bundle, *, memory_mib: int, load_seconds: float) -> None:
        steps = take_apart(bundle.modules, bundle.linked)
        self._rules = steps.rules
        self._linked = bundle.linked
        self._rulebook = bundle.rulebook
        self._load = Load(
            job=job(dict(steps.modules), steps.queries),
            data=json.dumps(bundle.data).encode(),
            memory_mib=memory_mib,
        )
        self._load_seconds = load_seconds
        self._pool = _Pool()
        self._failing = False
        self._closed = False

    @classmethod
    async def start(
        cls,
        bundle: Bundle,
        *,
        workers: int = 2,
        memory_mib: int = 512,
        load_seconds: float = 30,
    ) -> Self:
        """An engine with all its evaluators ready.

        Args:
            bundle: What they evaluate.
            workers: How many requests are evaluated at the same time.
            memory_mib: Address space of each evaluator; about 60 MiB of it are taken at the start.
            load_seconds: How long one may take to load the bundle.

        Raises:
            EvaluationFailed: The bundle does not load, or processes cannot be started.
        """
        engine = cls(bundle, memory_mib=memory_mib, load_seconds=load_seconds)
        try:
            async with asyncio.TaskGroup() as starting:
                for _ in range(workers):
                    starting.create_task(engine._start_evaluator())
        except BaseException as error:
            await engine.close()
            if isinstance(error, BaseExceptionGroup):
                raise error.exceptions[0] from error
            raise
        return engine

    @property
    def name(self) -> str:
        """Name and version, as decisions record them."""
        return _NAME

    async def evaluate(
        self, request: Request, *, seconds: float, document: bytes = b""
    ) -> tuple[Finding, ...]:
        """Every finding about *request*; see ``Engine``. Waiting for an evaluator counts too."""
        raw = await self._ask(document or request.model_dump_json().encode(), seconds)
        return read_findings(raw, request, self._rulebook)

    async def ready(self) -> bool:
        """Whether an evaluator is there."""
        return bool(self._pool.live) and not self._closed

    async def close(self) -> None:
        """End all evaluators; what still waits for an answer is refused."""
        self._closed = True
        pool = self._pool
        for refill in pool.refills:
            refill.cancel()
        await asyncio.gather(*pool.refills, return_exceptions=True)
        for left in (*pool.waiting, *chain(*(line.clear() for line in pool.lines.values()))):
            left.fail(failures.unavailable("the engine is closing"))
        if pool.relief is not None:
            pool.relief.cancel()
        pool.waiting.clear()
        pool.live.clear()
        await asyncio.gather(*(evaluator.stop() for evaluator in pool.lines))
        pool.lines.clear()

    async def _ask(self, body: bytes, seconds: float) -> bytes:
        pool = self._pool
        if self._closed:
            raise failures.unavailable("the engine is closed")
        if self._failing and not pool.live:
            raise failures.unavailable("no evaluator can be started")
        loop = asyncio.get_running_loop()
        asked = Job(body, seconds, loop.create_future())
        asked.timer = loop.call_later(seconds, self._stop_overdue, asked)
        pool.waiting.append(asked)
        self._distribute()
        try:
            return await asked.answer
        except asyncio.CancelledError:
            # Evaluated to its end or its deadline where it was sent; else nobody starts it.
            if asked.line is None:
                asked.timer.cancel()
                with contextlib.suppress(ValueError):
                    pool.waiting.remove(asked)
            raise

    def _distribute(self) -> None:
        """Send what waits, in its order, to whoever has least to do."""
        pool = self._pool
        now = asyncio.get_running_loop().time()
        while pool.waiting and pool.live:
            evaluator = min(pool.live, key=lambda one: len(pool.lines[one]))
            if not pool.lines[evaluator].has_room(pool.waiting[0], now):
                return
            self._send(evaluator, pool.waiting.popleft(), now)

    def _send(self, evaluator: Evaluator, asked: Job, now: float) -> None:
        line = self._pool.lines[evaluator]
        evaluator.ask(line.add(asked, now), asked.body)
        if len(line) > 1 and self._pool.relief is None:
            self._relieve_later()

    def _relieve_later(self) -> None:
        loop = asyncio.get_running_loop()
        self._pool.relief = loop.call_later(SLOW_SECONDS, self._relieve)

    def _relieve(self) -> None:
        """Take back what waits behind a request that takes long; stop what nobody waits for."""
        pool = self._pool
        now = asyncio.get_running_loop().time()
        for evaluator, line in list(pool.lines.items()):
            if line.is_slow(now) and line.is_abandoned:
                self._give_up(evaluator, "abandoned")
            elif line.is_slow(now):
                pool.waiting.extendleft(reversed(line.withdraw()))
        self._distribute()
        pool.relief = None
        if any(len(line) > 1 or line.is_abandoned for line in pool.lines.values()):
            self._relieve_later()

    def _take(self, evaluator: Evaluator, number: int, answer: bytes) -> None:
        """An evaluator answered."""
        pool = self._pool
        line = pool.lines.get(evaluator)
        if line is None:
            return
        try:
            asked = line.take(number, asyncio.get_running_loop().time())
        except LookupError:
            self._give_up(evaluator, "answer")
            return
        if answer[:1] != b"R":
            error = failures.reported(answer[1:], self._rules, self._linked)
            if asked is not None:
                asked.fail(error)
            if error.code in _UNTRUSTED:
                self._give_up(evaluator, error.code)
                return
        else:
            pool.live.add(evaluator)
            if asked is not None:
                if asked.timer is not None:
                    asked.timer.cancel()
                if not asked.answer.done():
                    asked.answer.set_result(answer[1:])
        if pool.waiting:
            self._distribute()

    def _stop_overdue(self, asked: Job) -> None:
        line = asked.line
        asked.overdue = True
        if line is None or line.first is not asked:
            with contextlib.suppress(ValueError):
                self._pool.waiting.remove(asked)
            asked.fail(failures.not_begun(asked.seconds))
            return
        evaluator = next(one for one, own in self._pool.lines.items() if own is line)
        asked.fail(failures.overdue(self._rules, evaluator.running, asked.seconds))
        self._give_up(evaluator, "deadline")

    def _give_up(self, evaluator: Evaluator, why: str) -> None:
        """Kill an evaluator, and have another one do what was behind the request that is done."""
        pool = self._pool
        behind = [job for job in pool.lines[evaluator].clear() if not job.answer.done()]
        evaluator.kill()
        self._replace(evaluator, why)
        pool.waiting.extendleft(reversed(behind))
        self._distribute()

    def _lose(self, evaluator: Evaluator, end: End) -> None:
        """An evaluator is gone."""
        # Only the first one was begun, and it may be what ended the evaluator.
        if (begun := self._pool.lines[evaluator].first) is not None:
            begun.fail(failures.ended(end, self._rules))
        self._give_up(evaluator, "ended")
        del self._pool.lines[evaluator]

    def _replace(self, evaluator: Evaluator, why: str) -> None:
        """Start another one in the background, once for each that was live."""
        pool = self._pool
        if evaluator not in pool.live or self._closed:
            return
        pool.live.discard(evaluator)
        rule = failures.named(self._rules, evaluator.running)
        _LOG.warning("evaluator_replaced", why=why, rule=rule, pid=evaluator.pid)
        refill = asyncio.get_running_loop().create_task(self._refill())
        pool.refills.add(refill)
        refill.add_done_callback(pool.refills.discard)

    async def _refill(self) -> None:
        """Start one evaluator, with growing pauses while that fails."""
        pause = 0.05
        while True:
            try:
                await self._start_evaluator()
            except EvaluationFailed as error:
                self._failing = True
                _LOG.error("evaluator_not_started", error=error.message, pause_seconds=pause)
                await asyncio.sleep(pause)
                pause = min(_LONGEST_PAUSE, pause * 2)
            else:
                self._failing = False
                return

    async def _start_evaluator(self) -> None:
        """Start one and have it evaluate a request about nothing, which compiles the bundle."""
        evaluator = Evaluator(self._take, self._lose)
        self._pool.lines[evaluator] = Line()
        loop = asyncio.get_running_loop()
        warm_up = Job(_WARM_UP, self._load_seconds, loop.create_future())
        try:
            await evaluator.start(self._load)
            warm_up.timer = loop.call_later(self._load_seconds, self._stop_overdue, warm_up)
            self._send(evaluator, warm_up, loop.time())
            await warm_up.answer
        except BaseException as error:
            warm_up.fail(failures.unavailable("the evaluator was not started"))
            evaluator.kill()
            if isinstance(error, OSError):
                why = f"an evaluator cannot be started: {error.strerror}"
                raise failures.unavailable(why) from error
            raise
