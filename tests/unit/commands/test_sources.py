"""What `check` makes of files by their content."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from payloads import deployment, review

from service.commands.sources import Kind, Source, find, normalise
from service.errors import RequestRefused
from service.model.base import Binding, EnforcementPoint, Scope
from service.model.request import Request

_PLAN = {"format_version": "1.2", "terraform_version": "1.11.0", "resource_changes": []}
_REQUEST = {"schema_version": 1, "resources": []}


def _read(content: Any, name: str = "x.json", kind: Kind | None = None) -> Request:
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    return normalise(Source(name, raw, "sha256:0", kind), scope=Scope(), limit=2**20)


@pytest.mark.parametrize(
    ("content", "point"),
    [
        (deployment(), EnforcementPoint.KUBERNETES),
        (review(deployment()), EnforcementPoint.KUBERNETES),
        (_PLAN, EnforcementPoint.TERRAFORM),
        (_REQUEST, EnforcementPoint.API),
    ],
)
def test_the_content_tells_what_a_file_is(content: Any, point: EnforcementPoint) -> None:
    request = _read(content)

    assert request.enforcement_point is point
    assert request.binding is Binding.ADVISORY


def test_yaml_may_hold_several_objects() -> None:
    raw = yaml.safe_dump_all([deployment(), {"apiVersion": "v1", "kind": "Namespace"}]).encode()

    request = _read(raw, "all.yaml")

    assert (len(request.resources), request.irrelevant) == (1, 1)


def test_each_object_is_in_its_own_namespace() -> None:
    request = _read(yaml.safe_dump(deployment()).encode(), "one.yml")

    scope = request.resources[0].scope
    assert scope is not None
    assert scope.namespace == "language-serving"


def test_json_is_found_in_a_file_without_a_name() -> None:
    assert _read(_PLAN, "stdin").enforcement_point is EnforcementPoint.TERRAFORM


@pytest.mark.parametrize("content", [b"[]", b"- 1\n- 2\n", b"text", {"some": "thing"}])
def test_what_cannot_be_told_is_refused(content: Any) -> None:
    with pytest.raises(RequestRefused) as caught:
        _read(content, "unknown")

    assert caught.value.code == "SYS-INPUT-KIND"


def test_a_stated_kind_is_believed_and_then_checked() -> None:
    with pytest.raises(RequestRefused):
        _read(deployment(), kind=Kind.TERRAFORM)


def test_folders_are_searched_for_json_and_yaml(tmp_path: Path) -> None:
    for name in ("b.yaml", "a.json", "c.txt", "deep/d.yml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("{}")

    names = [path.relative_to(tmp_path).as_posix() for path in find([tmp_path])]

    assert names == ["a.json", "b.yaml", "deep/d.yml"]


def test_a_path_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RequestRefused, match="does not exist"):
        list(find([tmp_path / "absent"]))


def test_a_folder_without_input_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RequestRefused, match="holds no JSON or YAML"):
        list(find([tmp_path]))
