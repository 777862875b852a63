# METADATA
# title: Changes
# description: Which changes make a resource exist afterwards in a form somebody asked for.
package policies.lib.changes

# METADATA
# description: |
#   True unless the change deletes the resource, reads it or leaves it as it is.
#   A change that is not in this list counts as one that takes something.
takes(resource) if not _leaves_nothing_new(resource)

_leaves_nothing_new(resource) if resource.change in {"delete", "no_op", "read"}
