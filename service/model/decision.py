"""The answer to a request, and the unit of the decision log (DESIGN, section 9)."""

from __future__ import annotations

from enum import StrEnum

from service.model.base import (
    Basis,
    Binding,
    Change,
    Count,
    EnforcementPoint,
    Range,
    Reason,
    Role,
    Scope,
    Text,
    Value,
)
from service.model.break_glass import BreakGlass
from service.model.finding import JudgedFinding
from service.model.request import SCHEMA_VERSION, Actor, NotCovered
from service.model.resource import CoveredBy


class Outcome(StrEnum):
    """What happens to the request."""

    ALLOW = "allow"
    WARN = "warn"
    DENY = "deny"


class Cause(StrEnum):
    """Why the outcome is what it is; ``none`` for an allowed request."""

    POLICY = "policy"
    UNDETERMINED = "undetermined"
    ERROR = "error"
    BUSY = "busy"
    NONE = "none"


class BundleRef(Value):
    """Which bundle decided; ``digest`` is ``sha256:`` and hex, of its canonical content."""

    name: Text
    revision: Text
    digest: Text


class DecidedAccelerator(Value):
    """Accelerators of a decided resource."""

    model: Text | None = None
    slice: Text | None = None
    total: Range = Range()


class DecidedCost(Value):
    """Cost of a decided resource at its largest size, in millionths of ``currency`` per hour."""

    micros_per_hour: Count | None = None
    currency: Text | None = None
    basis: Basis


class DecidedResource(Value):
    """A resource as the decision and the log show it.

    One that is ``covered_by`` another object adds nothing to what the subject takes.
    """

    address: Text
    subject: Text
    kind: Text
    role: Role
    change: Change
    covered_by: CoveredBy | None = None
    vendor: Text | None = None
    region: Text | None = None
    instance_type: Text | None = None
    nodes: Range = Range()
    accelerators: tuple[DecidedAccelerator, ...] | None = ()
    cost: DecidedCost | None = None
    team: Text | None = None
    unknown: dict[str, Reason] = {}


class Decision(Value):
    """Allow, warn or deny, with everything that led to it.

    ``time`` is RFC 3339 in UTC; digests are ``sha256:`` and hex. ``kind`` is ``rejected`` for an
    input that could not be read: ``request_digest`` is then the digest of the bytes received. It is
    ``break_glass`` for a record that opens or ends what ``break_glass`` states, as ``operation``
    says, at the order of ``caller`` and ``actor``; ``request_digest`` is then that of it.
    ``payload_digest`` is that of the bytes received, where what was read in them depends on the
    cluster as well: the same bytes are then the same request.
    """

    schema_version: int = SCHEMA_VERSION
    decision_id: Text
    kind: Text = "decision"
    time: Text
    outcome: Outcome
    cause: Cause
    enforcement_point: EnforcementPoint
    operation: Text = ""
    binding: Binding
    caller: Text
    actor: Actor
    scope: Scope = Scope()
    key: Text = ""
    request_digest: Text
    payload_digest: Text | None = None
    context_digest: Text
    findings: tuple[JudgedFinding, ...] = ()
    bundle: BundleRef
    engine: Text
    portreeve_version: Text = ""
    duration_ms: Count
    resources: tuple[DecidedResource, ...] = ()
    not_covered: tuple[NotCovered, ...] = ()
    irrelevant: Count = 0
    break_glass: BreakGlass | None = None
