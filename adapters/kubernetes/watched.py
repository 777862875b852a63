"""What is watched of a cluster: what a decision may depend on beside the object of a review."""

from __future__ import annotations

from adapters.kubernetes.claims import CLAIM, CLASS, GROUP, TEMPLATE
from adapters.kubernetes.kinds import Kinds, Takes
from adapters.kubernetes.view import KindName

NAMESPACE = KindName("", "Namespace")
NODE = KindName("", "Node")
POD = KindName("", "Pod")
REPLICA_SET = KindName("apps", "ReplicaSet")
AUTOSCALER = KindName("autoscaling", "HorizontalPodAutoscaler")
DEVICE_CLASS = KindName(GROUP, CLASS)
RESOURCE_CLAIM = KindName(GROUP, CLAIM)
RESOURCE_CLAIM_TEMPLATE = KindName(GROUP, TEMPLATE)
LOCAL_QUEUE = KindName("kueue.x-k8s.io", "LocalQueue")
CLUSTER_QUEUE = KindName("kueue.x-k8s.io", "ClusterQueue")
RESOURCE_FLAVOR = KindName("kueue.x-k8s.io", "ResourceFlavor")

ALWAYS = (
    NAMESPACE,
    NODE,
    DEVICE_CLASS,
    RESOURCE_CLAIM,
    RESOURCE_CLAIM_TEMPLATE,
    LOCAL_QUEUE,
    CLUSTER_QUEUE,
    RESOURCE_FLAVOR,
)
PARTLY = frozenset({POD})
"""Kinds of which only some objects are kept, so that one that is not found may be there."""

_OF_WORKLOADS = frozenset({Takes.ACCELERATORS, Takes.ELSEWHERE, Takes.CAPACITY})


def watched_kinds(kinds: Kinds) -> tuple[KindName, ...]:
    """The kinds that are watched where *kinds* are understood; a cluster need not serve them."""
    governed = (
        KindName(group, name)
        for group, name in kinds.rows
        if name is not None
        and (found := kinds.find(group, name)) is not None
        and found.takes in _OF_WORKLOADS
    )
    return tuple(dict.fromkeys((*ALWAYS, *governed)))
