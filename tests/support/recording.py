"""Records decisions and events until it is killed: ``recording.py LOG CALLERS here|apart``.

Each id is printed once its record is acknowledged, that of an event after ``event``;
``refused`` and the reason when it is not.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
from pathlib import Path

import structlog
from records import entry, resource
from subject_events import applied

from service.errors import LogUnavailable
from service.log.apart import write_apart
from service.log.sqlite import DecisionLogFile, Start, write_here


def say(line: str) -> None:
    os.write(1, f"{line}\n".encode())


async def record_for_ever(log: DecisionLogFile) -> None:
    while True:
        made = entry(
            unique=random.random() < 0.5,
            resources=tuple(resource(n) for n in range(random.randint(1, 40))),
        )
        try:
            kept = await log.record(made)
        except LogUnavailable as refused:
            say(f"refused {refused.message}")
            await asyncio.sleep(0.05)
        else:
            say(kept.decision_id)


async def record_events_for_ever(log: DecisionLogFile) -> None:
    while True:
        events = [applied() for _ in range(random.randint(1, 20))]
        try:
            await log.record_events(events)
        except LogUnavailable as refused:
            say(f"refused {refused.message}")
            await asyncio.sleep(0.05)
        else:
            for event in events:
                say(f"event {event.event_id}")


async def main(path: Path, callers: int, start: Start) -> None:
    log = await DecisionLogFile.open(path, start=start)
    say("open")
    decisions = (record_for_ever(log) for _ in range(callers))
    await asyncio.gather(record_events_for_ever(log), *decisions)


if __name__ == "__main__":
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    place = {"here": write_here, "apart": write_apart}[sys.argv[3]]
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]), place))
