"""Compiling a bundle in a process of its own, and what its modules look like as syntax trees."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from service.errors import BundleRefused
from service.model.base import Binding, EnforcementPoint
from service.model.request import Request

if TYPE_CHECKING:
    from collections.abc import Mapping

_PROGRAM = Path(__file__).with_name("compiler.py")
_PLACE = re.compile(r"--> (?P<place>[^\s]+:\d+):\d+")
_CAUSE = re.compile(r"^error: (?P<cause>.+)$", re.MULTILINE)
_HINT = "Deeply nested literals take exponential time: move them into data, or make them flatter."


@dataclass(frozen=True)
class CompileLimits:
    """What compiling a bundle may take.

    Attributes:
        seconds: Of processor time, and about as much of a clock.
        memory_mib: Of address space.
        source_bytes: All modules together; syntax trees are some 35 times as large.
    """

    seconds: int = 5
    memory_mib: int = 2048
    source_bytes: int = 1024 * 1024


def compile_modules(
    modules: Mapping[str, str],
    data: Mapping[str, Any],
    *,
    entry: str | None,
    limits: CompileLimits | None = None,
) -> dict[str, Any]:
    """The syntax tree of every module, by path, after the whole bundle compiled.

    Args:
        modules: Rego sources by path.
        data: The documents that rules look into.
        entry: The rule that is evaluated once over a request without resources, which makes the
            engine compile everything; ``None`` to parse only.
        limits: What it may take.

    Raises:
        BundleRefused: A module does not parse or compile, or the limits were reached.
    """
    limits = limits or CompileLimits()
    size = sum(map(len, modules.values()))
    if size > limits.source_bytes:
        raise BundleRefused(
            f"the modules have {size} characters, expected {limits.source_bytes} at most"
        )
    job = {
        "modules": dict(modules),
        "data": data,
        "input": _EMPTY_REQUEST,
        "entry": entry,
        "seconds": limits.seconds,
        "memory_mib": limits.memory_mib,
    }
    try:
        done = subprocess.run(  # noqa: S603 - our own program, by its path
            [sys.executable, "-I", str(_PROGRAM)],
            input=json.dumps(job).encode(),
            capture_output=True,
            timeout=limits.seconds + 5,
            env={},
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise _too_expensive(limits) from error
    if done.returncode < 0:
        raise _too_expensive(limits)
    if done.returncode > 0:
        raise BundleRefused(f"the compiler ended with status {done.returncode}")
    answer = _answer(done.stdout)
    if "error" in answer:
        raise BundleRefused(_explained(answer["error"]))
    trees: dict[str, Any] = answer["trees"]
    return trees


def _answer(output: bytes) -> dict[str, Any]:
    try:
        answer: dict[str, Any] = json.loads(output)
    except (ValueError, RecursionError) as error:
        raise BundleRefused("the bundle is nested too deeply to be checked", hint=_HINT) from error
    return answer


def _too_expensive(limits: CompileLimits) -> BundleRefused:
    return BundleRefused(
        f"the bundle does not compile within {limits.seconds} s and {limits.memory_mib} MiB",
        hint=_HINT,
    )


def _explained(error: str) -> str:
    """The engine's report as one sentence: where, and why; without its drawing and its stack."""
    report = error.partition("Stack backtrace")[0]
    place, cause = _PLACE.search(report), _CAUSE.search(report)
    why = " ".join((cause["cause"] if cause else report).split())[:300]
    return f"{place['place'] if place else 'the bundle'}: it does not compile: {why}"


_EMPTY_REQUEST = Request(
    key="",
    enforcement_point=EnforcementPoint.API,
    operation="compile",
    binding=Binding.SCAN,
).model_dump(mode="json", by_alias=True)
