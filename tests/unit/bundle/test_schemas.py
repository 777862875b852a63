"""The schemas in the repository are those of the model."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from service.bundle.build import build
from service.bundle.schemas import schemas, write_schemas
from service.bundle.shipped import shipped, shipped_root
from service.model.base import Binding, Change, EnforcementPoint, Role
from service.model.request import Request
from service.model.resource import Resource


@pytest.mark.parametrize("name", schemas())
def test_schema_in_the_repository_is_the_generated_one(name: str) -> None:
    committed = shipped_root() / "policies" / "schemas" / name
    hint = "run `python -m service.bundle.schemas`"
    assert committed.read_text() == schemas()[name], hint


def test_schemas_are_written(tmp_path: Path) -> None:
    write_schemas(tmp_path / "new")
    assert {path.name: path.read_text() for path in (tmp_path / "new").iterdir()} == schemas()


def test_dense_request_and_organisation_are_valid() -> None:
    resource = Resource(
        address="a", subject="a", kind="Pod", role=Role.WORKLOAD, change=Change.CREATE
    )
    request = Request(
        key="a",
        enforcement_point=EnforcementPoint.API,
        operation="create",
        binding=Binding.ADVISORY,
        resources=(resource,),
    )
    org = build(shipped("example")).data["org"]
    for name, value in (("request", request.model_dump(mode="json")), ("org", org)):
        schema = json.loads(schemas()[f"{name}.json"])
        Draft202012Validator.check_schema(schema)
        Draft202012Validator(schema).validate(value)
