# METADATA
# title: Unknown values
# description: Reads the map from JSON Pointers to reasons; a pointer covers everything below it.
package policies.lib.unknowns

# METADATA
# description: The reasons why the value at the pointer is not known; empty where it is known or not declared.
reasons(resource, pointer) := {reason |
	some above, reason in resource.unknown
	startswith(pointer, above)
	startswith(concat("", [pointer, "/"]), concat("", [above, "/"]))
}

# METADATA
# description: True if the value at the pointer exists and is not known.
holds(resource, pointer) if {
	resource.unknown != {}
	some above, _ in resource.unknown
	startswith(pointer, above)
	startswith(concat("", [pointer, "/"]), concat("", [above, "/"]))
}
