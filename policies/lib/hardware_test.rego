package policies.lib.hardware_test

import data.policies.lib.hardware
import data.policies.lib.testing_test as testing

_catalog := {"accelerators": {"nvidia-l4": {"label": "NVIDIA-L4", "status": "current"}}}

_of(accelerators) := found if {
	found := hardware.column(testing.workload({"accelerators": accelerators}), "status") with data.catalog as _catalog
}

_item(model) := object.union(testing.accelerator({"min": 1, "max": 1}), {"model": model})

test_a_column_is_read_for_each_kind_of_accelerator if {
	_of([_item("nvidia-l4"), _item("nvidia-x9")]) == [
		{"model": "nvidia-l4", "value": "current", "label": "NVIDIA-L4", "pointer": "/accelerators/0/model"},
		{"model": "nvidia-x9", "value": null, "label": "nvidia-x9", "pointer": "/accelerators/1/model"},
	]
}

test_a_kind_without_a_model_has_the_name_it_was_asked_by if {
	_of([_item(null)]) == [{
		"model": null,
		"value": null,
		"label": "nvidia.com/gpu",
		"pointer": "/accelerators/0/model",
	}]
	[{"label": "accelerators"}] == [{"label": row.label} |
		some row in _of([object.union(_item(null), {"resource": null})])
	]
}

test_accelerators_that_are_not_known_are_one_entry if {
	_of(null) == [{"model": null, "value": null, "label": "accelerators", "pointer": "/accelerators"}]
	_of([]) == []
}

test_marked_rows_are_those_with_one_of_the_values if {
	items := [_item("nvidia-l4"), _item("nvidia-x9")]
	[row.pointer | some row in _marked(items, {"current"})] == ["/accelerators/0/model"]
	[row.pointer | some row in _marked(items, {"retired", null})] == ["/accelerators/1/model"]
	[row.pointer | some row in _marked(null, {"retired", null})] == ["/accelerators"]
	_marked(null, {"retired"}) == []
}

_marked(accelerators, values) := found if {
	resource := testing.workload({"accelerators": accelerators})
	found := hardware.marked(resource, "status", values) with data.catalog as _catalog
}
