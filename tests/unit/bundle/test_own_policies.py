"""Rules of a bundle's own are added to the shared ones, and never take their place."""

from __future__ import annotations

from pathlib import Path

import pytest

from service.bundle.build import build
from service.errors import BundleRefused

RULE = """\
package policies.rules.house.{topic}

# METADATA
# title: Own rule
# custom:
#   code: {code}
#   severity: low
#   message: "`{{resource}}` is not wanted"
#   remedy: Ask for something else.
deny contains {{"code": "{code}", "resource": resource.address, "facts": {{}}}} if {{
	some resource in input.resources
	resource.zone == object.get(data.org, ["own", "zone"], null)
}}
"""
TOPIC = "policies/rules/house/zones/zones.rego"


def put(bundle: Path, path: str, text: str) -> None:
    file = bundle / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def refused(folder: Path) -> BundleRefused:
    with pytest.raises(BundleRefused) as caught:
        build(folder)
    return caught.value


def test_an_own_rule_is_one_of_the_bundle(project: Path) -> None:
    put(project, TOPIC, RULE.format(topic="zones", code="HOUSE-001"))
    put(project, "policies/rules/house/zones/zones_test.rego", "package not.read")
    put(project, "org/own.yaml", "own: {zone: a, nested: {list: [1, b, null]}}\n")

    bundle = build(project)

    assert set(bundle.rulebook) == {"BUD-901", "GPU-901", "HOUSE-001"}
    assert bundle.rulebook["HOUSE-001"].domain == "house"
    assert bundle.data["org"]["own"] == {"zone": "a", "nested": {"list": [1, "b", None]}}
    assert TOPIC in bundle.modules


def test_what_is_extended_brings_its_own_rules(project: Path) -> None:
    base = project.parent / "base"
    put(base, "bundle.yaml", 'name: base\nrevision: "1"\n')
    put(base, TOPIC, RULE.format(topic="zones", code="HOUSE-001"))
    put(project, "bundle.yaml", 'name: toy\nrevision: "7"\nextends: base\n')
    put(project, TOPIC.replace("zones", "areas"), RULE.format(topic="areas", code="HOUSE-002"))

    assert {"HOUSE-001", "HOUSE-002"} < set(build(project).rulebook)

    put(project, TOPIC, RULE.format(topic="zones", code="HOUSE-003"))

    assert refused(project).message == f"toy/{TOPIC}: there is a file of that path already"


def test_a_shared_rule_is_never_replaced(project: Path) -> None:
    path = "policies/rules/gpu/size/size.rego"
    put(project, path, RULE.format(topic="size", code="HOUSE-001"))

    error = refused(project)

    assert error.message == f"toy/{path}: there is a file of that path already"
    assert "leave the shared rule out in `bundle.yaml`" in error.hint


def test_a_shared_package_is_never_added_to(project: Path) -> None:
    path = "policies/rules/gpu/size/more.rego"
    put(project, path, "# Comment\npackage policies.rules.gpu.size\n\nlarge := 3\n")

    assert refused(project).message == (
        f"toy/{path}: the package `policies.rules.gpu.size` is there already"
    )


def test_a_code_is_never_used_twice(project: Path) -> None:
    put(project, TOPIC, RULE.format(topic="zones", code="GPU-901"))

    assert "the code `GPU-901` is there twice" in refused(project).message


@pytest.mark.parametrize("path", ["policies/zones.rego", "policies/house/zones.rego"])
def test_a_file_that_would_never_be_read_is_refused(project: Path, path: str) -> None:
    put(project, path, RULE.format(topic="zones", code="HOUSE-001"))

    assert refused(project).message == f"toy/{path}: it would never be read"


def test_an_own_rule_passes_the_same_checks(project: Path) -> None:
    text = RULE.format(topic="zones", code="HOUSE-001")
    put(project, TOPIC, text.replace("resource.zone ==", "not resource.zone =="))

    assert "negates something other than a helper" in refused(project).message
