"""A project of two rules and one bundle, small enough to be broken in one place by each test."""

from __future__ import annotations

from pathlib import Path

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

MODULES = {
    RULE_PATH: RULE,
    LIB_PATH: LIBRARY,
    "policies/rules/budget/change/change.rego": REQUEST_RULE,
}


def write_project(root: Path) -> Path:
    """The folder of the bundle ``toy`` in a project at *root*; the catalog is the shipped one."""
    for path, text in MODULES.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    toy = root / "bundles" / "toy"
    (toy / "org").mkdir(parents=True)
    (toy / "bundle.yaml").write_text('name: toy\nrevision: "7"\n')
    (toy / "org" / "organisation.yaml").write_text("name: Toy\nposture: enforce\n")
    return toy
