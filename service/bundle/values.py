"""A loaded bundle and the organisation's part of it, as values.

Three owners change a bundle apart: whoever writes rules, whoever keeps the catalog, and the
organisation that states its scopes, limits, modes and waivers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any

from pydantic import Field, JsonValue

from service.bundle.baseline import BaselineRow
from service.bundle.break_glass import BreakGlassParameters
from service.bundle.budgets import BudgetRow, UsageRow
from service.bundle.controllers import ControllersParameters
from service.bundle.linking import Linked
from service.bundle.overdue import OverdueParameters
from service.bundle.parameters.budget import BudgetParameters
from service.bundle.parameters.catalog import CatalogParameters
from service.bundle.parameters.gpu import GpuParameters
from service.bundle.parameters.hygiene import HygieneParameters
from service.bundle.parameters.mutation import MutationParameters
from service.bundle.parameters.residency import DataClass, ResidencyParameters
from service.bundle.parameters.vendor import VendorParameters
from service.bundle.waivers import Waiver
from service.model.base import Count, Limit, PriceKind, Reason, Scope, Text, Value
from service.model.decision import BundleRef
from service.model.finding import Mode, Severity


class Rule(Value):
    """What METADATA says of one code: every word a person reads about it, and what feeds it.

    ``message`` and ``remedy`` hold placeholders in braces; ``{resource}`` is the address, all
    others are facts of the rule. ``remedy`` may use facts too. ``reads_request`` is true for a rule
    that judges ``input.context`` and not single resources. ``mode`` is how far its findings go
    where the organisation does not say; ``off_because`` is the reason why a bundle that takes all
    rules leaves it out unless it names the code.
    """

    code: Text
    title: str
    description: str = ""
    severity: Severity
    message: str
    remedy: str
    undetermined: str = ""
    package: str
    domain: Text
    references: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    adapters: tuple[str, ...] = ()
    reads_request: bool = False
    mode: Mode = Mode.ENFORCE
    off_because: str = ""
    deprecated: bool = False


class Limits(Value):
    """What a team may take.

    ``monthly_micros_per_request`` is in millionths of ``currency`` for 730 hours.
    """

    currency: Text = "USD"
    accelerators_per_resource: Limit = Limit()
    monthly_micros_per_request: Limit = Limit()


class ScopeRule(Value):
    """What the organisation knows about a place; all stated fields of ``match`` must be equal.

    A pattern in ``match`` may end in ``*``. Data classes are a floor: those of all matching rules
    hold together. Every other value comes from the first matching rule that states one.
    """

    match: Scope
    team: Text | None = None
    cost_center: Text | None = None
    project: Text | None = None
    environment: Text | None = None
    vendor: Text | None = None
    region: Text | None = None
    data_classes: tuple[Text, ...] = ()


class ModeRule(Value):
    """The mode of a code or a whole domain, where all stated selectors are equal.

    The five that name a place (``cluster`` to ``workspace``) may end in ``*``.
    """

    code: Text | None = None
    domain: Text | None = None
    team: Text | None = None
    environment: Text | None = None
    enforcement_point: Text | None = None
    cluster: Text | None = None
    namespace: Text | None = None
    account: Text | None = None
    project: Text | None = None
    workspace: Text | None = None
    mode: Mode


class OrgPrice(Value):
    """A price the organisation pays, before any list price.

    ``region`` ``*`` holds everywhere; ``micros_per_hour`` is of one whole instance.
    """

    vendor: Text
    instance_type: Text
    region: Text = "*"
    price_kind: PriceKind = PriceKind.ON_DEMAND
    micros_per_hour: Count
    currency: Text = "USD"


class InternalRate(Value):
    """What one accelerator costs per hour where neither a vendor nor an instance type is known."""

    accelerator: Text
    micros_per_hour: Count
    currency: Text = "USD"


class OnUnknown(Value):
    """The mode of an undetermined finding, by the reason why the value is not known."""

    after_apply: Mode = Mode.WARN
    undeclared: Mode = Mode.OBSERVE
    elsewhere: Mode = Mode.WARN
    sensitive: Mode = Mode.WARN
    not_in_catalog: Mode = Mode.WARN

    def of(self, reason: Reason) -> Mode:
        """The mode for *reason*."""
        mode: Mode = getattr(self, reason.value)
        return mode


class Org(Value):
    """Everything the organisation states, complete with defaults: no table is ever absent.

    ``own`` holds what rules of the organisation's own read, under names of its choice.
    ``waiver_days`` is how many days ahead ``portreeve waiver add`` lets a waiver end.
    """

    name: Text
    posture: Mode = Mode.WARN
    limits: Limits = Limits()
    data_classes: dict[str, DataClass] = {}
    scopes: tuple[ScopeRule, ...] = ()
    modes: tuple[ModeRule, ...] = ()
    waivers: tuple[Waiver, ...] = ()
    waiver_days: Annotated[Count, Field(ge=1, le=3650)] = 90
    baseline: tuple[BaselineRow, ...] = ()
    break_glass: BreakGlassParameters = BreakGlassParameters()
    overdue: OverdueParameters = OverdueParameters()
    controllers: ControllersParameters = ControllersParameters()
    on_unknown: OnUnknown = OnUnknown()
    on_existing: Mode = Mode.WARN
    prices: tuple[OrgPrice, ...] = ()
    internal_rates: tuple[InternalRate, ...] = ()
    usage: tuple[UsageRow, ...] = ()
    budgets: dict[Text, BudgetRow] = {}
    catalog: CatalogParameters = CatalogParameters()
    gpu: GpuParameters = GpuParameters()
    budget: BudgetParameters = BudgetParameters()
    residency: ResidencyParameters = ResidencyParameters()
    vendor: VendorParameters = VendorParameters()
    hygiene: HygieneParameters = HygieneParameters()
    mutation: MutationParameters = MutationParameters()
    own: dict[str, JsonValue] = {}


@dataclass(frozen=True)
class Bundle:
    """A bundle that passed every check and may decide.

    Attributes:
        ref: Name, revision and digest, as decisions record them.
        modules: Rego sources by path in the bundle, without tests, with the generated entry.
        data: The documents below ``data``: ``catalog``, ``index`` and ``org``.
        rulebook: What METADATA says, by code.
        org: The typed form of ``data["org"]``.
        linked: All modules but the entry as one, if they can be linked.
    """

    ref: BundleRef
    modules: Mapping[str, str]
    data: Mapping[str, Any]
    rulebook: Mapping[str, Rule]
    org: Org
    linked: Linked | None = None

    @cached_property
    def baseline(self) -> Mapping[str, tuple[BaselineRow, ...]]:
        """The organisation's baseline by subject."""
        rows: dict[str, tuple[BaselineRow, ...]] = {}
        for row in self.org.baseline:
            rows[row.subject] = (*rows.get(row.subject, ()), row)
        return rows
