"""How accelerators are joined, and the names by which training is looked up."""

from __future__ import annotations

from typing import Any

import pytest

from service.bundle.values import Bundle
from service.model.base import Reason
from service.model.resource import Accelerator, Fit, Model
from service.resolve.resolver import Resolver


def _asked(model: str | None, each: int = 8, **more: Any) -> tuple[Accelerator, ...]:
    return (Accelerator(model=model, per_worker=each, **more),)


def _topology(fit: Fit) -> tuple[int | None, int | None, str | None]:
    return fit.accelerators_per_node, fit.scale_up_domain, fit.fabric


def test_an_instance_type_says_how_its_accelerators_are_joined(resolve: Any, capacity: Any) -> None:
    resource = resolve(capacity())

    assert _topology(resource.fit) == (8, 8, "efa")
    assert resource.provenance["/fit/scale_up_domain"] == "catalog"


@pytest.mark.parametrize(
    ("vendor", "name", "model", "expected"),
    [
        ("azure", "Standard_NC40ads_H100_v5", "nvidia-h100-sxm", (1, 1, "none")),
        ("gcp", "g2-standard-24", "nvidia-l4", (2, 1, "none")),
        ("aws", "p5.48xlarge", "google-tpu-v5e", (None, 256, "efa")),
        (None, None, "nvidia-h100-sxm", (None, 8, None)),
        (None, None, "google-tpu-v5e", (None, 256, None)),
    ],
)
def test_a_link_joins_what_the_type_carries_unless_it_spans_instances(
    vendor: str | None, name: str | None, model: str, expected: Any, resolve: Any, workload: Any
) -> None:
    pod = workload(vendor=vendor, instance_type=name, accelerators=_asked(model))

    resource = resolve(pod)

    assert _topology(resource.fit) == expected
    assert not any(pointer.startswith("/fit/fabric") for pointer in resource.unknown)


def test_a_part_of_a_device_has_no_link(resolve: Any, workload: Any) -> None:
    pod = workload(accelerators=_asked("nvidia-h100-sxm", slice="1g.10gb"))

    assert resolve(pod).fit.scale_up_domain == 1


def test_accelerators_attached_beside_a_type_are_those_of_the_node(
    resolve: Any, capacity: Any
) -> None:
    machine = capacity(
        vendor="gcp", instance_type="n1-standard-8", accelerators=_asked("nvidia-l4", 4)
    )

    assert resolve(machine).fit.accelerators_per_node == 4


@pytest.mark.parametrize(
    ("fields", "reasons"),
    [
        ({"instance_type": None}, (None, None)),
        ({"instance_type": "x9.huge"}, (Reason.NOT_IN_CATALOG, Reason.NOT_IN_CATALOG)),
        (
            {"instance_type": None, "unknown": {"/instance_type": Reason.AFTER_APPLY}},
            (Reason.AFTER_APPLY, Reason.AFTER_APPLY),
        ),
    ],
)
def test_a_type_that_is_stated_and_not_known_hides_what_it_would_say(
    fields: dict[str, Any], reasons: Any, resolve: Any, workload: Any
) -> None:
    pod = workload(vendor="aws", accelerators=_asked("nvidia-h100-sxm"), **fields)

    unknown = resolve(pod).unknown

    assert (unknown.get("/fit/accelerators_per_node"), unknown.get("/fit/fabric")) == reasons


def test_links_of_accelerators_that_are_not_known_are_hidden(resolve: Any, workload: Any) -> None:
    nameless = workload(accelerators=_asked(None))
    several = workload(accelerators=(*_asked("nvidia-l4"), *_asked("nvidia-h100-sxm")))

    assert resolve(nameless).unknown["/fit/scale_up_domain"] is Reason.UNDECLARED
    assert resolve(several).unknown["/fit/scale_up_domain"] is Reason.UNDECLARED


def test_figures_that_the_catalog_lacks_are_unknown(
    bundle: Any, workload: Any, request_of: Any, now: Any
) -> None:
    catalog = bundle.data["catalog"]
    card = {**catalog["accelerators"]["nvidia-h100-sxm"], "scale_up_domain": None}
    row = {**catalog["instance_types"]["aws"]["p5.48xlarge"], "fabric": None}
    changed = {
        **catalog,
        "accelerators": {**catalog["accelerators"], "nvidia-h100-sxm": card},
        "instance_types": {**catalog["instance_types"], "aws": {"p5.48xlarge": row}},
    }
    resolver = Resolver(Bundle(bundle.ref, {}, {**bundle.data, "catalog": changed}, {}, bundle.org))
    pod = workload(
        vendor="aws", instance_type="p5.48xlarge", accelerators=_asked("nvidia-h100-sxm")
    )

    [resource] = resolver.resolve(request_of(pod), now=now).resources

    assert resource.unknown["/fit/scale_up_domain"] is Reason.NOT_IN_CATALOG
    assert resource.unknown["/fit/fabric"] is Reason.NOT_IN_CATALOG


def test_what_takes_no_accelerators_has_no_topology(resolve: Any, workload: Any) -> None:
    assert _topology(resolve(workload(accelerators=())).fit) == (None, None, None)


def test_names_of_optimizers_and_precisions_have_one_spelling(resolve: Any, workload: Any) -> None:
    trained = workload(model=Model(params_m=7000, optimizer="AdamW-8bit", precision="BF16-mixed"))

    model = resolve(trained).model

    assert (model.optimizer, model.precision) == ("adamw_8bit", "bf16-mixed")


def test_a_model_whose_names_are_spelt_that_way_stays_as_it_is(resolve: Any, workload: Any) -> None:
    model = Model(params_m=7000, optimizer="adamw")

    assert resolve(workload(model=model)).model == model
