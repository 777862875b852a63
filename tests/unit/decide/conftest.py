"""A bundle with four rules, and requests to find fault with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from service.bundle.values import Bundle, Org, Rule
from service.model.base import Binding, Change, EnforcementPoint, Role
from service.model.decision import BundleRef
from service.model.finding import Mode, Severity
from service.model.request import Request
from service.model.resource import Resource


def _rule(code: str, domain: str, **more: Any) -> Rule:
    words = {
        "title": f"Title of {code}",
        "message": "`{resource}` takes {asked}; team `{team}` may take {limit}",
        "remedy": "Lower the count to {limit}.",
    }
    return Rule(code=code, severity=Severity.HIGH, package="p", domain=domain, **{**words, **more})


RULEBOOK = {
    "GPU-001": _rule("GPU-001", "gpu", undetermined="`{resource}`: {missing} is not known"),
    "GPU-002": _rule("GPU-002", "gpu"),
    "BUD-001": _rule("BUD-001", "budget", reads_request=True),
    "RES-001": _rule("RES-001", "residency"),
}


@pytest.fixture
def bundle_of() -> Callable[..., Bundle]:
    """Makes a bundle of an organisation that enforces, unless told otherwise."""

    def make(**fields: Any) -> Bundle:
        org = Org(**{"name": "acme", "posture": Mode.ENFORCE, **fields})
        ref = BundleRef(name="test", revision="1", digest="sha256:00")
        return Bundle(ref=ref, modules={}, data={}, rulebook=RULEBOOK, org=org)

    return make


@pytest.fixture
def resource_of() -> Callable[..., Resource]:
    """Makes a Deployment."""

    def make(address: str = "a", **fields: Any) -> Resource:
        defaults: dict[str, Any] = {
            "address": address,
            "subject": address,
            "kind": "Deployment",
            "role": Role.WORKLOAD,
            "change": Change.CREATE,
        }
        return Resource(**{**defaults, **fields})

    return make


@pytest.fixture
def request_of() -> Callable[..., Request]:
    """Makes a request of resources."""

    def make(*resources: Resource, **fields: Any) -> Request:
        defaults: dict[str, Any] = {
            "key": "k",
            "enforcement_point": EnforcementPoint.KUBERNETES,
            "operation": "CREATE",
            "binding": Binding.BINDING,
            "resources": resources,
        }
        return Request(**{**defaults, **fields})

    return make
