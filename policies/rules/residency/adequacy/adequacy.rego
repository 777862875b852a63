# METADATA
# title: Conditions of adequacy
# description: Keeps data where a jurisdiction only holds for some recipients from outliving the proof.
# scope: package
# schemas:
#   - input: schema.request
package policies.rules.residency.adequacy

import data.policies.lib.changes
import data.policies.lib.residency

# METADATA
# title: Proof that an operator meets a condition is in date
# description: |
#   Some jurisdictions hold in a country for some recipients only: the United States are adequate
#   under the GDPR for companies certified under the Data Privacy Framework. The organisation lists
#   the operators for which it has seen the proof, with its last day, in `residency.certified`.
#   Reports a place that was allowed by such a proof when the last one has ended. An operator without
#   any proof is left to RES-001 and RES-004, because the jurisdiction does not hold for it.
# related_resources:
#   - ref: https://eur-lex.europa.eu/eli/dec_impl/2023/1795/oj
#     description: Implementing Decision (EU) 2023/1795, EU-US Data Privacy Framework
# custom:
#   code: RES-008
#   severity: high
#   message: "`{resource}` may put `{data_class}` data into {region} ({country}), where {jurisdiction} holds for certified operators only; the proof for {operator} ended on {ended}"
#   remedy: Have the certification of {operator} checked and its new last day stated in `residency.certified`, or choose a region where no condition is attached.
#   undetermined: "it cannot be told whether the operator of `{resource}` meets the condition under which its data may be there; not known: {missing}"
#   fields:
#     - change
#     - data
#     - operator
#     - places
#   tables:
#     - catalog.countries
#     - org.data_classes
#     - org.residency.certified
#   adapters:
#     - kubernetes
#     - terraform
deny contains {"code": "RES-008", "resource": resource.address, "facts": facts} if {
	some {"resource": resource, "item": item, "place": place, "proofs": proofs} in _conditional
	resource.operator != null
	input.context.now != null
	not _is_in_date(proofs)

	facts := {
		"data_class": item.class,
		"region": place.region,
		"country": place.country,
		"jurisdiction": proofs[0].jurisdiction,
		"operator": resource.operator,
		"ended": max([proof.valid_until | some proof in proofs]),
	}
}

deny contains {"code": "RES-008", "resource": resource.address, "undetermined": missing} if {
	some {"resource": resource, "item": _, "place": _, "proofs": _} in _conditional

	missing := [pointer |
		some {"at": pointer, "value": null} in [
			{"at": "/operator", "value": resource.operator},
			{"at": "/context/now", "value": input.context.now},
		]
	]
	missing != []
}

_conditional := [{"resource": resource, "item": item, "place": place, "proofs": proofs} |
	some resource in input.resources
	resource.data != []
	resource.places != null
	changes.takes(resource)
	some place in resource.places
	place.conditional != []
	some item in resource.data
	"certified" in residency.standings(item, place, resource)
	some option in residency.options(item)
	proofs := residency.certificates(option, place, resource)
	proofs != []
]

# Days are texts of equal length, which compare as days do; the last day still counts.
_is_in_date(proofs) if {
	today := split(input.context.now, "T")[0]
	some proof in proofs
	proof.valid_until >= today
}
