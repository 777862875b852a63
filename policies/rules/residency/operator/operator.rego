# METADATA
# title: Operators
# description: Keeps data out of the hands of companies that answer to a law it must not be under.
# scope: package
# schemas:
#   - input: schema.request
package policies.rules.residency.operator

import data.policies.lib.changes
import data.policies.lib.residency
import data.policies.lib.unknowns

# METADATA
# title: Operator is at home where the class of data allows
# description: |
#   The law of the operator is another matter than the place: a region in Frankfurt of a company of
#   the United States is in Germany, and its operator may be bound by orders of a court at home.
#   Compares the home of who operates the vendor's partition, and that of its ultimate parent, with
#   what the class of data allows in `operators`; a class that states nothing there allows any.
#   Homes come from the catalog, which is a look-up table and no legal advice. A class that the
#   organisation does not list is left to RES-001.
# related_resources:
#   - ref: https://www.edpb.europa.eu/our-work-tools/our-documents/recommendations/recommendations-012020-measures-supplement-transfer_en
#     description: European Data Protection Board, recommendations on supplementary measures
# custom:
#   code: RES-003
#   severity: high
#   message: "`{resource}` puts `{data_class}` data into the hands of {operator}, which is at home in {country}; its operator may only be {allowed}"
#   remedy: Choose a vendor, or a partition of the vendor, whose operator is {allowed}, or have {operator} listed under `operators.accepted` of the class.
#   undetermined: "it cannot be told where the operator of `{resource}` is at home; not known: {missing}"
#   fields:
#     - change
#     - data
#     - operator
#     - operator_countries
#     - operator_jurisdictions
#   tables:
#     - catalog.countries
#     - catalog.operators
#     - org.data_classes
#   adapters:
#     - kubernetes
#     - terraform
deny contains {"code": "RES-003", "resource": resource.address, "facts": facts} if {
	some {"resource": resource, "item": item, "allowed": allowed, "outside": outside} in _judged
	outside != []

	facts := {
		"data_class": item.class,
		"operator": resource.operator,
		"country": concat(", ", outside),
		"allowed": _words(allowed),
	}
}

deny contains {"code": "RES-003", "resource": resource.address, "undetermined": ["/operator_countries"]} if {
	some {"resource": resource, "item": _, "allowed": _, "outside": []} in _judged
	_is_not_known(resource)
}

_judged := [{"resource": resource, "item": item, "allowed": allowed, "outside": outside} |
	some resource in input.resources
	resource.data != []
	changes.takes(resource)
	some item in resource.data
	allowed := object.get(data.org, ["data_classes", item.class, "operators"], {})
	accepted := object.get(allowed, "accepted", [])
	not _states_nothing(allowed)
	is_accepted := resource.operator in accepted
	is_accepted == false
	outside := [country |
		some country in resource.operator_countries
		not _permits(allowed, resource, country)
	]
]

_states_nothing(allowed) if {
	residency.allows_any(allowed)
	count(object.get(allowed, "accepted", [])) == 0
}

_words(allowed) := concat(" or ", array.concat(homes, named)) if {
	homes := [concat(" ", ["at home in", residency.words(allowed)]) | not residency.allows_any(allowed)]
	accepted := object.get(allowed, "accepted", [])
	named := [concat(", ", accepted) | accepted != []]
}

_permits(allowed, _, country) if country in object.get(allowed, "countries", [])

_permits(allowed, resource, country) if {
	some jurisdiction in object.get(resource.operator_jurisdictions, country, [])
	jurisdiction in object.get(allowed, "jurisdictions", [])
}

_is_not_known(resource) if resource.operator_countries == []

else if unknowns.holds(resource, "/operator_countries")
