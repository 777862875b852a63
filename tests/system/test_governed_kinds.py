"""Each kind that takes something: one object admitted, one refused, in words that kubectl shows."""

from __future__ import annotations

import pytest
from guarded import Guarded
from objects import Sample, samples

from adapters.kubernetes.claims import FORMS
from adapters.kubernetes.kinds import Takes, group_of, shipped

pytestmark = [pytest.mark.system, pytest.mark.enable_socket, pytest.mark.timeout(300)]

# A subresource, which no object is created of: test_changes.py scales.
_NO_OBJECT = ("autoscaling", "Scale")


@pytest.mark.parametrize("sample", samples(), ids=lambda sample: sample.name)
def test_one_is_admitted_and_one_is_refused(guarded_cluster: Guarded, sample: Sample) -> None:
    admitted = guarded_cluster.create(sample.admitted)
    refused = guarded_cluster.create(sample.refused)

    assert admitted.returncode == 0, admitted.stderr
    assert sample.warns in admitted.stderr
    assert refused.returncode != 0
    assert ".validate.portreeve.dev" in refused.stderr
    assert sample.says in refused.stderr
    assert "\ndecision " in refused.stderr


def test_every_kind_that_takes_something_has_a_sample() -> None:
    takes = {key for key, row in shipped().rows.items() if row.takes is not Takes.NOTHING}
    sampled = {(group_of(sample.api), sample.kind) for sample in samples()}

    assert takes | set(FORMS) == sampled | {_NO_OBJECT}
