"""What one pod asks of its cluster, in a form that can be compared.

A pod that a controller makes of a template is the template with what admission adds to any pod.
What is governed must be the same; what admission adds, such as tolerations of a node's own
troubles, credentials, and containers without accelerators, is left out.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, NamedTuple

from adapters.kubernetes import labels
from adapters.kubernetes.counting import count_resources, read_containers
from adapters.kubernetes.declared import apply, read_declarations
from adapters.kubernetes.kinds import Kind, Kinds, Takes, Template
from adapters.kubernetes.nodes import INSTANCE_TYPE, REGION, ZONE, read_nodes
from adapters.kubernetes.parts import Part, read_parts
from adapters.kubernetes.pods import read_tolerations
from adapters.kubernetes.state import State
from adapters.kubernetes.workloads import describe

_POD = Kind("Pod", Takes.ACCELERATORS, (Template(()),))
_OF_PLACE = ("region", "region_constraint", "zone", "instance_type", "vendor", "price_kind")
# Memory at `/dev/shm` is left out: it is the node's own, and operators mount it where it is absent.
_OF_NODE = ("fabric", "topology", "runtime_class", "host_ipc", "host_network", "admin_access")
_TROUBLES = "node.kubernetes.io/"
_GOVERNED = frozenset({REGION, ZONE, INSTANCE_TYPE})


class Taking(NamedTuple):
    """What an object's pods ask for.

    Attributes:
        pods: How many pods ask for the same, by a text that stands for it; ``None`` where that has
            no bound, or another object says it.
        data: The classes of data that are declared.
    """

    pods: dict[str, int | None]
    data: frozenset[str]


def taking_of(document: dict[str, Any], kind: Kind, kinds: Kinds) -> Taking:
    """What the pods of *document*, of *kind*, ask for.

    Raises:
        RequestRefused: A part has another type than the API has there.
    """
    pods: dict[str, int | None] = {}
    data: set[str] = set()
    for part in read_parts(document, kind, kinds):
        asked = _asked(part, kinds)
        most = part.copies.times(part.workers).most
        former = pods.get(asked, 0)
        pods[asked] = None if former is None or most is None else former + most
        data |= _data(part)
    return Taking(pods, frozenset(data))


def _asked(part: Part, kinds: Kinds) -> str:
    metadata = part.metadata[-1] if part.metadata else {}
    pod = {"metadata": metadata, "spec": part.pod}
    state, unlisted = describe(pod, _POD, kinds)
    resources = count_resources(part.pod, read_containers(part.pod))
    constraints = read_nodes(part.pod).constraints
    placement = state["placement"]
    told = [
        sorted(resources.items()),
        state.get("accelerators"),
        part.pod.get("resourceClaims") or [],
        unlisted,
        [state.get(field) for field in _OF_PLACE],
        [placement[field] for field in _OF_NODE],
        sorted(placement["bypasses"]),
        sorted(_tolerated(part.pod, resources)),
        sorted(item for item in constraints.items() if _is_governed(item[0])),
    ]
    return json.dumps(told, sort_keys=True, default=str)


def _is_governed(label: str) -> bool:
    return label in _GOVERNED or labels.names_accelerators(label)


def _tolerated(pod: dict[str, Any], resources: Iterable[str]) -> set[str]:
    """Taints that are tolerated, but for those that admission has any such pod tolerate.

    A node's own troubles (``DefaultTolerationSeconds``, and the DaemonSet controller), and taints
    with the name of a resource that is asked for (``ExtendedResourceToleration``).
    """
    tolerated = (key for key in read_tolerations(pod) if not key.startswith(_TROUBLES))
    return set(tolerated).difference(resources)


def _data(part: Part) -> set[str]:
    state = State()
    apply(read_declarations(part.metadata), state)
    return {f"{one['class']}/{one['asset'] or ''}" for one in state.fields.get("data", ())}
