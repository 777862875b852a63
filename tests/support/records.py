"""Entries for tests of the decision log, as a refused Deployment leaves them."""

from __future__ import annotations

import hashlib
import json
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

from service.log.entry import Entry
from service.model.base import Basis, Binding, Change, EnforcementPoint, Range, Role, Scope
from service.model.decision import (
    BundleRef,
    Cause,
    DecidedAccelerator,
    DecidedCost,
    DecidedResource,
    Decision,
    Outcome,
)
from service.model.finding import JudgedFinding, Mode, Severity
from service.model.request import Actor, ActorKind

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


def digest(body: bytes) -> str:
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


def resource(n: int = 0, *, team: str | None = "vision", vendor: str | None = "gcp") -> Any:
    return DecidedResource(
        address=f"Deployment prod/llama-{n}",
        subject=f"Deployment/prod/llama-{n}",
        kind="Deployment",
        role=Role.WORKLOAD,
        change=Change.CREATE,
        vendor=vendor,
        region="europe-west4",
        accelerators=(DecidedAccelerator(model="nvidia-l4", total=Range(min=2, max=8)),),
        cost=DecidedCost(micros_per_hour=5_600_000, currency="USD", basis=Basis.LIST),
        team=team,
    )


def finding(code: str = "GPU-002", *, undetermined: tuple[str, ...] = ()) -> JudgedFinding:
    return JudgedFinding(
        code=code,
        mode=Mode.ENFORCE,
        severity=Severity.HIGH,
        resource="Deployment prod/llama-0",
        title="The model fits the memory of one copy",
        message="`Deployment prod/llama-0` needs 132 GiB; 1 x NVIDIA-L4 has 22 GiB usable",
        remedy="Use 8 x NVIDIA-L4 or 2 x NVIDIA-H100, or a smaller precision.",
        facts={"needed_gib": 132, "usable_gib": 22, "accelerator": "NVIDIA-L4"},
        undetermined=undetermined,
    )


def entry(key: str | None = None, *, unique: bool = False, at: int = 0, **changes: Any) -> Entry:
    """An entry *at* so many seconds after noon; without a key it is a question of its own."""
    key = secrets.token_hex(8) if key is None else key
    request = json.dumps({"key": key, "resources": [], "labels": {"app": "llama"}}).encode()
    context = json.dumps({"now": "2026-05-04T12:00:00Z"}).encode()
    values: dict[str, Any] = {
        "decision_id": secrets.token_hex(16),
        "time": (NOON + timedelta(seconds=at)).isoformat().replace("+00:00", "Z"),
        "outcome": Outcome.DENY,
        "cause": Cause.POLICY,
        "enforcement_point": EnforcementPoint.KUBERNETES,
        "operation": "create",
        "binding": Binding.BINDING,
        "caller": "api-server",
        "actor": Actor(name="ada", groups=("ml",), kind=ActorKind.PERSON),
        "scope": Scope(cluster="prod-eu", namespace="prod"),
        "key": key,
        "request_digest": digest(request),
        "context_digest": digest(context),
        "findings": (finding(),),
        "bundle": BundleRef(name="example", revision="1", digest=digest(b"bundle")),
        "engine": "regorus 0.13.0",
        "portreeve_version": "0.1.0",
        "duration_ms": 2,
        "resources": (resource(),),
    }
    decision = Decision(**(values | changes))
    return Entry(decision, request, context, digest(b"resolved"), unique)


def rejected(raw: bytes = b"{", *, at: int = 0) -> Entry:
    """An entry for an input that could not be read."""
    made = entry(
        "",
        at=at,
        kind="rejected",
        cause=Cause.ERROR,
        request_digest=digest(raw),
        context_digest="",
        findings=(),
        resources=(),
    )
    return Entry(made.decision)
