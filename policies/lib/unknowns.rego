# METADATA
# title: Unknown values
# description: Reads the map from JSON Pointers to reasons; a pointer covers everything below it.
package policies.lib.unknowns

# METADATA
# description: The reasons why the value at the pointer is not known; empty where it is known or not declared.
reasons(resource, pointer) := {reason |
	some above, reason in resource.unknown
	_covers(above, pointer)
}

# METADATA
# description: True if the value at the pointer exists and is not known.
holds(resource, pointer) if count(reasons(resource, pointer)) > 0

_covers(above, pointer) if above == pointer

_covers(above, pointer) if startswith(pointer, concat("", [above, "/"]))
