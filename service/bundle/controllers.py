"""Which accounts are controllers, whose objects the admission of their owner covers."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from service.model.base import Text, Value

_ACCOUNT = "system:serviceaccount:kube-system:"
KUBERNETES = (
    "system:kube-controller-manager",
    *(
        f"{_ACCOUNT}{name}"
        for name in (
            "cronjob-controller",
            "daemon-set-controller",
            "deployment-controller",
            "horizontal-pod-autoscaler",
            "job-controller",
            "replicaset-controller",
            "replication-controller",
            "resource-claim-controller",
            "statefulset-controller",
        )
    ),
)
"""What the controller manager is called: by itself, or with ``--use-service-account-credentials``
one account for each controller (k8s.io/kubernetes cmd/kube-controller-manager/names)."""

AccountName = Annotated[Text, Field(pattern=r"^[^\s*]+$")]


class ControllersParameters(Value):
    """The section ``controllers``: accounts that make objects of what others asked for.

    What they make is covered by the admission of its owner if it asks for no more than the owner
    says, and is then not decided again. Names are whole, as the API server knows the accounts.
    ``kubernetes`` are the controllers of Kubernetes itself, ``operators`` those of further kinds,
    such as ``system:serviceaccount:kuberay:kuberay-operator``.
    """

    kubernetes: tuple[AccountName, ...] = KUBERNETES
    operators: tuple[AccountName, ...] = ()

    def accounts(self) -> frozenset[str]:
        """All of them."""
        return frozenset((*self.kubernetes, *self.operators))
