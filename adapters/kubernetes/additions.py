"""What the organisation adds to an object: facts of the bundle about what was asked for.

Nothing is judged here. Each addition is switched by the organisation's section ``mutation``, and
its value is one that the bundle states: a scope's region, a cluster's taints, a price.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal, NamedTuple

from adapters.kubernetes.declared import PREFIX
from service.bundle.parameters.mutation import ANY_PURPOSE
from service.model.base import Basis

if TYPE_CHECKING:
    from service.bundle.parameters.hygiene import ClusterFacts
    from service.bundle.values import Org
    from service.model.request import Request
    from service.model.resource import Purpose, Resource

MONTHLY_COST = f"{PREFIX}estimated-monthly-cost"
COST_BASIS = f"{PREFIX}estimated-monthly-cost-basis"
_HOURS_A_MONTH = 730
_MICROS_A_CENT = 10_000
_OWN_ANNOTATIONS = (MONTHLY_COST, COST_BASIS)


class Additions(NamedTuple):
    """What an object is to have.

    Attributes:
        annotations: By name; ``None`` where there must be none, so that nobody else's is believed.
        region: The only region that its pods may run in.
        taints: Keys of taints that its pods tolerate.
        runtime_class: The runtime class of its pods.
        shm_mib: Memory at ``/dev/shm`` of its pods.
        deadline_seconds: After how long a job of it is ended.
    """

    annotations: Mapping[str, str | None] = {}
    region: str | None = None
    taints: tuple[str, ...] = ()
    runtime_class: str | None = None
    shm_mib: int | None = None
    deadline_seconds: int | None = None


NOTHING = Additions()


def additions(request: Request, org: Org) -> Additions:
    """What *org* adds to the object of the resolved *request*."""
    wanted = org.mutation
    if not wanted.enabled or len(request.resources) != 1:
        return NOTHING
    resource = request.resources[0]
    annotations = _cost(resource) if wanted.cost_annotations else {}
    region = _region(resource, frozenset(wanted.region_affinity))
    if not resource.accelerators:
        return Additions(annotations, region)
    facts = org.hygiene.clusters.get((resource.scope or request.scope).cluster or "")
    makers = dict.fromkeys(item.manufacturer or "" for item in resource.accelerators)
    several = any((item.per_worker or 0) > 1 for item in resource.accelerators)
    return Additions(
        annotations,
        region,
        _taints(facts, makers) if facts is not None and wanted.tolerations else (),
        _runtime_class(facts, makers) if facts is not None and wanted.runtime_class else None,
        org.gpu.shared_memory_mib if several and wanted.shared_memory else None,
        _deadline(resource, wanted.job_minutes),
    )


def _cost(resource: Resource) -> dict[str, str | None]:
    """The estimate of a month at the largest size, as ``9636.00 USD``, and its basis."""
    cost = resource.cost
    micros = cost.micros_per_hour.max
    if micros is None or cost.currency is None or cost.basis is Basis.UNKNOWN:
        return dict.fromkeys(_OWN_ANNOTATIONS)
    cents = (micros * _HOURS_A_MONTH + _MICROS_A_CENT // 2) // _MICROS_A_CENT
    amount = f"{cents // 100}.{cents % 100:02} {cost.currency}"
    return {MONTHLY_COST: amount, COST_BASIS: cost.basis.value}


def _region(resource: Resource, classes: frozenset[str]) -> str | None:
    """The region that the scope states, where the resource holds data of one of *classes*."""
    if not classes or resource.provenance.get("/region") != "scope":
        return None
    held = any(item.data_class in classes for item in resource.data)
    return resource.region if held else None


def _taints(facts: ClusterFacts, makers: Mapping[str, None]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(key for maker in makers for key in facts.taints.get(maker, ())))


def _runtime_class(facts: ClusterFacts, makers: Mapping[str, None]) -> str | None:
    """The class of all *makers*; none where they need different ones, which no pod can have."""
    named = {name for maker in makers if (name := facts.runtime_class.get(maker)) is not None}
    return named.pop() if len(named) == 1 else None


def _deadline(resource: Resource, minutes: Mapping[Purpose | Literal["*"], int]) -> int | None:
    """Seconds after which a job ends; what it declares itself only shortens them."""
    purpose = resource.purpose
    allowed = minutes.get(purpose) if purpose is not None else None
    if allowed is None:
        allowed = minutes.get(ANY_PURPOSE)
    if allowed is None:
        return None
    declared = resource.lifetime.minutes
    return 60 * (min(allowed, declared) if declared else allowed)
