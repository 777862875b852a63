package policies.lib.residency_test

import data.policies.lib.residency
import data.policies.lib.testing_test as testing

_org := {"data_classes": {
	"health": {"jurisdictions": ["eu"], "countries": ["CH"]},
	"payments": {"jurisdictions": ["eea"], "countries": []},
	"public": {"jurisdictions": [], "countries": []},
}}

_holding(names) := testing.workload({"data": [{"class": name, "asset": null} | some name in names]})

test_a_class_with_places_is_restricted_to_them_and_named_once if {
	residency.restrictions(_holding(["public", "health", "health", "genome"])) == {{
		"data_class": "health",
		"countries": ["CH"],
		"jurisdictions": ["eu"],
	}} with data.org as _org
}

test_a_class_without_places_may_be_anywhere if {
	residency.restrictions(_holding(["public"])) == set() with data.org as _org
	residency.restrictions(_holding(["bare"])) == set() with data.org as {"data_classes": {"bare": {}}}
	residency.restrictions(_holding(["health"])) == set() with data.org as {}
}

test_classes_that_are_not_listed_are_pointed_at if {
	residency.missing_classes(_holding(["health", "genome"])) == ["/data/1/class"] with data.org as _org
}

test_data_that_is_not_known_matters_where_any_class_is_restricted if {
	resource := testing.workload({"unknown": {"/data": "after_apply"}})
	residency.missing_classes(resource) == ["/data"] with data.org as _org
	residency.missing_classes(resource) == [] with data.org as {"data_classes": {"public": _org.data_classes.public}}
}

test_a_place_is_permitted_by_its_country_or_by_one_of_its_jurisdictions if {
	rule := {"countries": ["CH"], "jurisdictions": ["eu"]}
	residency.permits(rule, {"country": "CH", "jurisdictions": []})
	residency.permits(rule, {"country": "DE", "jurisdictions": ["eea", "eu"]})
	not residency.permits(rule, {"country": "GB", "jurisdictions": ["adequate"]})
	not residency.permits(rule, {"country": null, "jurisdictions": []})
}

test_allowed_places_are_put_in_words if {
	residency.allowed({"countries": ["CH"], "jurisdictions": ["eea", "eu"]}) == "eea, eu, CH"
}
