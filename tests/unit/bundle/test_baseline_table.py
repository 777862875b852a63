"""The table ``baseline`` of an organisation, and files of the same form."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.bundle.accepting import with_baseline
from service.bundle.baseline import BaselineRow, TakenAccelerators, as_text, read_baseline
from service.bundle.build import build
from service.bundle.diffing import difference
from service.bundle.reading import parse_yaml
from service.bundle.waivers import ends_at
from service.errors import BundleRefused
from service.model.base import PriceKind

ROW = """\
baseline:
  - subject: prod-eu/vision/Deployment/cameras
    codes: [GPU-901]
    until: 2026-12-31
    accelerators: [{ model: nvidia-h100-80gb, most: 9 }]
"""


def test_the_organisation_states_it(project: Path) -> None:
    (project / "org/baseline.yaml").write_text(ROW)

    bundle = build(project)

    [row] = bundle.org.baseline
    assert bundle.baseline == {"prod-eu/vision/Deployment/cameras": (row,)}
    assert row.accelerators == (TakenAccelerators(model="nvidia-h100-80gb", most=9),)
    assert bundle.data["org"]["baseline"][0]["until"] == "2026-12-31"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("GPU-901", "GPU-902", "`GPU-902` at `/baseline/0/codes` is no code of this bundle"),
        ("GPU-901", "COV-001", "`COV-001` at `/baseline/0/codes` is no code of this bundle"),
        ("[GPU-901]", "[]", "/baseline/0/codes"),
        ("2026-12-31", "soon", "a day such as 2026-12-31, or a time with its offset, is expected"),
        (", most: 9", "", "`most` or `per_worker` of each of the accelerators is expected"),
        ("most: 9", "most: 9, per_worker: 1", "`most` or `per_worker` of each"),
        ("[{ model: nvidia-h100-80gb, most: 9 }]", "null", "`most` or `per_worker` of each"),
        ("accelerators: [{ model: nvidia-h100-80gb, most: 9 }]", "micros_per_hour: 1", "currency"),
    ],
)
def test_a_row_that_would_have_no_bounds_or_no_effect_is_refused(
    project: Path, tmp_path: Path, old: str, new: str, said: str
) -> None:
    file = tmp_path / "baseline.yaml"
    file.write_text(ROW.replace(old, new))
    bundle = build(project)
    with pytest.raises(BundleRefused) as caught:
        with_baseline(bundle, file)
    assert said in caught.value.message

    (project / "org/baseline.yaml").write_text(ROW.replace(old, new))
    with pytest.raises(BundleRefused) as caught:
        build(project)
    assert said in caught.value.message


def test_a_file_is_added_to_what_the_organisation_states(project: Path, tmp_path: Path) -> None:
    (project / "org/baseline.yaml").write_text(ROW)
    file = tmp_path / "mine.yaml"
    file.write_text(ROW.replace("2026", "2027"))
    bundle = build(project)

    more = with_baseline(bundle, file)

    rows = more.baseline["prod-eu/vision/Deployment/cameras"]
    assert [row.until for row in rows] == ["2026-12-31", "2027-12-31"]
    assert more.ref.digest != bundle.ref.digest
    assert len(bundle.baseline) == len(more.baseline) == 1
    assert len(difference(bundle, more).sections["baseline"].changed) == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "/baseline"),
        ("waivers: []", "/"),
        ("- a", "expected a mapping"),
        ("baseline: 1", "/baseline"),
    ],
)
def test_a_file_that_is_no_baseline_is_refused(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "baseline.yaml"
    file.write_text(text)

    with pytest.raises(BundleRefused) as caught:
        read_baseline(file)

    assert said in caught.value.message
    with pytest.raises(BundleRefused, match="cannot be read"):
        read_baseline(tmp_path / "none.yaml")


texts = st.text(min_size=1, max_size=12)
counts = st.integers(0, 2**53 - 1)
days = st.sampled_from(["2026-12-31", "2026-12-31T10:00:00+02:00"])
accelerators = st.builds(
    TakenAccelerators, model=st.none() | texts, slice=st.none() | texts, most=counts
) | st.builds(TakenAccelerators, model=st.none() | texts, per_worker=counts)
rows = st.builds(
    BaselineRow,
    subject=texts,
    codes=st.lists(texts, min_size=1, max_size=3).map(tuple),
    until=days,
    accelerators=st.lists(accelerators, max_size=3).map(tuple),
    nodes=st.none() | counts,
    micros_per_hour=st.none() | counts,
    currency=st.sampled_from(["USD", "EUR"]),
    vendor=st.none() | texts,
    region=st.none() | texts,
    instance_type=st.none() | texts,
    price_kind=st.none() | st.sampled_from(PriceKind),
    data=st.lists(texts, max_size=2).map(tuple),
)


@given(st.lists(rows, max_size=4))
def test_what_is_written_is_read_again(found: list[BaselineRow]) -> None:
    text = as_text(found, said=["Written by a test.", ""])

    read = [
        BaselineRow.model_validate_json(json.dumps(item))
        for item in parse_yaml(text, what="")["baseline"]
    ]

    assert sorted(map(repr, read)) == sorted(map(repr, found))
    assert all(ends_at(row.until) for row in read)
