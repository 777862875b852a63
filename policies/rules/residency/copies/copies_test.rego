package policies.rules.residency.copies_test

import data.policies.lib.testing_test as testing
import data.policies.rules.residency.copies

_org := {"data_classes": {
	"health": {"jurisdictions": ["br"], "countries": []},
	"public": {"jurisdictions": [], "countries": []},
}}

_place(region, use, country) := {
	"region": region,
	"kind": "physical",
	"use": use,
	"country": country,
	"jurisdictions": [],
	"conditional": [],
}

_sao_paulo := object.union(_place("brazilsouth", "region", "BR"), {"jurisdictions": ["br"]})

_texas := _place("southcentralus", "paired", "US")

_holding(name, changes) := testing.capacity(object.union(
	{
		"data": [{"class": name, "asset": null}],
		"region": "brazilsouth",
		"geo_redundant": true,
		"places": [_sao_paulo, _texas],
	},
	changes,
))

_found(resource) := found if {
	found := copies.deny with input as testing.request([resource]) with data.org as _org
}

_refused(changes) := {{"code": "RES-004", "resource": "aws_instance.gpu", "facts": object.union(
	{
		"data_class": "health",
		"region": "southcentralus",
		"country": "US",
		"why": "the pair of brazilsouth",
		"allowed": "br",
	},
	changes,
)}}

_undetermined(missing) := {{"code": "RES-004", "resource": "aws_instance.gpu", "undetermined": missing}}

test_a_pair_in_another_country_is_refused if _found(_holding("health", {})) == _refused({})

test_a_target_of_replication_in_another_country_is_refused if {
	target := _place("us-east-1", "replication", "US")
	_found(_holding("health", {"geo_redundant": null, "places": [_sao_paulo, target]})) == _refused({
		"region": "us-east-1",
		"why": "to which it is replicated",
	})
}

test_a_pair_is_refused_though_its_region_is_not_known if {
	_found(_holding("health", {"region": null})) == _refused({"why": "to which it is replicated"})
}

test_copies_where_the_data_may_be_are_fine if {
	pair := object.union(_sao_paulo, {"use": "paired"})
	_found(_holding("health", {"places": [_sao_paulo, pair]})) == set()
}

test_where_the_resource_is_put_is_left_to_another_rule if {
	_found(_holding("health", {"places": [object.union(_texas, {"use": "region"})]})) == set()
}

test_unrestricted_data_may_be_copied_anywhere if {
	_found(_holding("public", {})) == set()
	_found(_holding("public", {"unknown": {"/replication": "elsewhere"}})) == set()
}

test_a_copy_without_a_country_is_undetermined_rather_than_fine if {
	nowhere := _place("somewhere", "replication", null)
	_found(_holding("health", {"places": [_sao_paulo, nowhere]})) == _undetermined(["/places/1/country"])
}

test_copies_of_which_nobody_knows_the_place_are_undetermined if {
	every places in [null, []] {
		_found(_holding("health", {"places": places})) == _undetermined(["/places"])
		asked := {"geo_redundant": null, "replication": ["us-east-1"], "places": places}
		_found(_holding("health", asked)) == _undetermined(["/places"])
		_found(_holding("health", {"geo_redundant": false, "places": places})) == set()
	}
}

test_what_may_ask_for_copies_is_undetermined if {
	every pointer in ["/geo_redundant", "/replication"] {
		later := {"geo_redundant": null, "places": [_sao_paulo], "unknown": {pointer: "after_apply"}}
		_found(_holding("health", later)) == _undetermined([pointer])
	}
}

test_what_is_deleted_is_left_alone if _found(_holding("health", {"change": "delete"})) == set()
