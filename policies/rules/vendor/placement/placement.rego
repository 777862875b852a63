# METADATA
# title: Placement strategy
# description: Keeps training and serving with the vendors that the organisation chose for them.
# scope: package
# schemas:
#   - input: schema.request
package policies.rules.vendor.placement

import data.policies.lib.changes
import data.policies.lib.unknowns
import data.policies.lib.vendors

# METADATA
# title: Models are trained where the organisation trains
# description: |
#   Pretraining and finetuning take many accelerators for long and need no nearness to users, so an
#   organisation may keep them with the vendors that are cheap or committed to.
#   What does not say that it trains is not judged.
# custom:
#   code: VEN-003
#   severity: medium
#   message: "`{resource}` is for {purpose} and is with `{vendor}`; models are trained with {allowed}"
#   remedy: Train it with one of these vendors, or have the vendor entered in `training_vendors`.
#   undetermined: "it cannot be told whether `{resource}` trains a model where the organisation trains; not known: {missing}"
#   fields:
#     - change
#     - purpose
#     - vendor
#   tables:
#     - org.vendor.training_vendors
#   adapters:
#     - api
#     - kubernetes
#     - terraform
deny contains {"code": "VEN-003", "resource": resource.address, "facts": facts} if {
	some resource in input.resources
	resource.purpose in {"finetuning", "pretraining"}
	resource.vendor != null
	changes.takes(resource)
	allowed := vendors.stated("training_vendors", null)
	allowed != null
	_is_outside(resource, allowed)

	facts := {
		"purpose": resource.purpose,
		"vendor": resource.vendor,
		"allowed": vendors.shown(allowed),
	}
}

deny contains {"code": "VEN-003", "resource": resource.address, "undetermined": missing} if {
	some resource in input.resources
	resource.purpose in {null, "finetuning", "pretraining"}
	[resource.vendor == null, resource.unknown] != [false, {}]

	missing := _missing_for_training(resource)
	missing != []
	changes.takes(resource)
	allowed := vendors.stated("training_vendors", null)
	allowed != null
	_is_outside(resource, allowed)
}

# METADATA
# title: Models that people wait for are served where the organisation serves
# description: |
#   Inference that is declared latency-critical belongs where the network to its users is short and
#   capacity is kept ready, so an organisation may keep it with the vendors that offer both.
# custom:
#   code: VEN-004
#   severity: medium
#   message: "`{resource}` serves people who wait and is with `{vendor}`; such models are served with {allowed}"
#   remedy: Serve it with one of these vendors, have the vendor entered in `latency_vendors`, or declare that nobody waits for its answers.
#   undetermined: "it cannot be told whether `{resource}` serves people who wait where the organisation does; not known: {missing}"
#   fields:
#     - change
#     - latency_critical
#     - purpose
#     - vendor
#   tables:
#     - org.vendor.latency_vendors
#   adapters:
#     - api
#     - kubernetes
#     - terraform
deny contains {"code": "VEN-004", "resource": resource.address, "facts": facts} if {
	some resource in input.resources
	resource.latency_critical == true
	resource.purpose in {null, "inference"}
	resource.vendor != null
	changes.takes(resource)
	allowed := vendors.stated("latency_vendors", null)
	allowed != null
	_is_outside(resource, allowed)

	facts := {"vendor": resource.vendor, "allowed": vendors.shown(allowed)}
}

deny contains {"code": "VEN-004", "resource": resource.address, "undetermined": missing} if {
	some resource in input.resources
	resource.latency_critical in {null, true}
	resource.purpose in {null, "inference"}
	[resource.vendor == null, resource.unknown] != [false, {}]

	missing := _missing_for_latency(resource)
	missing != []
	changes.takes(resource)
	allowed := vendors.stated("latency_vendors", null)
	allowed != null
	_is_outside(resource, allowed)
}

_is_outside(resource, allowed) if {
	is_allowed := resource.vendor in allowed
	is_allowed == false
}

_missing_for_training(resource) := ["/vendor"] if {
	resource.purpose in {"finetuning", "pretraining"}
	resource.vendor == null
} else := ["/purpose"] if {
	resource.purpose == null
	unknowns.holds(resource, "/purpose")
} else := []

_missing_for_latency(resource) := ["/vendor"] if {
	resource.latency_critical == true
	resource.vendor == null
} else := ["/latency_critical"] if {
	resource.latency_critical == null
	unknowns.holds(resource, "/latency_critical")
} else := []
