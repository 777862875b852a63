package policies.lib.residency_test

import data.policies.lib.residency
import data.policies.lib.testing_test as testing

_org := {
	"data_classes": {
		"health": {"jurisdictions": ["eu"], "countries": ["CH"]},
		"payments": {"jurisdictions": ["eea", "adequate"], "countries": []},
		"chats": {
			"jurisdictions": ["eu"],
			"assets": {"prompts": {"countries": ["DE"]}, "weights": {}},
		},
		"notes": {"assets": {"prompts": {"countries": ["DE"]}}},
		"public": {"jurisdictions": [], "countries": []},
	},
	"residency": {"certified": [
		{"operator": "acme", "country": "US", "jurisdiction": "adequate", "valid_until": "2027-01-31"},
		{"operator": "other", "country": "US", "jurisdiction": "adequate", "valid_until": "2027-01-31"},
		{"operator": "acme", "country": "CA", "jurisdiction": "adequate", "valid_until": "2027-01-31"},
	]},
}

_frankfurt := {"region": "a", "kind": "physical", "country": "DE", "jurisdictions": ["eu", "eea"], "conditional": []}

_paris := {"region": "b", "kind": "physical", "country": "FR", "jurisdictions": ["eu", "eea"], "conditional": []}

_virginia := {"region": "c", "kind": "physical", "country": "US", "jurisdictions": [], "conditional": ["adequate"]}

_unpublished := {"region": "d", "kind": "sovereign", "country": null, "jurisdictions": [], "conditional": []}

_worldwide := {"region": "e", "kind": "global", "country": null, "jurisdictions": [], "conditional": []}

_item(name, asset) := {"class": name, "asset": asset}

_holding(names) := testing.workload({"data": [_item(name, null) | some name in names]})

_standings(item, place) := found if {
	found := residency.standings(item, place, {"operator": "acme"}) with data.org as _org
}

_certificates(operator) := found if {
	option := {"jurisdictions": ["adequate"]}
	found := residency.certificates(option, _virginia, {"operator": operator}) with data.org as _org
}

test_a_class_with_places_is_restricted_and_named_once if {
	residency.restricted(_holding(["public", "health", "health", "genome"])) == {"health"} with data.org as _org
}

test_a_class_without_places_may_be_anywhere if {
	residency.restricted(_holding(["public"])) == set() with data.org as _org
	residency.restricted(_holding(["bare"])) == set() with data.org as {"data_classes": {"bare": {}}}
	residency.restricted(_holding(["health"])) == set() with data.org as {}
}

test_a_class_of_which_one_asset_has_places_is_restricted_unless_it_is_another if {
	residency.restricted(_holding(["notes"])) == {"notes"} with data.org as _org
	residency.restricted({"data": [_item("notes", "prompts")]}) == {"notes"} with data.org as _org
	residency.restricted({"data": [_item("notes", "logs")]}) == set() with data.org as _org
	residency.restricted({"data": [_item("chats", "weights")]}) == set() with data.org as _org
}

test_classes_that_are_not_listed_are_pointed_at if {
	residency.missing_classes(_holding(["health", "genome"])) == ["/data/1/class"] with data.org as _org
}

test_data_that_is_not_known_matters_where_any_class_is_restricted if {
	resource := testing.workload({"unknown": {"/data": "after_apply"}})
	residency.missing_classes(resource) == ["/data"] with data.org as _org
	residency.missing_classes(resource) == [] with data.org as {"data_classes": {"public": _org.data_classes.public}}
}

test_a_place_is_inside_by_its_country_or_by_one_of_its_jurisdictions if {
	zurich := object.union(_frankfurt, {"country": "CH", "jurisdictions": []})
	every place in [_frankfurt, zurich] {
		_standings(_item("health", null), place) == {"inside"}
	}
	_standings(_item("health", null), _virginia) == {"outside"}
}

test_a_place_whose_country_is_not_known_is_told_from_one_that_has_none if {
	_standings(_item("health", null), _unpublished) == {"unknown"}
	_standings(_item("health", null), _worldwide) == {"scattered"}
	_standings(_item("public", null), _worldwide) == {"inside"}
}

test_an_asset_has_its_own_places_or_those_of_the_class if {
	_standings(_item("chats", "prompts"), _paris) == {"outside"}
	_standings(_item("chats", "weights"), _virginia) == {"inside"}
	_standings(_item("chats", "logs"), _paris) == {"inside"}
}

test_an_asset_that_nobody_declared_may_be_any if {
	_standings(_item("chats", null), _paris) == {"inside", "outside"}
	_standings(_item("chats", null), _frankfurt) == {"inside"}
}

test_a_condition_is_met_by_the_operators_that_are_listed if {
	item := _item("payments", null)
	_standings(item, _virginia) == {"certified"}
	residency.standings(item, _virginia, {"operator": "nobody"}) == {"outside"} with data.org as _org
	_certificates("acme") == [_org.residency.certified[0]]
	count(_certificates(null)) == 2
}

test_a_condition_of_a_jurisdiction_that_is_not_allowed_is_of_no_use if {
	_standings(_item("health", null), _virginia) == {"outside"}
}

test_a_copy_is_told_from_where_the_resource_is_put if {
	residency.is_copy({"use": "paired"})
	residency.is_copy({"use": "replication"})
	not residency.is_copy({"use": "region"})
	not residency.is_copy({"use": null})
}

test_allowed_places_are_put_in_words if {
	residency.words({"countries": ["CH"], "jurisdictions": ["eea", "eu"]}) == "eea, eu, CH"
	residency.words({}) == "any place"
	residency.allowed(_item("chats", null)) == "eu" with data.org as _org
	residency.allowed(_item("chats", "prompts")) == "DE" with data.org as _org
}
