"""Bundles written by hand, small enough to break in one place, and a request for them."""

from __future__ import annotations

import hashlib
from typing import Any

from service.bundle.digest import canonical
from service.bundle.values import Bundle, Org, Rule
from service.model.base import Binding, Change, EnforcementPoint, Range, Role
from service.model.decision import BundleRef
from service.model.finding import Severity
from service.model.request import Request
from service.model.resource import Accelerator, Resource

SIZE = """\
package policies.rules.toy.size

deny contains {"code": "TOY-001", "resource": resource.address, "facts": facts} if {
	some resource in input.resources
	some item in resource.accelerators
	item.total.max > data.org.limits.accelerators_per_resource["default"]
	facts := {"asked": item.total.max}
}
"""

# Acts on the purpose of the request alone, so that one bundle can misbehave and recover.
ODD = """\
package policies.rules.toy.odd

deny contains finding if {
	some resource in input.resources
	resource.labels.odd == "yes"
	%s
}
"""


def rule(code: str, package: str, *, reads_request: bool = False) -> Rule:
    return Rule(
        code=code,
        title="A rule for tests",
        severity=Severity.LOW,
        message="",
        remedy="",
        package=package,
        domain="toy",
        reads_request=reads_request,
    )


def toy(odd: str = "", *, limit: int = 8, entry: str | None = None, **data: Any) -> Bundle:
    """A bundle of TOY-001 and, where *odd* is the rest of its body, TOY-002.

    *odd* binds `finding` and is reached by resources with the label `odd`.
    """
    modules = {"policies/rules/toy/size/size.rego": SIZE}
    packages = {"TOY-001": "policies.rules.toy.size", "TOY-002": "policies.rules.toy.odd"}
    if odd:
        modules["policies/rules/toy/odd/odd.rego"] = ODD % odd
    else:
        del packages["TOY-002"]
    body = "".join(
        f"\nresource_findings contains finding if some finding in data.{package}.deny\n"
        for package in packages.values()
    )
    head = "package portreeve.entry\n\nfindings := resource_findings | request_findings\n"
    modules["portreeve/entry.rego"] = entry or f"{head}{body}\nrequest_findings := set()\n"
    limits = {"accelerators_per_resource": {"default": limit}}
    org = Org.model_validate({"name": "Toy", "limits": limits})
    tables = {"catalog": {}, "index": {}, "org": org.model_dump(mode="json"), **data}
    rules = {code: rule(code, package) for code, package in packages.items()}
    digest = hashlib.sha256(canonical({"modules": modules, **tables})).hexdigest()
    ref = BundleRef(name="toy", revision="1", digest=f"sha256:{digest}")
    return Bundle(ref, modules, tables, rules, org)


def resource(address: str = "Deployment toy/a", *, asked: int = 1, **labels: str) -> Resource:
    return Resource(
        address=address,
        subject=address,
        kind="Deployment",
        role=Role.WORKLOAD,
        change=Change.CREATE,
        accelerators=(Accelerator(total=Range(min=asked, max=asked)),),
        labels=labels,
    )


def request(*resources: Resource) -> Request:
    return Request(
        key="toy",
        enforcement_point=EnforcementPoint.API,
        operation="create",
        binding=Binding.BINDING,
        resources=resources or (resource(),),
    )


BAD = request(resource(odd="yes"))
GOOD = request(resource(asked=9))
# Runs for hours on any machine.
HANG = """count([i |
		some i in numbers.range(1, 100000)
		some j in numbers.range(1, 100000)
		i + j == 0
	]) > 0
	finding := {}"""
