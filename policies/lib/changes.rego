# METADATA
# title: Changes
# description: Which changes make a resource exist afterwards in a form somebody asked for.
package policies.lib.changes

# METADATA
# description: |
#   True unless the change deletes the resource, reads it or leaves it as it is.
#   A change that is none of these counts as one that takes something.
takes(resource) if {
	takes_nothing := resource.change in {"delete", "no_op", "read"}
	takes_nothing == false
}
