"""An entry as the rows that will stand for it, made before it waits for the writer."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import NamedTuple

from pydantic import TypeAdapter

from service.errors import LogUnavailable
from service.log.entry import Entry
from service.model.decision import DecidedResource, Decision
from service.model.finding import JudgedFinding
from service.store.packing import pack, unpack
from service.store.statements import Row

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LARGEST_INTEGER = 2**63 - 1
DECISION = TypeAdapter(Decision)


class Prepared(NamedTuple):
    """One entry, ready to be inserted; rows lack only the number that the writer gives.

    It holds plain values only, so that it can be sent to another process as it is.

    Attributes:
        decision_id: Its decision's id.
        repetition: Identifies the question where it must be recorded once; else ``None``.
        row: The row of ``decisions`` without ``seq``.
        body: Stored form of the decision, which is in the row too.
        resources: Rows of ``decision_resources`` without ``decision``.
        findings: Rows of ``findings`` without ``decision``.
        request: Digest and stored form of the request; ``None`` for a rejected input.
        size: About how many bytes wait in memory.
    """

    decision_id: str
    repetition: bytes | None
    row: Row
    body: bytes
    resources: tuple[Row, ...]
    findings: tuple[Row, ...]
    request: tuple[bytes, bytes] | None
    size: int


def prepare(entry: Entry) -> Prepared:
    """The rows of *entry*.

    Raises:
        LogUnavailable: The decision's time cannot be read, or its text cannot be encoded.
    """
    decision = entry.decision
    try:
        text = DECISION.dump_json(decision)
        time = micros(datetime.fromisoformat(decision.time))
    except (ValueError, TypeError) as error:
        raise LogUnavailable(
            f"decision `{decision.decision_id}` cannot be recorded: {error}"
        ) from error
    request = (sha256(entry.request).digest(), pack(entry.request)) if entry.request else None
    repetition = _repetition(decision) if entry.unique else None
    body = pack(text)
    return Prepared(
        decision.decision_id,
        repetition,
        (
            *_columns(decision, time),
            entry.resolved_digest,
            *_origin(decision),
            repetition,
            request and request[0],
            body,
            pack(entry.context) if entry.context else None,
        ),
        body,
        tuple(_resource(n, resource) for n, resource in enumerate(decision.resources)),
        tuple(_finding(n, finding) for n, finding in enumerate(decision.findings)),
        request,
        len(text) + len(entry.request) + len(entry.context),
    )


def restore(body: bytes) -> Decision:
    """The decision whose stored form is *body*.

    Raises:
        ValueError: The body is damaged, or was written by a release that knows more fields.
    """
    return DECISION.validate_json(unpack(body))


def first_decision(body: bytes) -> Decision:
    """The decision that stands for a repeated question.

    Raises:
        LogUnavailable: It cannot be read back.
    """
    try:
        return restore(body)
    except ValueError as error:
        raise LogUnavailable(
            "a decision on the same question is recorded, but cannot be read",
            hint="It may have been written by a newer release; see `portreeve audit query`.",
        ) from error


def micros(time: datetime) -> int:
    """Microseconds from 1970 to *time*.

    Raises:
        TypeError: *time* has no offset.
    """
    return (time - EPOCH) // timedelta(microseconds=1)


def _repetition(decision: Decision) -> bytes:
    question = [decision.enforcement_point, decision.key]
    return sha256(json.dumps(question).encode()).digest()


def _columns(decision: Decision, time: int) -> Row:
    scope = decision.scope
    return (
        decision.decision_id,
        decision.kind,
        time,
        decision.outcome.value,
        decision.cause.value,
        decision.enforcement_point.value,
        decision.operation,
        decision.binding.value,
        decision.caller,
        decision.actor.name,
        scope.cluster,
        scope.namespace,
        scope.account,
        scope.project,
        scope.workspace,
        decision.key,
        decision.request_digest,
        decision.context_digest,
    )


def _origin(decision: Decision) -> Row:
    bundle = decision.bundle
    return (
        bundle.name,
        bundle.revision,
        bundle.digest,
        decision.engine,
        decision.portreeve_version,
        decision.duration_ms,
    )


def _resource(n: int, resource: DecidedResource) -> Row:
    cost = resource.cost
    return (
        n,
        resource.address,
        resource.subject,
        resource.kind,
        resource.role.value,
        resource.change.value,
        resource.covered_by and resource.covered_by.uid,
        resource.team,
        resource.vendor,
        resource.region,
        resource.instance_type,
        *_accelerators(resource),
        cost and cost.micros_per_hour,
        cost and cost.currency,
        cost and cost.basis.value,
    )


def _accelerators(resource: DecidedResource) -> tuple[str | None, int | None]:
    """Models and largest total; ``None`` where either is not known."""
    entries = resource.accelerators
    if entries is None:
        return None, None
    models = dict.fromkeys(entry.model for entry in entries if entry.model is not None)
    totals = [entry.total.max for entry in entries if entry.total.max is not None]
    known = len(totals) == len(entries)
    return ",".join(models) or None, min(sum(totals), LARGEST_INTEGER) if known else None


def _finding(n: int, finding: JudgedFinding) -> Row:
    return (
        n,
        finding.code,
        finding.mode.value,
        finding.severity.value,
        finding.resource,
        bool(finding.undetermined),
        finding.waived_by,
    )
