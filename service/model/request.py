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
from service.model.break_glass import BreakGlass
from service.model.cluster import ClusterFacts
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


class Usage(Value):
    """What a team takes already from one vendor in one role, as known on ``as_of``.

    ``micros_per_hour`` is in millionths of ``currency``; ``None`` where it is not known.
    """

    team: Text | None = None
    vendor: Text | None = None
    role: Role
    accelerators: Count | None = None
    micros_per_hour: Count | None = None
    currency: Text | None = None
    as_of: Text | None = None


class Holder(StrEnum):
    """Whose accelerators and money are added up."""

    ORGANISATION = "organisation"
    TEAM = "team"


class VendorUse(Value):
    """What one vendor has of a team, or of the organisation, and what a request changes there.

    ``accelerators`` and ``micros_per_hour`` are after minus before at the largest size, the latter
    in millionths of ``currency``; ``uncounted`` and ``unpriced`` are the addresses of resources of
    which that is not known, or not all of it. ``used_accelerators`` and ``used_micros_per_hour``
    are what the organisation's table ``usage`` says is taken there already; ``None`` where a row of
    it does not say. Without a ``vendor`` it is not known whose they are.
    """

    holder: Holder
    team: Text | None = None
    vendor: Text | None = None
    role: Role
    currency: Text
    accelerators: Signed = 0
    micros_per_hour: Signed = 0
    used_accelerators: Count | None = None
    used_micros_per_hour: Count | None = None
    uncounted: tuple[Text, ...] = ()
    unpriced: tuple[Text, ...] = ()


class BudgetUnit(StrEnum):
    """What a budget counts."""

    MICROS = "micros"
    ACCELERATOR_MINUTES = "accelerator_minutes"


class Asked(Value):
    """What a request adds to what counts against a budget until its period ends.

    After minus before at the largest size, in the budget's unit: the cost per hour, or the
    accelerators, times the hours that are left in the period, or in a bounded lifetime if that is
    shorter. ``firm`` rests on prices by contract and list prices, ``estimated`` on all others.
    ``uncounted`` are the addresses of resources of which the amount is not known, or not all of it:
    without a price or a largest size, in another currency, or after the end of the period.
    """

    firm: Signed = 0
    estimated: Signed = 0
    uncounted: tuple[Text, ...] = ()


class Budget(Value):
    """A budget on the request's own path; those above come before those below.

    ``path`` names it (``northwind/language``), ``ancestors`` those above it, the root first.
    ``limit`` may not be exceeded, above ``approval`` one of ``approvers`` has to agree, above
    ``soft`` people are told; ``None`` is no such threshold. ``spent`` and ``held`` are in the
    budget's unit: what was billed until ``as_of``, and what allowed requests have taken and not yet
    spent. ``period_end`` is the last day of the period in UTC, ``minutes_left`` the time to its
    end, rounded up, 0 where it is over.
    """

    path: Text
    ancestors: tuple[Text, ...] = ()
    basis: Role
    unit: BudgetUnit
    currency: Text | None = None
    period_start: Text
    period_end: Text
    minutes_left: Count
    limit: Count | None = None
    approval: Count | None = None
    approvers: tuple[Text, ...] = ()
    soft: Count | None = None
    spent: Count = 0
    held: Count = 0
    as_of: Text | None = None
    version: Count = 0
    asked: Asked = Asked()


class Context(Value):
    """What the service knows at the time of the request; never sent by a client.

    ``now`` is RFC 3339 in UTC. ``waivers`` are what the log had open as break-glass at that time in
    the places of the request. ``cluster`` is ``None`` where nobody watches the request's cluster.
    """

    now: Text | None = None
    totals: tuple[Total, ...] = ()
    usage: tuple[Usage, ...] = ()
    by_vendor: tuple[VendorUse, ...] = ()
    budgets: tuple[Budget, ...] = ()
    waivers: tuple[BreakGlass, ...] = ()
    cluster: ClusterFacts | None = None


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
