"""What a watched cluster holds that lies on the path of one request.

Taken from a copy of the cluster that may be behind, never from the one who asks. Everything is
bounded, and nothing here says what other teams run.
"""

from __future__ import annotations

from service.model.base import Count, Text, Value


class NamespaceFacts(Value):
    """The namespace of the request.

    ``declared`` is what its labels and annotations under ``portreeve.dev/`` say, by name without
    the prefix; lists have commas. ``admin_access`` says whether it is labelled for claims with
    administrative access to devices (``resource.kubernetes.io/admin-access``).
    """

    name: Text
    declared: dict[Text, Text] = {}
    admin_access: bool = False


class Taint(Value):
    """A taint that keeps pods off a node: its effect is ``NoSchedule`` or ``NoExecute``."""

    key: Text
    effect: Text


class NodeGroup(Value):
    """Nodes with accelerators that are the same in all that rules ask.

    ``resource`` is the name under which they offer their accelerators, ``None`` where no plugin
    reports any; ``product`` is what their labels say of them, ``model`` the catalog's id for that.
    ``clique`` is the part of a network within which accelerators are joined. A field is ``None``
    where nodes do not say it, and where those of the group differ. ``accelerators`` counts what all
    nodes of the group offer to pods, taken or not.
    """

    resource: Text | None = None
    manufacturer: Text | None = None
    product: Text | None = None
    model: Text | None = None
    vendor: Text | None = None
    region: Text | None = None
    zone: Text | None = None
    instance_type: Text | None = None
    clique: Text | None = None
    taints: tuple[Taint, ...] = ()
    nodes: Count
    accelerators: Count | None = None


class Quota(Value):
    """How much of one resource a queue has from one flavor; ``None`` where it is no number."""

    resource: Text
    nominal: Count | None = None


class Flavor(Value):
    """A kind of nodes of which a queue has some.

    ``tolerations`` are keys of taints that pods get from it, as in ``placement.tolerations``.
    """

    name: Text
    node_labels: dict[Text, Text] = {}
    tolerations: tuple[Text, ...] = ()
    quotas: tuple[Quota, ...] = ()


class QueueFacts(Value):
    """The queue of Kueue that the request names.

    ``exists`` is ``None`` where that is not known. ``cluster_queue`` is the one that it draws on,
    and ``flavors`` what that one has.
    """

    name: Text
    exists: bool | None = None
    cluster_queue: Text | None = None
    flavors: tuple[Flavor, ...] = ()


class ClusterFacts(Value):
    """What is known of the cluster of a request, and until when that was current.

    ``as_of`` is RFC 3339 in UTC; ``age_seconds`` is how long before the decision that was, rounded
    up. ``nodes`` are those with accelerators such as the request takes, but for those that it rules
    out itself by region, zone or instance type; ``None`` where not every node is known, or there
    are too many sorts of them. ``grows`` says that something in the cluster chooses itself which
    nodes it adds, so that others than these may come.
    """

    as_of: Text
    age_seconds: Count | None = None
    namespace: NamespaceFacts | None = None
    nodes: tuple[NodeGroup, ...] | None = None
    grows: bool = False
    queue: QueueFacts | None = None
