"""A normalised request -> the request that rules see.

Resolving looks up and multiplies; it judges nothing. It is pure: the same bundle, request and
moment give the same result. What a look-up does not find gets an entry in ``unknown`` with its
reason, and what it writes gets one in ``provenance``.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from math import ceil
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from service.model.resource import ResourceState
from service.resolve import namespaces, scopes, training
from service.resolve.accelerators import Accelerators
from service.resolve.break_glass import concerning
from service.resolve.budgets import Books
from service.resolve.costs import Costs
from service.resolve.draft import OWNED, Draft
from service.resolve.instances import Instances
from service.resolve.jurisdictions import Jurisdictions
from service.resolve.models import Models
from service.resolve.nodes import Nodes
from service.resolve.operators import Operators
from service.resolve.prices import Prices
from service.resolve.regions import Regions
from service.resolve.scopes import ScopeFacts, Scopes
from service.resolve.shares import Shares
from service.resolve.tables import table
from service.resolve.topology import Topology
from service.resolve.totals import totals

if TYPE_CHECKING:
    from service.bundle.values import Bundle
    from service.model.base import Role, Scope
    from service.model.cluster import ClusterFacts, NodeGroup
    from service.model.request import Request
    from service.model.resource import Resource

_NOT_READ = frozenset(
    {"images", "labels", "latency_critical", "placement", "purpose", "throughput"}
)
_inputs = attrgetter(*sorted(ResourceState.model_fields.keys() - OWNED - _NOT_READ))
"""What the result for a state depends on; a new field of the model is one until it is ruled out."""


class _Place(NamedTuple):
    """What is known of where a resource is, and the day.

    Attributes:
        facts: What the organisation states.
        day: The day, in UTC.
        declared: What the namespace declares.
        nodes: The nodes with accelerators such as the request takes, identified.
        grows: Whether other nodes may be added.
    """

    facts: ScopeFacts
    day: date
    declared: dict[str, str] = {}
    nodes: tuple[NodeGroup, ...] = ()
    grows: bool = False


class Resolver:
    """Resolves requests with one bundle's catalog and organisation.

    Raises:
        BundleRefused: A table that it needs is absent from the bundle.
    """

    def __init__(self, bundle: Bundle) -> None:
        catalog, index = table(bundle.data, "catalog"), table(bundle.data, "index")
        self._currency = bundle.org.limits.currency
        self._books = Books(bundle.org)
        self._scopes = Scopes(bundle.org)
        self._shares = Shares(bundle.org)
        jurisdictions = Jurisdictions(catalog)
        self._regions = Regions(catalog, jurisdictions)
        self._operators = Operators(catalog, jurisdictions)
        self._accelerators = Accelerators(catalog)
        self._nodes = Nodes(self._accelerators)
        self._instances = Instances(catalog, self._accelerators)
        self._models = Models(catalog, self._accelerators, self._instances)
        self._topology = Topology(self._accelerators, self._instances)
        prices = Prices(catalog, index, bundle.org, self._instances)
        self._costs = Costs(prices, self._accelerators, self._instances)

    def resolve(self, request: Request, *, now: datetime) -> Request:
        """*request* with everything that the bundle knows about it at *now* (with a time zone)."""
        moment = now.astimezone(UTC)
        day = moment.date()
        cluster = self._cluster(request.context.cluster, moment)
        resources = tuple(
            self._resource(item, self._place(item.scope or request.scope, cluster, day))
            for item in request.resources
        )
        context = request.context.model_copy(
            update={
                "now": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
                "totals": totals(resources, self._currency),
                "usage": self._books.usage(resources),
                "budgets": self._books.budgets(resources, moment),
                "by_vendor": self._shares.of(resources),
                "waivers": concerning(request, moment),
                "cluster": cluster,
            }
        )
        return request.model_copy(update={"resources": resources, "context": context})

    def _cluster(self, facts: ClusterFacts | None, moment: datetime) -> ClusterFacts | None:
        """*facts* with how old they are, and with the catalog's ids."""
        if facts is None:
            return None
        seconds = (moment - datetime.fromisoformat(facts.as_of)).total_seconds()
        update: dict[str, Any] = {"age_seconds": max(0, ceil(seconds))}
        if facts.nodes:
            update["nodes"] = self._nodes.identified(facts.nodes)
        return facts.model_copy(update=update)

    def _place(self, scope: Scope, cluster: ClusterFacts | None, day: date) -> _Place:
        facts = self._scopes.facts(scope)
        if cluster is None:
            return _Place(facts, day)
        declared = namespaces.declared_for(cluster, scope)
        return _Place(facts, day, declared, cluster.nodes or (), cluster.grows)

    def _resource(self, resource: Resource, place: _Place) -> Resource:
        found = self._draft(resource, resource.role, place).finish()
        former = resource.before
        if former is not None:
            known = found
            # Most updates change an image or a label, and what is known stays the same.
            if place.declared or _inputs(former) != _inputs(resource):
                known = self._draft(former, resource.role, place).finish()
            found["before"] = former.model_copy(update=known)
        return resource.model_copy(update=found)

    def _draft(self, state: ResourceState, role: Role, place: _Place) -> Draft:
        facts, day = place.facts, place.day
        if place.declared:
            draft = namespaces.begin(state, role, place.declared, facts)
        else:
            draft = Draft(state, role)
            scopes.apply(draft, facts)
        if place.nodes:
            self._nodes.apply(draft, place.nodes, grows=place.grows)
        self._regions.apply(draft, day)
        self._operators.apply(draft, day)
        carried = self._instances.apply(draft)
        self._accelerators.apply(draft, carried)
        self._models.apply(draft)
        training.apply(draft)
        self._topology.apply(draft)
        self._costs.apply(draft)
        return draft
