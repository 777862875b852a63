# METADATA
# title: Cheaper offers
# description: Names an offer of the catalog that costs clearly less for the same accelerators.
# scope: package
# schemas:
#   - input: schema.request
package policies.rules.budget.cheaper_offer

import data.policies.lib.accelerators
import data.policies.lib.changes
import data.policies.lib.money
import data.policies.lib.residency
import data.policies.lib.vendors
import data.policies.lib.whole

# METADATA
# title: No approved vendor offers the same for much less
# description: |
#   Looks for the cheapest on-demand list price of the same accelerators, as many per instance, with
#   a vendor and in a region that the organisation approves, in a place where the classes of data of the resource may
#   be. Reports it where it saves at least the percentage that the organisation states.
#   Processors, memory, network and what a move costs are not compared.
# custom:
#   code: BUD-009
#   severity: low
#   mode: warn
#   off_because: list prices leave out what a move costs and what is negotiated
#   message: "`{resource}` takes {label} of {vendor}; {offer_vendor} {offer_type} in {offer_region} costs {price} {currency} per accelerator and hour, {saving} % less"
#   remedy: Compare processors, memory, network and the cost of a move, and ask for a quote.
#   undetermined: "it cannot be told whether `{resource}` has a cheaper offer; not known: {missing}"
#   fields:
#     - accelerators
#     - change
#     - cost
#     - data
#     - price_kind
#     - role
#     - vendor
#   tables:
#     - catalog.accelerators
#     - catalog.prices
#     - index.offers_by_accelerator
#     - org.budget.saving_percent
#     - org.data_classes
#     - org.prices
#     - org.vendor.approved
#     - org.vendor.approved_regions
#   adapters:
#     - terraform
deny contains {"code": "BUD-009", "resource": resource.address, "facts": facts} if {
	some resource in _compared
	_missing(resource) == []
	item := resource.accelerators[0]
	item.total.max > 0
	micros := whole.quotient(resource.cost.micros_per_hour.max, item.total.max)
	offer := _cheapest(resource, item)
	saved := micros - offer.micros_per_accelerator_hour
	saved > 0

	# No accelerator costs 90 million an hour.
	percent := whole.quotient(min([saved, 90000000000000]) * 100, micros)
	percent >= object.get(data.org, ["budget", "saving_percent"], 20)

	facts := {
		"label": accelerators.label(resource),
		"vendor": resource.vendor,
		"offer_vendor": offer.vendor,
		"offer_type": offer.instance_type,
		"offer_region": _where(offer),
		"price": money.decimal(offer.micros_per_accelerator_hour),
		"currency": offer.currency,
		"saving": percent,
	}
}

deny contains {"code": "BUD-009", "resource": resource.address, "undetermined": missing} if {
	some resource in _compared
	missing := _missing(resource)
	missing != []
}

# Machines with accelerators of several kinds are no offer of a catalog.
_compared := [resource |
	some resource in input.resources
	resource.role == "capacity"
	resource.accelerators != []
	resource.price_kind in {null, "on_demand"}
	changes.takes(resource)
	_one_kind(resource)
]

_one_kind(resource) if {
	resource.accelerators == null
} else if {
	count(resource.accelerators) == 1
	resource.accelerators[0].slice == null
}

_missing(resource) := array.concat(leaves, residency.missing_classes(resource)) if {
	resource.accelerators != null
	item := resource.accelerators[0]
	leaves := [pointer |
		some {"at": pointer, "value": null} in [
			{"at": "/accelerators/0/model", "value": item.model},
			{"at": "/accelerators/0/per_worker", "value": item.per_worker},
			{"at": "/accelerators/0/total/max", "value": item.total.max},
			{"at": "/cost/micros_per_hour/max", "value": resource.cost.micros_per_hour.max},
			{"at": "/cost/currency", "value": resource.cost.currency},
		]
	]
} else := ["/accelerators"]

_cheapest(resource, item) := cheapest if {
	table := object.get(data.index, ["offers_by_accelerator", item.model, sprintf("%d", [item.per_worker])], {})
	offers := [offer |
		some offer in _candidates(resource, table)
		offer.currency == resource.cost.currency
		_is_approved(offer)
		_may_hold(resource, offer)
	]
	offers != []
	least := min([offer.micros_per_accelerator_hour | some offer in offers])
	cheapest := _first([offer | some offer in offers; offer.micros_per_accelerator_hour == least])
}

_candidates(resource, table) := object.get(table, "anywhere", []) if {
	residency.restricted(resource) == set()
} else := [offer |
	some item in resource.data
	some option in residency.options(item)
	some kind in ["countries", "jurisdictions"]
	some place in object.get(option, kind, [])
	some offer in object.get(table, [kind, place], [])
]

_is_approved(offer) if {
	_is_approved_vendor(offer)
	regions := object.get(vendors.stated("approved_regions", {}), offer.vendor, [offer.region])

	# A price that holds everywhere holds in an approved region too.
	offer.region in array.concat(regions, ["*"])
}

_is_approved_vendor(offer) if {
	vendors.stated("approved", null) == null
} else if {
	offer.vendor in vendors.stated("approved", null)
}

_may_hold(resource, offer) if {
	place := {
		"region": offer.region,
		"country": offer.country,
		"jurisdictions": offer.jurisdictions,
		"conditional": [],
		"kind": "physical",
		"use": "region",
	}
	every item in resource.data {
		residency.standings(item, place, resource) == {"inside"}
	}
}

_first(offers) := offers[0]

_where(offer) := offer.region if {
	offer.region != "*"
} else := "any region"
