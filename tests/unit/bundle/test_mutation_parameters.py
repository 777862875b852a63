"""What an organisation may state about additions."""

from __future__ import annotations

from pathlib import Path

import pytest

from service.bundle.build import build
from service.errors import BundleRefused
from service.model.resource import Purpose


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "mutation: {region_affinity: [persnal]}",
            "`persnal` at `/mutation/region_affinity` is no class in data_classes",
        ),
        ("mutation: {job_minutes: {serving: 60}}", "job_minutes"),
        ("mutation: {job_minutes: {batch: 0}}", "job_minutes"),
        ("mutation: {tolerate: true}", "tolerate"),
    ],
)
def test_what_means_nothing_is_refused(project: Path, text: str, said: str) -> None:
    (project / "org" / "mutation.yaml").write_text(text)

    with pytest.raises(BundleRefused) as refused:
        build(project)

    assert said in refused.value.message


def test_what_is_stated_is_what_is_added(project: Path) -> None:
    (project / "org" / "mutation.yaml").write_text(
        'data_classes: {a: {}}\nmutation: {region_affinity: [a], job_minutes: {batch: 5, "*": 9}}'
    )

    mutation = build(project).org.mutation

    assert not mutation.enabled
    assert mutation.region_affinity == ("a",)
    assert mutation.job_minutes == {Purpose.BATCH: 5, "*": 9}
