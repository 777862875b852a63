# METADATA
# title: Images
# description: Has production run the images that were tested.
# scope: package
# schemas:
#   - input: schema.request
package policies.rules.hygiene.images

import data.policies.lib.changes
import data.policies.lib.images
import data.policies.lib.unknowns

# METADATA
# title: Images in production are named by digest
# description: |
#   A tag may come to mean another image at any restart; a digest may not. It is asked for workloads
#   on accelerators in the environments of `hygiene.pinned_environments`.
# custom:
#   code: HYG-010
#   severity: low
#   mode: warn
#   message: "`{resource}` runs in the environment {environment}, and {count} of its images are named without a digest, such as `{image}`"
#   remedy: Name each image by its digest, as `registry/name@sha256:…`; deployment tools can fill it in.
#   undetermined: "it cannot be told whether `{resource}` has to name its images by digest, or does; not known: {missing}"
#   fields:
#     - accelerators
#     - change
#     - images
#     - ownership.environment
#     - role
#   tables:
#     - org.hygiene.pinned_environments
#   adapters:
#     - kubernetes
deny contains {"code": "HYG-010", "resource": resource.address, "facts": facts} if {
	some resource in _running
	_is_pinned_place(resource.ownership.environment)
	loose := _loose(resource)
	loose != []
	resource.accelerators != null

	facts := {
		"environment": resource.ownership.environment,
		"count": count(loose),
		"image": loose[0],
	}
}

deny contains {"code": "HYG-010", "resource": resource.address, "undetermined": missing} if {
	some resource in _running
	places := _places(resource)
	places != null
	pins := ["/images" | unknowns.holds(resource, "/images")]
	loose := array.concat(_loose(resource), pins)
	loose != []
	accelerators := ["/accelerators" | resource.accelerators == null]
	missing := array.concat(array.concat(accelerators, places), pins)
	missing != []
}

_running := [resource |
	pinned := object.get(data.org, ["hygiene", "pinned_environments"], [])
	pinned != []
	some resource in input.resources
	resource.role == "workload"
	resource.accelerators != []
	is_pinned := resource.ownership.environment in pinned
	[is_pinned, resource.ownership.environment] in [[true, resource.ownership.environment], [false, null]]
	changes.takes(resource)
]

_loose(resource) := [image |
	some image in resource.images
	not images.is_pinned(image)
]

_is_pinned_place(environment) if {
	environment in object.get(data.org, ["hygiene", "pinned_environments"], [])
}

# What is not known of the environment where digests may be asked for; null where they are not.
_places(resource) := [] if {
	_is_pinned_place(resource.ownership.environment)
} else := ["/ownership/environment"] if {
	resource.ownership.environment == null
	unknowns.holds(resource, "/ownership/environment")
} else := null
