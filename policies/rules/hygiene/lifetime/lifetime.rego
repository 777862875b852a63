# METADATA
# title: Lifetimes
# description: Has accelerators given back when nobody needs them any more.
# scope: package
# schemas:
#   - input: schema.request
package policies.rules.hygiene.lifetime

import data.policies.lib.changes
import data.policies.lib.unknowns

# METADATA
# title: Jobs have a deadline
# description: |
#   Training and batch work that hangs keeps its accelerators until somebody notices: a job needs
#   something that ends it. A declared duration says what is meant and ends nothing.
#   A run of a schedule that is ended by a deadline of its own is fine.
#   A Kubernetes Job that does not say what it is for is a job as well.
# custom:
#   code: HYG-006
#   severity: medium
#   mode: warn
#   message: "`{resource}` is {what} on accelerators, and nothing ends it if it hangs"
#   remedy: Set `activeDeadlineSeconds` to somewhat more than the longest run, and run it as a Job and not as a Deployment or a bare Pod.
#   undetermined: "it cannot be told whether `{resource}` is a job that nothing ends; not known: {missing}"
#   fields:
#     - accelerators
#     - change
#     - kind
#     - lifetime.bounded
#     - lifetime.minutes
#     - purpose
#     - role
#   tables:
#     - catalog.accelerators
#   adapters:
#     - kubernetes
deny contains {"code": "HYG-006", "resource": resource.address, "facts": facts} if {
	some {"resource": resource, "what": what, "missing": []} in _jobs

	facts := {"what": what}
}

deny contains {"code": "HYG-006", "resource": resource.address, "undetermined": missing} if {
	some {"resource": resource, "what": _, "missing": missing} in _jobs
	missing != []
}

# METADATA
# title: Notebooks and development machines stop when idle
# description: |
#   A notebook or a development machine holds accelerators while its user thinks, eats and sleeps.
#   It needs an idle limit of at most `hygiene.longest_idle_minutes`, or an end of its own that is as
#   near. What stops it is up to whoever declares it: Kubeflow culls, clouds stop instances.
# custom:
#   code: HYG-007
#   severity: medium
#   mode: warn
#   message: "`{resource}` is for {purpose} and {limit}; accelerators are to be given back after {longest}"
#   remedy: Have it stopped when idle, and declare after how long with `portreeve.dev/idle-minutes` (tag `portreeve:idle-minutes`).
#   undetermined: "it cannot be told whether `{resource}` stops when idle; not known: {missing}"
#   fields:
#     - accelerators
#     - change
#     - lifetime.bounded
#     - lifetime.idle_minutes
#     - lifetime.minutes
#     - purpose
#   tables:
#     - org.hygiene.longest_idle_minutes
#   adapters:
#     - kubernetes
#     - terraform
deny contains {"code": "HYG-007", "resource": resource.address, "facts": facts} if {
	some {"resource": resource, "longest": longest, "missing": []} in _idling

	facts := {
		"purpose": resource.purpose,
		"limit": _shown(resource.lifetime),
		"longest": _longest(longest),
	}
}

deny contains {"code": "HYG-007", "resource": resource.address, "undetermined": missing} if {
	some {"resource": resource, "longest": _, "missing": missing} in _idling
	missing != []
}

_jobs := [{"resource": resource, "what": what, "missing": missing} |
	some resource in input.resources
	resource.lifetime.bounded != true
	resource.purpose in {null, "batch", "finetuning", "pretraining"}
	resource.accelerators != []
	resource.role == "workload"
	what := _work(resource)
	what != ""
	changes.takes(resource)
	not _run_ends(resource)
	missing := [at |
		some {"at": at, "missing": true} in [
			{"at": "/accelerators", "missing": resource.accelerators == null},
			{"at": "/lifetime/bounded", "missing": resource.lifetime.bounded == null},
			{"at": "/purpose", "missing": what == "(not known)"},
		]
	]
]

_work(resource) := resource.purpose if {
	resource.purpose in {"pretraining", "finetuning", "batch"}
} else := "a job" if {
	resource.purpose == null
	resource.kind in {"Job", "CronJob"}
} else := "(not known)" if {
	resource.purpose == null
	unknowns.holds(resource, "/purpose")
} else := ""

# A schedule that nothing ends starts runs that a deadline of Kubernetes ends.
_run_ends(resource) if {
	resource.kind == "CronJob"
	resource.lifetime.minutes != null
	is_said := object.get(resource.provenance, "/lifetime/minutes", "") in {"declared", "namespace"}
	is_said == false
}

_idling := [{"resource": resource, "longest": longest, "missing": missing} |
	some resource in input.resources
	resource.purpose in {null, "development", "notebook"}
	resource.accelerators != []
	_may_idle(resource)
	changes.takes(resource)
	longest := object.get(data.org, ["hygiene", "longest_idle_minutes"], null)
	not _stops(resource, longest)
	missing := [at |
		some {"at": at, "missing": true} in [
			{"at": "/accelerators", "missing": resource.accelerators == null},
			{"at": "/purpose", "missing": resource.purpose == null},
			{"at": "/lifetime/idle_minutes", "missing": _hides_limit(resource)},
		]
	]
]

_may_idle(resource) if {
	resource.purpose in {"notebook", "development"}
} else if {
	resource.purpose == null
	unknowns.holds(resource, "/purpose")
}

_stops(resource, longest) if {
	resource.lifetime.idle_minutes != null
	_is_within(resource.lifetime.idle_minutes, longest)
} else if {
	resource.lifetime.bounded == true
	resource.lifetime.minutes != null
	_is_within(resource.lifetime.minutes, longest)
}

_is_within(_, longest) if longest == null

_is_within(minutes, longest) if {
	longest != null
	minutes <= longest
}

_hides_limit(resource) if {
	resource.lifetime.idle_minutes == null
	unknowns.holds(resource, "/lifetime/idle_minutes")
} else := false

_shown(lifetime) := sprintf("stops only after %d idle minutes", [lifetime.idle_minutes]) if {
	lifetime.idle_minutes != null
} else := "has no idle limit"

_longest(minutes) := sprintf("%d idle minutes", [minutes]) if {
	minutes != null
} else := "some idle time"
