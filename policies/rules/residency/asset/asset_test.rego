package policies.rules.residency.asset_test

import data.policies.lib.testing_test as testing
import data.policies.rules.residency.asset

_org := {"data_classes": {
	"chats": {
		"jurisdictions": ["eu"],
		"assets": {"prompts": {"countries": ["DE"]}, "weights": {}},
	},
	"health": {"jurisdictions": ["eu"]},
}}

_place(region, country, jurisdictions) := {
	"region": region,
	"kind": "physical",
	"use": "region",
	"country": country,
	"jurisdictions": jurisdictions,
	"conditional": [],
}

_frankfurt := _place("eu-central-1", "DE", ["eu"])

_paris := _place("eu-west-3", "FR", ["eu"])

_holding(name, kind, changes) := testing.workload(object.union(
	{"data": [{"class": name, "asset": kind}], "places": [_frankfurt, _paris]},
	changes,
))

_found(resource) := found if {
	found := asset.deny with input as testing.request([resource]) with data.org as _org
}

test_data_that_may_be_an_asset_that_is_not_allowed_there_is_refused if {
	_found(_holding("chats", null, {})) == {{
		"code": "RES-009",
		"resource": "Deployment prod/llama-70b",
		"facts": {"data_class": "chats", "region": "eu-west-3", "country": "FR", "strictest": "DE; eu"},
	}}
}

test_an_asset_that_is_declared_is_left_to_others if {
	every kind in ["weights", "prompts", "logs"] {
		_found(_holding("chats", kind, {})) == set()
	}
}

test_a_place_that_is_allowed_for_every_asset_is_fine if {
	_found(_holding("chats", null, {"places": [_frankfurt]})) == set()
}

test_a_class_without_places_of_its_own_for_an_asset_is_left_to_others if {
	_found(_holding("health", null, {"places": [_place("x", "US", [])]})) == set()
}

test_an_asset_that_is_still_to_come_is_undetermined if {
	_found(_holding("chats", null, {"unknown": {"/data/0/asset": "after_apply"}})) == {{
		"code": "RES-009",
		"resource": "Deployment prod/llama-70b",
		"undetermined": ["/data/0/asset"],
	}}
}

test_places_that_are_not_known_are_left_to_others if _found(_holding("chats", null, {"places": null})) == set()

test_what_is_deleted_is_left_alone if _found(_holding("chats", null, {"change": "delete"})) == set()
