"""What a folder has to hold to become a bundle."""

from __future__ import annotations

from pathlib import Path

import pytest

from service.bundle.build import build
from service.bundle.shipped import shipped, shipped_names
from service.errors import BundleRefused
from service.model.finding import Mode


def refused(folder: Path) -> BundleRefused:
    with pytest.raises(BundleRefused) as caught:
        build(folder)
    return caught.value


def test_folder_becomes_a_bundle(project: Path) -> None:
    bundle = build(project)
    assert (bundle.ref.name, bundle.ref.revision) == ("toy", "7")
    assert bundle.ref.digest.startswith("sha256:")
    assert bundle.org.posture is Mode.ENFORCE
    assert bundle.data["org"]["limits"]["accelerators_per_resource"] == {
        "default": None,
        "teams": {},
    }
    assert bundle.rulebook["GPU-901"].title == "Resource stays small"
    assert bundle.rulebook["BUD-901"].reads_request
    assert set(bundle.modules) == {
        "policies/lib/counts.rego",
        "policies/rules/budget/change/change.rego",
        "policies/rules/gpu/size/size.rego",
        "portreeve/entry.rego",
    }


@pytest.mark.parametrize("name", ["default", "example"])
def test_shipped_bundles_build(name: str) -> None:
    bundle = build(shipped(name))
    assert bundle.ref.name == name
    assert bundle.data["catalog"]["accelerators"]
    assert {rule.domain for rule in bundle.rulebook.values()} >= {"gpu", "budget", "residency"}


def test_shipped_bundles_are_known_by_name() -> None:
    assert {"default", "example"} <= set(shipped_names())
    for name in ("nothing", "catalog", "../default", ""):
        with pytest.raises(BundleRefused, match="no bundle `"):
            shipped(name)


def test_tests_are_left_out(project: Path) -> None:
    rule = project.parents[1] / "policies/rules/gpu/size/size_test.rego"
    rule.write_text("package policies.rules.gpu.size_test\n\ntest_nothing if http.send({})\n")
    assert not [path for path in build(project).modules if "test" in path]
