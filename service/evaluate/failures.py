"""What is told about an evaluation that gave no findings: which rule, and why."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from service.bundle.linking import LINKED_PATH
from service.errors import DeadlineExceeded, EngineUnavailable, EvaluationFailed
from service.evaluate.reading import no_findings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service.bundle.linking import Linked
    from service.evaluate.process import End

PANIC_CODE = "SYS-ENGINE-PANIC"
MEMORY_CODE = "SYS-ENGINE-MEMORY"

_PLACE = re.compile(r"--> (?P<path>\S+):(?P<line>\d+):\d+")
_CAUSE = re.compile(r"^error: (?P<cause>.+)$", re.MULTILINE)
_BUNDLE_HINT = "The request was refused; the rule has to be corrected in the bundle."
_AGAIN_HINT = "The request was refused; send it again, or see the service's log."
_SIZE_HINT = "Split the request, or raise the memory limit of evaluators."


def named(rules: Sequence[str], number: int) -> str:
    """The rule with *number*, counted from 1, as messages name it; 0 is none."""
    return f"`{rules[number - 1]}`" if 0 < number <= len(rules) else "no rule"


def reported(answer: bytes, rules: Sequence[str], linked: Linked | None = None) -> EvaluationFailed:
    """What an evaluator says of a request that has no result; *linked* tells places in sources."""
    try:
        known = json.loads(answer)
        kind, rule, message = known["kind"], known["rule"], known["message"]
    except (ValueError, KeyError, TypeError):
        return no_findings("the evaluator's answer cannot be read")
    where = named(rules, rule) if rule else "the request or the bundle"
    if kind == "memory":
        return out_of_memory(rules, rule)
    if kind == "panic":
        return EvaluationFailed(
            f"the engine broke off in {where}: {_cut(message)}", hint=_AGAIN_HINT, code=PANIC_CODE
        )
    if kind == "size":
        return no_findings(f"it is too large ({message})")
    return EvaluationFailed(f"{where} failed: {_explained(message, linked)}", hint=_BUNDLE_HINT)


def ended(end: End, rules: Sequence[str]) -> EvaluationFailed:
    """What is said of a request whose evaluator ended before it answered."""
    # Rust's allocator prints this and aborts; there is no error to catch.
    if "memory allocation of" in end.printed:
        return out_of_memory(rules, end.rule)
    return EvaluationFailed(
        f"the evaluator ended while {named(rules, end.rule)} was running",
        hint=_AGAIN_HINT,
        code=PANIC_CODE,
    )


def out_of_memory(rules: Sequence[str], number: int) -> EvaluationFailed:
    """What is said of a request that needs more memory than an evaluator may take."""
    return EvaluationFailed(
        f"the evaluator reached its memory limit while {named(rules, number)} was running",
        hint=_SIZE_HINT,
        code=MEMORY_CODE,
    )


def overdue(rules: Sequence[str], number: int, seconds: float) -> DeadlineExceeded:
    """What is said of a request that was stopped after *seconds*."""
    return DeadlineExceeded(
        f"the rules gave no answer within {seconds:.3g} s; {named(rules, number)} was running",
        hint=_BUNDLE_HINT,
    )


def not_begun(seconds: float) -> DeadlineExceeded:
    """What is said of a request that no evaluator was free for."""
    return DeadlineExceeded(
        f"no evaluator was free within {seconds:.3g} s", hint="Send the request again."
    )


def unavailable(why: str) -> EngineUnavailable:
    """What is said when there is nothing to ask."""
    return EngineUnavailable(why, hint="Send the request again, or see `/readyz`.")


def _explained(message: str, linked: Linked | None) -> str:
    """The engine's report in one line, without its drawing and its stack."""
    report = message.partition("Stack backtrace")[0]
    place, cause = _PLACE.search(report), _CAUSE.search(report)
    why = _cut(cause["cause"] if cause else report)
    if place is None:
        return why
    path, line = place["path"], int(place["line"])
    if linked is not None and path == LINKED_PATH:
        path, line = linked.place(line)
    return f"{why} ({path}:{line})"


def _cut(text: str) -> str:
    printable = "".join(letter if letter.isprintable() else " " for letter in text)
    return " ".join(printable.split())[:200] or "no reason given"
