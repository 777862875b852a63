"""Engines that are closed again, whatever a test did to them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from service.bundle.values import Bundle
from service.evaluate.embedded import EmbeddedEngine


@pytest.fixture
async def start() -> AsyncIterator[Callable[..., Awaitable[EmbeddedEngine]]]:
    """Starts embedded engines."""
    engines = []

    async def make(bundle: Bundle, **options: Any) -> EmbeddedEngine:
        engine = await EmbeddedEngine.start(bundle, **{"workers": 2, **options})
        engines.append(engine)
        return engine

    yield make
    for engine in engines:
        await engine.close()


@pytest.fixture
def evaluators() -> Callable[[EmbeddedEngine], list[int]]:
    """The process ids of an engine's evaluators."""
    return lambda engine: [evaluator.pid for evaluator in engine._pool.live]
