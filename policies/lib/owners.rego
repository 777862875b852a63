# METADATA
# title: Owners
# description: Words for whose a resource is.
package policies.lib.owners

# METADATA
# description: The name of a team as a message shows it.
shown(team) := team if team != null

else := "(none)"
