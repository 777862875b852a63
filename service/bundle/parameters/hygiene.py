"""What the organisation sets for the rules about ownership, lifetimes and manifests."""

from __future__ import annotations

from typing import Literal

from service.model.base import Count, Text, Value

Requirable = Literal["team", "owner", "cost_center", "purpose"]

EVERYWHERE = "*"


class ClusterFacts(Value):
    """What pods with accelerators need in one cluster.

    Attributes:
        taints: By manufacturer of accelerators (``nvidia``), the keys of the taints that its nodes
            carry and that nobody tolerates for a pod. Leave a taint out where the cluster adds the
            toleration itself, as GKE and the admission plugin ``ExtendedResourceToleration`` do.
        runtime_class: By manufacturer, the ``runtimeClassName`` without which a container starts
            and does not see its accelerators. Leave it out where that is the default of the nodes.
    """

    taints: dict[Text, tuple[Text, ...]] = {}
    runtime_class: dict[Text, Text] = {}


class HygieneParameters(Value):
    """The section ``hygiene`` of ``org/*.yaml``.

    Attributes:
        required: Environments in which whatever takes accelerators has to name its ``team``,
            ``owner``, ``cost_center`` or ``purpose``; ``*`` is everywhere, also where no
            environment is known. Only the team is required unless stated otherwise: whom to ask is
            the least that anybody needs to know.
        longest_idle_minutes: After how many idle minutes a notebook or a development machine has to
            give its accelerators back; ``None`` is any number. One day.
        pinned_environments: Environments in which images are named by digest.
        agent_namespaces: Namespaces of the platform's own agents, which watch and prepare nodes and
            need ways to accelerators, and administrative access to devices, that others must not
            have. Who may create pods there is trusted with every accelerator of the cluster. The
            defaults are those in which makers install theirs.
        clusters: By name of the cluster, what its pods need; rules about it are silent elsewhere.
    """

    required: dict[Requirable, tuple[Text, ...]] = {"team": (EVERYWHERE,)}
    longest_idle_minutes: Count | None = 1440
    pinned_environments: tuple[Text, ...] = ("production", "prod")
    agent_namespaces: tuple[Text, ...] = (
        "kube-system",
        "gpu-operator",
        "nvidia-device-plugin",
        "kube-amd-gpu",
        "inteldeviceplugins-system",
        "habana-ai-operator",
    )
    clusters: dict[Text, ClusterFacts] = {}
