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
from typing import TYPE_CHECKING, Self

import structlog

from service.errors import EvaluationFailed
from service.evaluate import failures
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


@dataclass(eq=False, slots=True)
class _Job:
    """A request on its way: waiting, or with an evaluator.

    Attributes:
        body: The request as JSON.
        seconds: What it may take in all.
        answer: The findings as JSON; done before the evaluator is, if the client is gone.
        timer: Stops it at its deadline.
        evaluator: Who has it.
    """

    body: bytes
    seconds: float
    answer: asyncio.Future[bytes]
    timer: asyncio.TimerHandle | None = None
    evaluator: Evaluator | None = None

    def fail(self, error: EvaluationFailed) -> None:
        """Give *error* to whoever still waits."""
        if self.timer is not None:
            self.timer.cancel()
        if not self.answer.done():
            self.answer.set_exception(error)


@dataclass(slots=True)
class _Pool:
    """The processes: all, those that took on the bundle, and those with nothing to do."""

    started: set[Evaluator] = field(default_factory=set)
    live: set[Evaluator] = field(default_factory=set)
    idle: list[Evaluator] = field(default_factory=list)
    jobs: dict[Evaluator, _Job] = field(default_factory=dict)
    waiting: deque[_Job] = field(default_factory=deque)
    refills: set[asyncio.Task[None]] = field(default_factory=set)


class EmbeddedEngine:
    """Evaluates one bundle in processes of this machine; made by ``start``."""

    def __init__(self, bundle: Bundle, *, memory_mib: int, load_seconds: float) -> None:
        steps = take_apart(bundle.modules)
        self._rules = steps.rules
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
        for left in (*pool.waiting, *pool.jobs.values()):
            left.fail(failures.unavailable("the engine is closing"))
        pool.waiting.clear()
        pool.jobs.clear()
        pool.idle.clear()
        pool.live.clear()
        await asyncio.gather(*(evaluator.stop() for evaluator in pool.started))
        pool.started.clear()

    async def _ask(self, body: bytes, seconds: float) -> bytes:
        pool = self._pool
        if self._closed:
            raise failures.unavailable("the engine is closed")
        if self._failing and not pool.live:
            raise failures.unavailable("no evaluator can be started")
        loop = asyncio.get_running_loop()
        asked = _Job(body, seconds, loop.create_future())
        asked.timer = loop.call_later(seconds, self._stop_overdue, asked)
        if pool.idle:
            self._give(pool.idle.pop(), asked)
        else:
            pool.waiting.append(asked)
        try:
            return await asked.answer
        except asyncio.CancelledError:
            # Evaluated to its end or its deadline where it has begun; else nobody starts it.
            if asked.evaluator is None:
                asked.timer.cancel()
                with contextlib.suppress(ValueError):
                    pool.waiting.remove(asked)
            raise

    def _give(self, evaluator: Evaluator, asked: _Job) -> None:
        asked.evaluator = evaluator
        self._pool.jobs[evaluator] = asked
        evaluator.ask(asked.body)

    def _free(self, evaluator: Evaluator) -> None:
        if self._pool.waiting:
            self._give(evaluator, self._pool.waiting.popleft())
        else:
            self._pool.idle.append(evaluator)

    def _take(self, evaluator: Evaluator, answer: bytes) -> None:
        """An evaluator answered."""
        asked = self._pool.jobs.pop(evaluator, None)
        if asked is None:
            evaluator.kill()
            return
        if answer[:1] != b"R":
            error = failures.reported(answer[1:], self._rules)
            asked.fail(error)
            if error.code in _UNTRUSTED:
                evaluator.kill()
                self._replace(evaluator, error.code)
            elif evaluator in self._pool.live:
                self._free(evaluator)
            return
        if asked.timer is not None:
            asked.timer.cancel()
        if not asked.answer.done():
            asked.answer.set_result(answer[1:])
        self._pool.live.add(evaluator)
        self._free(evaluator)

    def _stop_overdue(self, asked: _Job) -> None:
        evaluator = asked.evaluator
        if evaluator is None:
            with contextlib.suppress(ValueError):
                self._pool.waiting.remove(asked)
            asked.fail(failures.not_begun(asked.seconds))
            return
        # An answer that is already on its way finds nobody waiting.
        self._pool.jobs.pop(evaluator, None)
        asked.fail(failures.overdue(self._rules, evaluator.running, asked.seconds))
        evaluator.kill()
        self._replace(evaluator, "deadline")

    def _lose(self, evaluator: Evaluator, end: End) -> None:
        """An evaluator is gone."""
        pool = self._pool
        asked = pool.jobs.pop(evaluator, None)
        if asked is not None:
            asked.fail(failures.ended(end, self._rules))
        pool.started.discard(evaluator)
        self._replace(evaluator, "ended")

    def _replace(self, evaluator: Evaluator, why: str) -> None:
        """Start another one in the background, once for each that was live."""
        pool = self._pool
        if evaluator not in pool.live or self._closed:
            return
        pool.live.discard(evaluator)
        if evaluator in pool.idle:
            pool.idle.remove(evaluator)
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
        self._pool.started.add(evaluator)
        loop = asyncio.get_running_loop()
        warm_up = _Job(_WARM_UP, self._load_seconds, loop.create_future())
        try:
            await evaluator.start(self._load)
            warm_up.timer = loop.call_later(self._load_seconds, self._stop_overdue, warm_up)
            self._give(evaluator, warm_up)
            await warm_up.answer
        except BaseException as error:
            warm_up.fail(failures.unavailable("the evaluator was not started"))
            self._pool.jobs.pop(evaluator, None)
            evaluator.kill()
            if isinstance(error, OSError):
                why = f"an evaluator cannot be started: {error.strerror}"
                raise failures.unavailable(why) from error
            raise
