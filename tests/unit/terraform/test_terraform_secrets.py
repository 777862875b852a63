"""What a plan hides never reaches a request, and so neither a rule nor the log."""

from __future__ import annotations

from typing import Any

from adapters.terraform.normalise import normalise_plan
from service.model.base import Reason, Scope
from service.model.request import Request
from service.model.sensitive import REDACTED

CANARY = "cAnary7Zq9"
TOKEN = f"hf_{CANARY * 3}"


def normalise(plan: dict[str, Any]) -> Request:
    return normalise_plan(plan, scope=Scope(), caller="test", key="key")


def _plan(change: dict[str, Any], **parts: Any) -> dict[str, Any]:
    entry = {
        "address": "aws_instance.gpu",
        "mode": "managed",
        "type": "aws_instance",
        "name": "gpu",
        "change": {"actions": ["create"], "before": None, "after_unknown": {}, **change},
    }
    return {"format_version": "1.2", "resource_changes": [entry], **parts}


def test_parts_that_hold_secrets_never_enter_the_request() -> None:
    change = {
        "actions": ["update"],
        "before": {"instance_type": "p5.48xlarge", "user_data": CANARY, "tags": {"a": CANARY}},
        "before_sensitive": {"user_data": True, "tags": {"a": True}},
        "after": {"instance_type": "p5.48xlarge", "user_data": CANARY, "tags": {"a": CANARY}},
        "after_sensitive": {"user_data": True, "tags": {"a": True}},
    }
    secrets = {"secret": {"value": CANARY}}
    provider = {"expressions": {"secret_key": {"constant_value": CANARY}}}
    resource = {
        "type": "aws_instance",
        "name": "gpu",
        "provider_config_key": "aws",
        "expressions": {"user_data": {"constant_value": CANARY}},
    }
    plan = _plan(
        change,
        variables=secrets,
        prior_state={"values": {"outputs": secrets}},
        output_changes={"out": {"after": CANARY}},
        planned_values={"outputs": secrets},
        configuration={
            "provider_config": {"aws": provider},
            "root_module": {"resources": [resource], "variables": {"secret": {"default": CANARY}}},
        },
    )

    request = normalise(plan)

    assert CANARY not in request.model_dump_json()
    assert request.resources[0].labels == {"a": REDACTED}


def test_a_sensitive_value_is_not_known_rather_than_absent() -> None:
    plan = _plan(
        {
            "after": {"instance_type": CANARY, "region": CANARY, "tags": {"Team": CANARY}},
            "after_sensitive": {"instance_type": True, "region": True, "tags": True},
        }
    )

    (resource,) = normalise(plan).resources

    assert CANARY not in resource.model_dump_json()
    assert resource.accelerators is None
    assert {
        "/instance_type": Reason.SENSITIVE,
        "/accelerators": Reason.SENSITIVE,
        "/region": Reason.SENSITIVE,
        "/labels": Reason.SENSITIVE,
        "/ownership/team": Reason.SENSITIVE,
    }.items() <= resource.unknown.items()


def test_a_sensitive_label_hides_what_it_would_declare() -> None:
    plan = _plan(
        {
            "after": {"instance_type": "p5.48xlarge", "tags": {"portreeve:team": CANARY}},
            "after_sensitive": {"tags": {"portreeve:team": True}},
        }
    )

    (resource,) = normalise(plan).resources

    assert CANARY not in resource.model_dump_json()
    assert resource.ownership.team is None
    assert resource.unknown["/ownership/team"] is Reason.SENSITIVE


def test_everything_hidden_at_the_top_hides_every_value() -> None:
    plan = _plan(
        {"after": {"instance_type": CANARY, "tags": {CANARY: CANARY}}, "after_sensitive": True}
    )

    (resource,) = normalise(plan).resources

    assert CANARY not in resource.model_dump_json()
    assert resource.unknown["/instance_type"] is Reason.SENSITIVE


def test_secrets_that_nobody_marked_are_found_by_their_looks() -> None:
    tags = {"note": f"use {TOKEN}", "db-password": CANARY, "portreeve:model": TOKEN}
    plan = _plan({"after": {"instance_type": TOKEN, "availability_zone": TOKEN, "tags": tags}})
    plan["resource_changes"][0]["address"] = f'aws_instance.gpu["{TOKEN}"]'

    request = normalise(plan)

    assert CANARY not in request.model_dump_json()


def test_a_region_in_a_sensitive_variable_stays_unknown() -> None:
    resource = {"type": "aws_instance", "name": "gpu", "provider_config_key": "aws"}
    plan = _plan(
        {"after": {"instance_type": "p5.48xlarge"}},
        variables={"where": {"value": "eu-west-1"}},
        configuration={
            "provider_config": {"aws": {"expressions": {"region": {"references": ["var.where"]}}}},
            "root_module": {"resources": [resource], "variables": {"where": {"sensitive": True}}},
        },
    )

    assert normalise(plan).resources[0].region is None

    del plan["configuration"]["root_module"]["variables"]

    assert normalise(plan).resources[0].region == "eu-west-1"
