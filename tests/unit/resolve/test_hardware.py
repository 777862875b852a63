from __future__ import annotations

from typing import Any

import pytest

from service.model.base import Range, Reason
from service.model.resource import Accelerator, Sharing


def test_an_instance_type_becomes_its_accelerators(resolve: Any, capacity: Any) -> None:
    resource = resolve(capacity(nodes=Range(min=1, max=3)))

    [item] = resource.accelerators
    assert (item.model, item.per_worker, item.total) == ("nvidia-h100-sxm", 8, Range(min=8, max=24))
    assert item.sharing is Sharing.WHOLE
    assert resource.software_stack == "cuda"
    assert resource.provenance["/accelerators"] == "catalog"


def test_a_share_of_a_card_is_one_slice(resolve: Any, capacity: Any) -> None:
    [item] = resolve(capacity(instance_type="g6f.large")).accelerators

    assert (item.slice, item.sharing, item.per_worker) == ("1/8", Sharing.FRACTION, 1)


def test_unknown_nodes_leave_the_total_unknown_and_not_zero(resolve: Any, capacity: Any) -> None:
    hidden = {"/nodes/max": Reason.AFTER_APPLY}

    resource = resolve(capacity(nodes=Range(min=2), unknown=hidden))

    assert resource.accelerators[0].total == Range(min=16, max=None)
    assert resource.unknown["/accelerators/0/total"] is Reason.AFTER_APPLY
    assert resource.cost.micros_per_hour == Range(min=110_080_000, max=None)
    assert resource.unknown["/cost/micros_per_hour"] is Reason.AFTER_APPLY


@pytest.mark.parametrize(
    ("vendor", "name", "known"),
    [("aws", "m5.large", ()), ("gcp", "n1-standard-8", ()), ("aws", "m5g.large", None)],
)
def test_only_a_family_without_accelerators_takes_none(
    vendor: str, name: str, known: tuple[()] | None, resolve: Any, capacity: Any
) -> None:
    resource = resolve(capacity(vendor=vendor, instance_type=name))

    assert resource.accelerators == known
    assert resource.unknown.get("/accelerators") is (None if known == () else Reason.NOT_IN_CATALOG)


def test_a_type_that_is_known_after_apply_hides_what_it_carries(
    resolve: Any, capacity: Any
) -> None:
    hidden = capacity(instance_type=None, unknown={"/instance_type": Reason.AFTER_APPLY})

    resource = resolve(hidden)

    assert resource.accelerators is None
    assert resource.unknown["/accelerators"] is Reason.AFTER_APPLY
    assert resource.unknown["/cost"] is Reason.AFTER_APPLY
    assert resource.unknown["/software_stack"] is Reason.AFTER_APPLY


def test_accelerators_attached_after_apply_stay_unknown_on_a_type_without_any(
    resolve: Any, capacity: Any
) -> None:
    resource = resolve(
        capacity(
            vendor="gcp",
            instance_type="n1-standard-8",
            accelerators=None,
            unknown={"/accelerators": Reason.AFTER_APPLY},
        )
    )

    assert resource.accelerators is None
    assert resource.unknown["/accelerators"] is Reason.AFTER_APPLY


def test_a_type_without_a_vendor_is_not_looked_up(resolve: Any, capacity: Any) -> None:
    resource = resolve(capacity(vendor=None))

    assert resource.accelerators is None
    assert resource.unknown["/accelerators"] is Reason.UNDECLARED


def test_stated_accelerators_stay_when_they_agree_with_the_type(
    resolve: Any, capacity: Any
) -> None:
    stated = Accelerator(model="nvidia-l4", slice="1g.5gb", per_worker=7, total=Range(min=7, max=7))
    lie = stated.model_copy(update={"model": "mi300x", "slice": None})
    pool = {"vendor": "gcp", "region": "europe-west4", "instance_type": "g2-standard-8"}

    assert resolve(capacity(accelerators=(stated,), **pool)).accelerators[0].per_worker == 7
    [corrected] = resolve(capacity(accelerators=(lie,), **pool)).accelerators
    assert (corrected.model, corrected.per_worker) == ("nvidia-l4", 1)


def test_azure_types_are_known_in_any_spelling(resolve: Any, capacity: Any) -> None:
    resource = resolve(capacity(vendor="azure", instance_type="standard_nc40ads_h100_v5"))

    assert resource.accelerators[0].model == "nvidia-h100-sxm"


@pytest.mark.parametrize(
    ("label", "model", "part", "sharing"),
    [
        ("NVIDIA-L4", "nvidia-l4", None, None),
        ("l4", "nvidia-l4", None, None),
        ("NVIDIA-L4-SHARED", "nvidia-l4", None, Sharing.TIME_SLICED),
        ("NVIDIA-H100-80GB-HBM3-MIG-1g.10gb", "nvidia-h100-sxm", "1g.10gb", Sharing.MIG),
        (
            "NVIDIA-H100-80GB-HBM3-MIG-1g.10gb-SHARED",
            "nvidia-h100-sxm",
            "1g.10gb",
            Sharing.TIME_SLICED,
        ),
    ],
)
def test_product_labels_say_the_card_its_part_and_its_sharing(
    label: str, model: str, part: str, sharing: Sharing, resolve: Any, workload: Any
) -> None:
    asked = Accelerator(manufacturer="nvidia", model=label, per_worker=1, total=Range(min=1, max=1))

    [item] = resolve(workload(accelerators=(asked,))).accelerators

    assert (item.model, item.slice, item.sharing) == (model, part, sharing)


@pytest.mark.parametrize(
    ("label", "reason"), [("NVIDIA-X9", Reason.NOT_IN_CATALOG), (None, Reason.UNDECLARED)]
)
def test_a_card_that_nobody_named_is_unknown(
    label: str | None, reason: Reason, resolve: Any, workload: Any
) -> None:
    asked = Accelerator(manufacturer="nvidia", model=label, per_worker=1, total=Range(min=1, max=1))

    resource = resolve(workload(accelerators=(asked,)))

    assert resource.accelerators[0].model is None
    assert resource.unknown["/accelerators/0/model"] is reason
    assert resource.unknown["/fit/usable_mib"] is reason
    assert resource.software_stack == "cuda"
    assert resource.provenance["/software_stack"] == "inferred:manufacturer"


def test_a_pods_instance_type_says_which_card_it_gets(resolve: Any, workload: Any) -> None:
    nameless = Accelerator(manufacturer="nvidia", per_worker=1, total=Range(min=1, max=1))
    other = nameless.model_copy(update={"manufacturer": "amd"})
    node = {"vendor": "aws", "instance_type": "p5.48xlarge"}

    resource = resolve(workload(accelerators=(nameless,), **node))

    assert resource.accelerators[0].model == "nvidia-h100-sxm"
    assert resource.provenance["/accelerators/0/model"] == "inferred:instance_type"
    assert resolve(workload(accelerators=(other,), **node)).accelerators[0].model is None


def test_a_workload_without_accelerators_takes_none(resolve: Any, workload: Any) -> None:
    resource = resolve(workload(accelerators=()))

    assert resource.accelerators == ()
    assert resource.software_stack is None
    assert not [
        at for at in resource.unknown if at.startswith(("/accel", "/cost", "/fit", "/soft"))
    ]
