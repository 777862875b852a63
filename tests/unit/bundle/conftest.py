"""A project of one rule, small enough to be broken in one place by each test."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from service.bundle.assemble import Parts, assemble
from service.bundle.compiling import CompileLimits
from service.bundle.values import Bundle, Org

RULE_PATH = "policies/rules/gpu/size/size.rego"
LIB_PATH = "policies/lib/counts.rego"

LIBRARY = """\
# METADATA
# title: Counts
package policies.lib.counts

total(resource) := sum([item.total.max | some item in resource.accelerators])

known(resource) if resource.accelerators != null
"""

RULE = """\
# METADATA
# title: Size
package policies.rules.gpu.size

import data.policies.lib.counts

# METADATA
# title: Resource stays small
# description: A rule for tests.
# custom:
#   code: GPU-901
#   severity: high
#   message: "`{resource}` takes {asked}; {limit} are allowed"
#   remedy: Ask for {limit} at most.
deny contains {"code": "GPU-901", "resource": resource.address, "facts": facts} if {
	some resource in input.resources
	counts.known(resource)
	asked := counts.total(resource)
	limit := data.org.limits.accelerators_per_resource["default"]
	asked > limit
	facts := {"asked": asked, "limit": limit}
}

deny contains {"code": "GPU-901", "resource": resource.address, "undetermined": missing} if {
	missing := ["/accelerators"]
	some resource in input.resources
	not counts.known(resource)
}
"""

REQUEST_RULE = """\
package policies.rules.budget.change

# METADATA
# title: Request stays small
# custom:
#   code: BUD-901
#   severity: low
#   message: "{team} asks for too much"
#   remedy: Ask for less.
#   reads: [context.totals]
deny contains {"code": "BUD-901", "resource": null, "facts": {"team": total.team}} if {
	some total in input.context.totals
	total.accelerators > 100
}
"""

Assembled = Callable[..., Bundle]


@pytest.fixture
def sources() -> dict[str, str]:
    return {RULE_PATH: RULE, LIB_PATH: LIBRARY}


@pytest.fixture
def assembled() -> Assembled:
    """A bundle of the given sources over nearly no data."""

    def make(
        sources: dict[str, str],
        *,
        select: Callable[[Any], frozenset[str]] = frozenset,
        limits: CompileLimits | None = None,
        **tables: Any,
    ) -> Bundle:
        org = Org(name="Test")
        data = {"catalog": {}, "index": {}, "org": org.model_dump(mode="json"), **tables}
        return assemble(Parts("toy", "1", sources, data, org), select, limits=limits)

    return make


@pytest.fixture
def project(tmp_path: Path, sources: dict[str, str]) -> Path:
    """The folder of the bundle ``toy`` in a project of its own; the catalog is the shipped one."""
    sources["policies/rules/budget/change/change.rego"] = REQUEST_RULE
    for path, text in sources.items():
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    toy = tmp_path / "bundles" / "toy"
    (toy / "org").mkdir(parents=True)
    (toy / "bundle.yaml").write_text('name: toy\nrevision: "7"\n')
    (toy / "org" / "organisation.yaml").write_text("name: Toy\nposture: enforce\n")
    return toy
