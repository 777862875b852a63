package policies.rules.residency.operator_test

import data.policies.lib.testing_test as testing
import data.policies.rules.residency.operator

_org := {"data_classes": {
	"state": {"jurisdictions": ["eu"], "operators": {"jurisdictions": ["eu"], "countries": ["CH"]}},
	"vetted": {"operators": {"accepted": ["acme sovereign"]}},
	"health": {"jurisdictions": ["eu"], "operators": {"jurisdictions": [], "countries": [], "accepted": []}},
	"bare": {"jurisdictions": ["eu"]},
}}

_holding(name, changes) := testing.capacity(object.union(
	{
		"data": [{"class": name, "asset": null}],
		"operator": "acme sovereign",
		"operator_countries": ["DE", "US"],
		"operator_jurisdictions": {"DE": ["eu"], "US": []},
	},
	changes,
))

_found(resource) := found if {
	found := operator.deny with input as testing.request([resource]) with data.org as _org
}

_refused(changes) := {{"code": "RES-003", "resource": "aws_instance.gpu", "facts": object.union(
	{"data_class": "state", "operator": "acme sovereign", "country": "US", "allowed": "at home in eu, CH"},
	changes,
)}}

_undetermined := {{"code": "RES-003", "resource": "aws_instance.gpu", "undetermined": ["/operator_countries"]}}

test_a_parent_at_home_elsewhere_is_enough_to_refuse if _found(_holding("state", {})) == _refused({})

test_an_operator_at_home_in_an_allowed_country_or_jurisdiction_is_fine if {
	_found(_holding("state", {"operator_countries": ["DE"]})) == set()
	_found(_holding("state", {"operator_countries": ["CH", "DE"]})) == set()
}

test_an_operator_that_the_organisation_accepts_is_fine_wherever_it_is_at_home if {
	_found(_holding("vetted", {})) == set()
	_found(_holding("vetted", {"operator_countries": []})) == set()
}

test_any_other_operator_than_the_accepted_one_is_refused if {
	_found(_holding("vetted", {"operator": "acme"})) == _refused({
		"data_class": "vetted",
		"operator": "acme",
		"country": "DE, US",
		"allowed": "acme sovereign",
	})
}

test_a_class_that_states_nothing_about_operators_allows_any if {
	every name in ["health", "bare", "genome"] {
		_found(_holding(name, {})) == set()
	}
}

test_an_operator_whose_home_is_not_known_is_undetermined if {
	_found(_holding("state", {"operator": null, "operator_countries": []})) == _undetermined
	partly := {"operator_countries": ["DE"], "unknown": {"/operator_countries": "not_in_catalog"}}
	_found(_holding("state", partly)) == _undetermined
}

test_a_home_outside_is_refused_though_another_is_not_known if {
	partly := {"operator_countries": ["US"], "unknown": {"/operator_countries": "not_in_catalog"}}
	_found(_holding("state", partly)) == _refused({})
}

test_what_is_deleted_is_left_alone if _found(_holding("state", {"change": "delete"})) == set()
