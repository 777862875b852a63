"""One thing somebody asked for, in a form that names no vendor."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from service.model.base import (
    Binding,
    Count,
    EnforcementPoint,
    Role,
    Scope,
    Signed,
    Text,
    Value,
)
from service.model.resource import Resource

SCHEMA_VERSION = 1


class ActorKind(StrEnum):
    """What kind of account asked."""

    PERSON = "person"
    SERVICE_ACCOUNT = "service_account"
    NODE = "node"
    SYSTEM = "system"
    UNKNOWN = "unknown"


class Actor(Value):
    """Who the enforcement point says asked."""

    name: Text | None = None
    groups: tuple[Text, ...] = ()
    kind: ActorKind = ActorKind.UNKNOWN


class NotCovered(Value):
    """An item that might take accelerators, money or data and that no adapter understands."""

    address: Text
    kind: Text


class Total(Value):
    """What a request changes for one team, role and currency, per hour.

    ``firm`` sums costs whose basis is ``contract`` or ``list``, ``estimated`` all others that have
    a price. Amounts are after minus before at the largest size, in millionths of ``currency``;
    ``unpriced`` are the addresses of resources that could not be priced.
    """

    team: Text | None = None
    role: Role
    currency: Text
    firm_micros_per_hour: Signed = 0
    estimated_micros_per_hour: Signed = 0
    accelerators: Signed = 0
    unpriced: tuple[Text, ...] = ()


class Context(Value):
    """What the service knows at the time of the request; never sent by a client.

    ``now`` is RFC 3339 in UTC.
    """

    now: Text | None = None
    totals: tuple[Total, ...] = ()


class Request(Value):
    """The unit that rules judge.

    ``key`` identifies a repetition: the same binding request with the same key gets the same
    answer. ``irrelevant`` counts items of kinds that take nothing of what is governed.
    """

    schema_version: int = Field(default=SCHEMA_VERSION, ge=SCHEMA_VERSION, le=SCHEMA_VERSION)
    key: Text
    enforcement_point: EnforcementPoint
    operation: Text
    binding: Binding
    actor: Actor = Actor()
    caller: Text = "unauthenticated"
    scope: Scope = Scope()
    resources: tuple[Resource, ...] = ()
    not_covered: tuple[NotCovered, ...] = ()
    irrelevant: Count = 0
    context: Context = Context()
