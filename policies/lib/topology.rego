# METADATA
# title: Topology
# description: How the accelerators of a workload are joined, inside a node, behind one fast link and beyond.
package policies.lib.topology

import data.policies.lib.unknowns

# METADATA
# description: |
#   What of the model's attention cannot be divided among so many accelerators: the query heads, or
#   the key-value heads, which are either shared out or copied whole (vLLM: "Total number of
#   attention heads must be divisible by tensor parallel size", and the assertions of its attention
#   layers). The empty text where all can, or where it is not known.
uneven(fit, degree) := sprintf("%d attention heads", [fit.attention_heads]) if {
	fit.attention_heads != null
	fit.attention_heads % degree != 0
} else := sprintf("%d key-value heads", [fit.kv_heads]) if {
	fit.attention in {"gqa", "mha"}
	fit.kv_heads != null
	fit.kv_heads > 0
	max([fit.kv_heads, degree]) % min([fit.kv_heads, degree]) != 0
} else := ""

# METADATA
# description: Pointers at what is not known of the model's attention, of which only some kinds have key-value heads to divide.
missing_heads(fit) := [pointer |
	some {"at": pointer, "missing": true} in [
		{"at": "/fit/attention_heads", "missing": fit.attention_heads == null},
		{"at": "/fit/attention", "missing": fit.attention == null},
		{"at": "/fit/kv_heads", "missing": [fit.kv_heads == null, fit.attention in {"gqa", "mha"}] == [true, true]},
	]
]

# METADATA
# description: |
#   How many accelerators surely can be joined without a network between nodes: those of one node,
#   or of one domain of a fast link where that spans nodes. A node of which the size is not stated is
#   taken for one of eight, as most of those with linked accelerators are.
reach(resource) := max([node, domain]) if {
	node := _or(resource.fit.accelerators_per_node, 8)
	domain := _or(resource.fit.scale_up_domain, 1)
}

# METADATA
# description: True if the value at the pointer is null, and would be known if somebody had stated it.
is_hidden(resource, value, pointer) if {
	value == null
	unknowns.holds(resource, pointer)
}

_or(value, _) := value if value != null

_or(value, otherwise) := otherwise if value == null
