# METADATA
# title: Price of accelerators
# description: Keeps accelerators whose price nobody knows out of the bill.
# scope: package
# schemas:
#   - input: schema.request
package policies.rules.budget.price

import data.policies.lib.accelerators
import data.policies.lib.changes
import data.policies.lib.unknowns

# METADATA
# title: Price of accelerators is known
# description: |
#   Reports what takes accelerators, or may take them, and for which neither the organisation's own
#   prices, nor the catalog, nor an internal rate gives an amount. Without one no budget can be kept.
# custom:
#   code: BUD-002
#   severity: medium
#   message: "no price is known for `{resource}` ({priced_by}); it cannot be held against a budget"
#   remedy: Use an instance type and a region with a known price, or have the organisation's price or internal rate for it stated.
#   undetermined: "it cannot be told whether `{resource}` has a price; not known: {missing}"
#   fields:
#     - accelerators
#     - change
#     - cost.basis
#     - instance_type
#     - region
#     - vendor
#   tables:
#     - catalog.prices
#     - org.internal_rates
#     - org.prices
#   adapters:
#     - kubernetes
#     - terraform
deny contains {"code": "BUD-002", "resource": resource.address, "facts": facts} if {
	some {"resource": resource, "undecided": []} in _unpriced

	facts := {
		"priced_by": concat(", ", _looked_up_by(resource)),
		"vendor": resource.vendor,
		"instance_type": resource.instance_type,
		"region": resource.region,
	}
}

deny contains {"code": "BUD-002", "resource": resource.address, "undetermined": missing} if {
	some {"resource": resource, "undecided": missing} in _unpriced
	missing != []
}

# Whether there is a price cannot be told before it is known what would be priced.
_unpriced := [{"resource": resource, "undecided": undecided} |
	some resource in input.resources
	resource.cost.basis == "unknown"
	resource.accelerators != []
	changes.takes(resource)
	undecided := [pointer |
		some pointer in ["/accelerators", "/cost"]
		some reason in unknowns.reasons(resource, pointer)
		reason != "not_in_catalog"
	]
]

_looked_up_by(resource) := [part |
	some part in [accelerators.label(resource), resource.vendor, resource.instance_type, resource.region]
	part != null
]
