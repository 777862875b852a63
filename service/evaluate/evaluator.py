"""The program of an evaluator process: one bundle, one request at a time, within hard limits.

It is run as a file by its path, with an empty environment, and imports nothing of the project, so
that it starts fast and stays small. The engine has no step limit, panics, and aborts the process
when memory runs out: nothing of that may happen where requests are served.

Standard input is a socket to the parent; each message is a length of four bytes and a body. The
parent sends a job (:func:`main`), the data as JSON, then requests as JSON. Each request gets one
answer: ``R`` and a JSON array of findings, or ``E`` and ``{"kind", "rule", "message"}``.
Standard output and error are one shared file of *notes*: its first two bytes are the number of the
rule that is running, counted from 1 (0 for none), so that whoever kills this process can name it;
what the engine prints before it dies follows after :data:`NOTES_HEAD` bytes.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

HEADER: Final = 4
# Every message carries the number of its request, so that an answer cannot be taken for another.
NUMBER: Final = 4
NOTES_HEAD: Final = 4096
_NOTES_LIMIT: Final = 64 * 1024
_LARGEST_RESULT: Final = 64 * 1024 * 1024
_CHUNK: Final = 256 * 1024
_PR_SET_PDEATHSIG: Final = 1


class Channel:
    """Messages over a connected socket, read and written blocking."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._buffer = bytearray()
        self._number = bytes(NUMBER)

    def read(self) -> str | None:
        """The next message; ``None`` when the other side is gone."""
        buffer = self._buffer
        while len(buffer) < HEADER or len(buffer) < (end := HEADER + _length(buffer)):
            chunk = os.read(self._descriptor, _CHUNK)
            if not chunk:
                return None
            buffer += chunk
        self._number = bytes(buffer[HEADER : HEADER + NUMBER])
        text = buffer[HEADER + NUMBER : end].decode()
        del buffer[:end]
        return text

    def write(self, body: bytes) -> None:
        """Send *body* as the answer to the message that was read last."""
        length = (NUMBER + len(body)).to_bytes(HEADER, "big")
        rest = memoryview(length + self._number + body)
        while rest:
            rest = rest[os.write(self._descriptor, rest) :]


class Failed(Exception):
    """A request without a result.

    Attributes:
        kind: ``error``, ``panic``, ``memory`` or ``size``; after a panic or without memory the
            engine's state is not to be trusted.
        rule: The number of the rule that failed, 0 if none was running.
        message: The engine's own words.
    """

    def __init__(self, kind: str, rule: int, message: str) -> None:
        super().__init__(kind, rule, message)
        self.kind = kind
        self.rule = rule
        self.message = message


class Rules:
    """A bundle in the engine's interpreter, asked rule by rule.

    One query for each package costs no more than one query for all of them, and tells which one
    fails.
    """

    def __init__(
        self, engine: Any, queries: Sequence[str], running: memoryview | list[int]
    ) -> None:
        self._engine = engine
        self._queries = queries
        self._running = running

    def findings(self, request: str) -> bytes:
        """The findings of all rules about *request*, as a JSON array.

        Raises:
            Failed: There is no result.
        """
        engine, running = self._engine, self._running
        found = []
        running[0] = 0
        try:
            engine.set_input_json(request)
            for number, query in enumerate(self._queries, 1):
                running[0] = number
                result = engine.eval_rule_as_json(query)
                if result != "[]":
                    # What is no set stays as it is, for the parent to refuse.
                    found.append(result[1:-1] if result.startswith("[") else result)
        except MemoryError:
            raise Failed("memory", running[0], "") from None
        except Exception as error:  # noqa: BLE001 - the engine raises what it likes
            raise Failed("error", running[0], str(error)) from None
        except BaseException as error:  # noqa: BLE001 - a panic of the engine is no Exception
            raise Failed("panic", running[0], str(error)) from None
        finally:
            running[0] = 0
        findings = f"[{','.join(found)}]".encode()
        if len(findings) > _LARGEST_RESULT:
            raise Failed("size", 0, f"{len(findings)} bytes")
        return findings


def _length(buffer: bytearray) -> int:
    return int.from_bytes(buffer[:HEADER], "big")


def limit(which: int, amount: int) -> None:
    """Lower a resource limit of this process for good."""
    _, hard = resource.getrlimit(which)
    if hard != resource.RLIM_INFINITY:
        amount = min(amount, hard)
    resource.setrlimit(which, (amount, amount))


def die_with(parent: int) -> None:
    """Have the kernel kill this process when *parent* ends, however it ends (prctl(2))."""
    import ctypes  # noqa: PLC0415 - only the program needs it

    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        raise SystemExit


def load(job: dict[str, Any], data: str) -> Any:
    """The engine with the modules of *job* and *data*.

    Raises:
        Failed: It does not compile.
    """
    # The limits hold before this import: the engine's allocator reserves address space at once.
    import regorus  # noqa: PLC0415

    engine = regorus.Engine()
    try:
        for path, text in job["modules"].items():
            engine.add_policy(path, text)
        engine.add_data_json(data)
    except BaseException as error:  # noqa: BLE001 - a panic of the engine is no Exception
        raise Failed("error", 0, str(error)) from None
    return engine


def serve(channel: Channel, running: memoryview | list[int]) -> None:
    """Read a job and its data, then answer requests until the parent is gone.

    After a panic or without memory it ends, once the parent knows: it is then replaced.
    """
    first, data = channel.read(), channel.read()
    if first is None or data is None:
        return
    job = json.loads(first)
    try:
        rules = Rules(load(job, data), job["queries"], running)
    except Failed as failed:
        channel.write(_failure(failed))
        return
    del first, data
    while (request := channel.read()) is not None:
        try:
            answer = b"R" + rules.findings(request)
        except Failed as failed:
            channel.write(_failure(failed))
            if failed.kind in {"panic", "memory"}:
                return
            continue
        channel.write(answer)


def _failure(failed: Failed) -> bytes:
    known = {"kind": failed.kind, "rule": failed.rule, "message": failed.message[:2000]}
    return b"E" + json.dumps(known).encode()


def main() -> None:
    """Take on the limits, then serve; arguments: the parent's process id, memory in MiB."""
    import mmap  # noqa: PLC0415 - only the program needs it

    parent, memory_mib = int(sys.argv[1]), int(sys.argv[2])
    die_with(parent)
    limit(resource.RLIMIT_CORE, 0)
    limit(resource.RLIMIT_FSIZE, NOTES_HEAD + _NOTES_LIMIT)
    limit(resource.RLIMIT_AS, memory_mib * 1024 * 1024)
    running = memoryview(mmap.mmap(1, NOTES_HEAD)).cast("H")
    serve(Channel(0), running)
    os._exit(0)  # freeing a bundle's memory first would only delay the replacement


if __name__ == "__main__":
    main()
