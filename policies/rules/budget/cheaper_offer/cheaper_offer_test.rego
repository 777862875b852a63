package policies.rules.budget.cheaper_offer_test

import data.policies.lib.testing_test as testing
import data.policies.rules.budget.cheaper_offer

_offer(vendor, region, micros, changes) := object.union(
	{
		"vendor": vendor,
		"region": region,
		"instance_type": "gpu-1",
		"micros_per_accelerator_hour": micros,
		"currency": "USD",
		"country": "US",
		"jurisdictions": ["US"],
	},
	changes,
)

_dutch := _offer("gcp", "europe-west4", 700000, {"country": "NL", "jurisdictions": ["EU"]})

_index := {"offers_by_accelerator": {"nvidia-l4": {"1": {
	"anywhere": [_offer("lambda", "*", 500000, {"country": null, "jurisdictions": []}), _dutch],
	"countries": {"NL": [_dutch]},
	"jurisdictions": {"EU": [_dutch]},
}}}}

_org := {
	"budget": {"saving_percent": 20},
	"vendor": {"approved": null},
	"data_classes": {"personal": {"jurisdictions": ["EU"], "countries": []}, "public": {}},
}

_catalog := {"accelerators": {"nvidia-l4": {"label": "NVIDIA-L4"}}}

# Four of them at 1 USD each and hour.
_capacity(changes) := testing.capacity(object.union(
	{
		"accelerators": [object.union(testing.accelerator({"min": 1, "max": 4}), {"per_worker": 1})],
		"vendor": "aws",
		"cost": {"micros_per_hour": {"min": 1, "max": 4000000}, "currency": "USD", "basis": "list"},
	},
	changes,
))

_found_in(changes, org) := found if {
	request := testing.request([_capacity(changes)])
	found := cheaper_offer.deny with input as request
		with data.org as org
		with data.index as _index
		with data.catalog as _catalog
}

_found(changes) := _found_in(changes, _org)

_refused(changes) := {{"code": "BUD-009", "resource": "aws_instance.gpu", "facts": object.union(
	{
		"label": "NVIDIA-L4",
		"vendor": "aws",
		"offer_vendor": "lambda",
		"offer_type": "gpu-1",
		"offer_region": "any region",
		"price": "0.5000",
		"currency": "USD",
		"saving": 50,
	},
	changes,
)}}

_refused_in_europe := _refused({
	"offer_vendor": "gcp",
	"offer_region": "europe-west4",
	"price": "0.7000",
	"saving": 30,
})

_undetermined(missing) := {{"code": "BUD-009", "resource": "aws_instance.gpu", "undetermined": missing}}

_personal := {"data": [{"class": "personal", "asset": null}]}

test_the_cheapest_offer_is_named if _found({}) == _refused({})

test_an_offer_that_saves_little_is_not_worth_a_word if {
	_found({"cost": {"micros_per_hour": {"max": 2400000}}}) == set()
	_found({"cost": {"micros_per_hour": {"max": 1000000}}}) == set()
}

test_data_stays_where_it_may_be if {
	_found(_personal) == _refused_in_europe
	_found({"data": [{"class": "public", "asset": null}]}) == _refused({})
}

test_only_approved_vendors_count if {
	_found_in({}, object.union(_org, {"vendor": {"approved": ["gcp", "aws"]}})) == _refused_in_europe
	_found_in({}, object.union(_org, {"vendor": {"approved": []}})) == set()
}

test_only_approved_regions_count if {
	elsewhere := {"vendor": {"approved_regions": {"lambda": ["us-east-1"], "gcp": ["europe-west1"]}}}
	_found_in({}, object.union(_org, elsewhere)) == _refused({})
	_found_in(_personal, object.union(_org, elsewhere)) == set()
}

test_another_shape_or_accelerator_is_not_the_same if {
	_found({"accelerators": [testing.accelerator({"min": 1, "max": 8})]}) == set()
	_found({"accelerators": [object.union(testing.accelerator({"min": 1, "max": 1}), {"model": "amd-mi300x"})]}) == set()
}

test_amounts_of_another_currency_are_not_compared if _found({"cost": {"currency": "EUR"}}) == set()

test_only_capacity_on_demand_is_compared if {
	_found({"role": "workload"}) == set()
	_found({"price_kind": "spot"}) == set()
	_found({"price_kind": "on_demand"}) == _refused({})
	_found({"accelerators": []}) == set()
	_found({"change": "delete"}) == set()
	one := testing.accelerator({"min": 1, "max": 1})
	_found({"accelerators": [one, one]}) == set()
	_found({"accelerators": [object.union(one, {"slice": "1/8"})]}) == set()
}

test_what_is_missing_is_pointed_at if {
	_found({"accelerators": null}) == _undetermined(["/accelerators"])
	_found({"cost": {"micros_per_hour": {"max": null}}}) == _undetermined(["/cost/micros_per_hour/max"])
	_found({"data": [{"class": "secret", "asset": null}]}) == _undetermined(["/data/0/class"])
	_found({"accelerators": [testing.accelerator({"min": 1, "max": null})]}) == _undetermined([
		"/accelerators/0/per_worker",
		"/accelerators/0/total/max",
	])
}

test_no_accelerators_at_their_largest_cost_nothing if {
	none := object.union(testing.accelerator({"min": 0, "max": 0}), {"per_worker": 1})
	_found({"accelerators": [none], "cost": {"micros_per_hour": {"max": 0}}}) == set()
}
