package policies.rules.residency.country_test

import data.policies.lib.testing_test as testing
import data.policies.rules.residency.country

_org := {"data_classes": {
	"health": {"jurisdictions": ["eu"], "countries": ["CH"]},
	"public": {"jurisdictions": [], "countries": []},
}}

_place(region, country, jurisdictions) := {
	"region": region,
	"kind": "physical",
	"use": "region",
	"country": country,
	"jurisdictions": jurisdictions,
	"conditional": [],
}

_frankfurt := _place("eu-central-1", "DE", ["eea", "eu"])

_zurich := _place("eu-central-2", "CH", [])

_london := _place("EU-WEST-01A", "GB", ["uk"])

_nowhere := _place("eu-isoe-west-1", null, [])

_holding(names, places) := testing.workload({
	"data": [{"class": name, "asset": null} | some name in names],
	"places": places,
})

_found(resource) := found if {
	found := country.deny with input as testing.request([resource]) with data.org as _org
}

_refused := {{"code": "RES-001", "resource": "Deployment prod/llama-70b", "facts": {
	"data_class": "health",
	"region": "EU-WEST-01A",
	"country": "GB",
	"allowed": "eu, CH",
}}}

_undetermined(missing) := {{"code": "RES-001", "resource": "Deployment prod/llama-70b", "undetermined": missing}}

test_a_region_whose_name_lies_about_its_country_is_refused if _found(_holding(["health"], [_london])) == _refused

test_a_jurisdiction_or_a_country_of_the_class_is_fine if _found(_holding(["health"], [_frankfurt, _zurich])) == set()

test_one_of_several_places_outside_is_enough_to_refuse if {
	_found(_holding(["public", "health"], [_frankfurt, _london])) == _refused
}

test_an_unrestricted_class_may_be_anywhere if {
	_found(_holding(["public"], [_london, _nowhere])) == set()
	_found(_holding(["public"], null)) == set()
}

test_places_that_are_not_known_are_undetermined_rather_than_fine if {
	_found(_holding(["health"], null)) == _undetermined(["/places"])
	_found(_holding(["health"], [])) == _undetermined(["/places"])
}

test_a_place_without_a_country_is_undetermined_rather_than_fine if {
	_found(_holding(["health"], [_frankfurt, _nowhere])) == _undetermined(["/places/1/country"])
}

test_a_violation_is_reported_beside_what_is_not_known if {
	_found(_holding(["health"], [_london, _nowhere])) == _refused | _undetermined(["/places/1/country"])
}

test_a_class_that_the_organisation_does_not_list_is_undetermined if {
	_found(_holding(["genome"], [_frankfurt])) == _undetermined(["/data/0/class"])
}

test_data_that_is_not_known_is_undetermined if {
	_found(testing.workload({"unknown": {"/data": "after_apply"}})) == _undetermined(["/data"])
}

test_what_is_deleted_is_left_alone if {
	deleted := object.union(_holding(["health", "genome"], [_london]), {"change": "delete"})
	_found(deleted) == set()
}

test_a_copy_is_left_to_another_rule if {
	every use in ["paired", "replication"] {
		_found(_holding(["health"], [object.union(_london, {"use": use})])) == set()
		_found(_holding(["health"], [_frankfurt, object.union(_nowhere, {"use": use})])) == set()
	}
}

test_a_place_without_a_single_country_is_left_to_another_rule if {
	_found(_holding(["health"], [object.union(_nowhere, {"kind": "global"})])) == set()
}

test_an_asset_that_may_be_elsewhere_is_judged_by_its_own_places if {
	org := {"data_classes": {"chats": {"countries": ["GB"], "assets": {"prompts": {"countries": ["DE"]}}}}}
	prompts := testing.workload({"data": [{"class": "chats", "asset": "prompts"}], "places": [_london]})
	found := country.deny with input as testing.request([prompts]) with data.org as org
	found == {{"code": "RES-001", "resource": "Deployment prod/llama-70b", "facts": {
		"data_class": "chats",
		"region": "EU-WEST-01A",
		"country": "GB",
		"allowed": "DE",
	}}}

	# Whatever it is but prompts may be there: another rule asks for the asset.
	undeclared := object.union(prompts, {"data": [{"class": "chats", "asset": null}]})
	none := country.deny with input as testing.request([undeclared]) with data.org as org
	none == set()
}
