package policies.lib.residency_test

import data.policies.lib.residency
import data.policies.lib.testing_test as testing

_org := {"data_classes": {
	"health": {"jurisdictions": ["eu"], "countries": ["CH"]},
	"payments": {"jurisdictions": ["eea"], "countries": []},
	"public": {"jurisdictions": [], "countries": []},
}}

_holding(names) := testing.workload({"data": [{"class": name, "asset": null} | some name in names]})

test_a_class_with_places_is_restricted if {
	residency.class_rule("health") == {
		"known": true,
		"restricted": true,
		"countries": ["CH"],
		"jurisdictions": ["eu"],
	} with data.org as _org
}

test_a_class_without_places_may_be_anywhere if {
	residency.class_rule("public").restricted == false with data.org as _org
	residency.class_rule("bare").restricted == false with data.org as {"data_classes": {"bare": {}}}
}

test_a_class_that_the_organisation_does_not_list_is_not_known if {
	residency.class_rule("genome").known == false with data.org as _org
	residency.class_rule("health").known == false with data.org as {}
}

test_restricted_classes_are_sorted_and_named_once if {
	holding := _holding(["public", "payments", "health", "payments", "genome"])
	residency.restricted_classes(holding) == ["health", "payments"] with data.org as _org
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

test_places_are_empty_where_they_are_not_known if residency.places(testing.workload({})) == []

test_allowed_places_are_put_in_words if {
	residency.allowed({"countries": ["CH"], "jurisdictions": ["eea", "eu"]}) == "eea, eu, CH"
}
