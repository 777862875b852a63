"""What an OPA server answers, as values and as our errors."""

from __future__ import annotations

import json
from typing import Any

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from service.errors import DeadlineExceeded, EvaluationFailed
from service.evaluate.failures import unavailable
from service.evaluate.reading import explain, no_findings, refuse_undefined
from service.model.finding import Finding

BUNDLE_CODE = "SYS-BUNDLE-REVISION"


class _Served(BaseModel):
    revision: str = ""


class _Provenance(BaseModel):
    version: str = ""
    bundles: dict[str, _Served] = {}


class OpaAnswer(BaseModel):
    """An answer of the Data API (https://www.openpolicyagent.org/docs/rest-api#data-api)."""

    model_config = ConfigDict(extra="ignore")

    result: tuple[Finding, ...] | None = None
    provenance: _Provenance = _Provenance()


_ANSWER = TypeAdapter(OpaAnswer)


def read_answer(status: int, raw: bytes) -> OpaAnswer:
    """The answer in *raw*; it has a result.

    Raises:
        EngineUnavailable: OPA will not answer us now.
        EvaluationFailed: The evaluation failed, or there is no result that could be read.
    """
    if status != 200:
        raise _refused(status, raw)
    refuse_undefined(raw)
    try:
        answer = _ANSWER.validate_json(raw, strict=True)
    except ValidationError as error:
        raise no_findings(explain(error)) from error
    if answer.result is None:
        raise no_findings("OPA has no `result` for the entry rule")
    return answer


def name_of(digest: str, raw: bytes) -> str | None:
    """The name under which OPA serves the bundle with *digest*, if it does.

    Args:
        digest: Of the bundle, as its manifest states it.
        raw: OPA's ``data.system.bundles``.
    """
    try:
        served = json.loads(raw)["result"].items()
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    for name, bundle in served:
        if _at(bundle, "manifest", "metadata", "digest") == digest:
            return str(name)
    return None


def wrong_bundle(found: str, expected: str) -> EvaluationFailed:
    """The refusal of an answer by other rules than those that the decision would name."""
    return EvaluationFailed(
        f"OPA serves {found}, expected `{expected}`",
        hint="Load the same bundle into OPA and into this service.",
        code=BUNDLE_CODE,
    )


def slow(seconds: float) -> DeadlineExceeded:
    """What is said when OPA does not answer in time; it does not tell which rule it is at."""
    return DeadlineExceeded(
        f"OPA gave no answer within {seconds:.3g} s",
        hint="The request was refused; send it again or see `/readyz`.",
    )


def _refused(status: int, raw: bytes) -> EvaluationFailed:
    if status in {401, 403}:
        return unavailable(f"OPA refuses our token (status {status})")
    if status in {429, 502, 503, 504}:
        return unavailable(f"OPA cannot answer now (status {status})")
    try:
        answer = json.loads(raw)
    except (ValueError, RecursionError):
        answer = None
    errors = _at(answer, "errors")
    first = errors[0] if isinstance(errors, list) and errors else None
    file, row = _at(first, "location", "file"), _at(first, "location", "row")
    where = f" at `{file}:{row}`" if file else ""
    why = _at(first, "message") or _at(answer, "message") or f"status {status}"
    text = " ".join("".join(c if c.isprintable() else " " for c in str(why)).split())[:200]
    return EvaluationFailed(
        f"the rules failed{where}: {text}",
        hint="The request was refused; the rule has to be corrected in the bundle.",
    )


def _at(value: Any, *keys: str) -> Any:
    for key in keys:
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value
