package policies.rules.residency.location_test

import data.policies.lib.testing_test as testing
import data.policies.rules.residency.location

_org := {
	"data_classes": {
		"health": {"jurisdictions": ["eu"], "countries": []},
		"personal": {"jurisdictions": ["eu"], "countries": []},
		"chats": {"assets": {"prompts": {"countries": ["DE"]}}},
		"public": {"jurisdictions": [], "countries": []},
	},
	"residency": {"accepted_locations": {"gcp": {"eu": ["personal"]}}},
}

_multi := {
	"region": "eu",
	"kind": "multi-region",
	"use": "region",
	"country": null,
	"jurisdictions": [],
	"conditional": [],
}

_holding(name, changes) := testing.capacity(object.union(
	{"data": [{"class": name, "asset": null}], "vendor": "gcp", "places": [_multi]},
	changes,
))

_found(resource) := found if {
	found := location.deny with input as testing.request([resource]) with data.org as _org
}

_refused(changes) := {{"code": "RES-005", "resource": "aws_instance.gpu", "facts": object.union(
	{"data_class": "health", "region": "eu", "kind": "multi-region", "allowed": "eu", "vendor": "gcp"},
	changes,
)}}

test_a_location_in_several_countries_is_refused if _found(_holding("health", {})) == _refused({})

test_other_kinds_without_a_country_are_refused_too if {
	every kind in ["global", "logical"] {
		place := object.union(_multi, {"kind": kind})
		_found(_holding("health", {"places": [place]})) == _refused({"kind": kind})
	}
}

test_a_location_that_is_listed_for_the_class_is_fine if _found(_holding("personal", {})) == set()

test_a_location_of_another_vendor_is_not_the_listed_one if {
	every vendor in ["azure", null] {
		_found(_holding("personal", {"vendor": vendor})) == _refused({"data_class": "personal", "vendor": vendor})
	}
}

test_nothing_is_accepted_where_nothing_is_listed if {
	found := location.deny with input as testing.request([_holding("personal", {})])
		with data.org as {"data_classes": _org.data_classes}
	found == _refused({"data_class": "personal"})
}

test_the_strictest_asset_decides_where_none_is_declared if {
	_found(_holding("chats", {})) == _refused({"data_class": "chats", "allowed": "DE"})
	_found(_holding("chats", {"data": [{"class": "chats", "asset": "logs"}]})) == set()
}

test_unrestricted_data_may_be_anywhere if _found(_holding("public", {})) == set()

test_a_place_that_the_catalog_does_not_know_is_left_to_others if {
	_found(_holding("health", {"places": [object.union(_multi, {"kind": null})]})) == set()
	_found(_holding("health", {"places": null})) == set()
}

test_a_place_whose_kind_is_still_to_come_is_undetermined if {
	later := {"places": [object.union(_multi, {"kind": null})], "unknown": {"/places/0/kind": "after_apply"}}
	_found(_holding("health", later)) == {{
		"code": "RES-005",
		"resource": "aws_instance.gpu",
		"undetermined": ["/places/0/kind"],
	}}
	_found(_holding("public", later)) == set()
}

test_what_is_deleted_is_left_alone if _found(_holding("health", {"change": "delete"})) == set()
