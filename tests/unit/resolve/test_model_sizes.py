from __future__ import annotations

from typing import Any

import pytest

from service.bundle.values import Bundle
from service.model.base import Range, Reason
from service.model.resource import Accelerator, Model, Sharing
from service.resolve.resolver import Resolver


@pytest.mark.parametrize(
    "name",
    ["meta-llama/Llama-3.1-70B", "Llama-3.1-70B", "/models/llama-3.1-70b/", "x/LLAMA-3.1-70b"],
)
def test_a_model_is_known_by_its_id_a_short_name_or_a_path(
    name: str, resolve: Any, workload: Any
) -> None:
    resource = resolve(workload(model=Model(id=name)))

    assert resource.model.params_m == 70_600
    assert resource.provenance["/model/params_m"] == "catalog"
    assert resource.fit.kv_values_per_token == 163_840
    assert resource.fit.attention == "gqa"
    assert (resource.fit.usable_mib, resource.fit.accelerators_per_copy) == (23_034, 1)


def test_the_shape_of_a_model_is_the_catalogs(resolve: Any, workload: Any) -> None:
    fit = resolve(workload(model=Model(id="deepseek-v3"))).fit

    assert (fit.hidden, fit.kv_heads, fit.params_active_m) == (7168, 128, 37_000)
    assert (fit.window_tokens, fit.window_kv_values_per_token) == (0, 0), "known to have none"


def test_a_declared_size_may_be_larger_than_the_catalogs_and_not_smaller(
    resolve: Any, workload: Any
) -> None:
    smaller = resolve(workload(model=Model(id="llama-3.1-70b", params_m=7)))
    larger = resolve(workload(model=Model(id="llama-3.1-70b", params_m=80_000)))

    assert (smaller.model.params_m, larger.model.params_m) == (70_600, 80_000)


@pytest.mark.parametrize(
    ("precision", "bits", "source"),
    [
        ("float32", 32, "catalog"),
        ("bfloat16", 16, "catalog"),
        ("auto", 16, "catalog"),
        (None, 16, "catalog"),
        ("FP8", 8, "catalog"),
        ("w8a8", 8, "catalog"),
        ("awq", 4, "catalog"),
        ("nf4", 4, "catalog"),
    ],
)
def test_names_of_precisions_become_bits(
    precision: str | None, bits: int, source: str, resolve: Any, workload: Any
) -> None:
    resource = resolve(workload(model=Model(id="llama-3.1-70b", precision=precision)))

    assert (resource.fit.weight_bits, resource.fit.kv_bits) == (bits, 16)
    assert resource.provenance["/fit/weight_bits"] == source
    assert resource.provenance["/fit/kv_bits"] == "default"


def test_a_precision_that_nobody_knows_is_not_sixteen_bits(resolve: Any, workload: Any) -> None:
    resource = resolve(
        workload(model=Model(id="llama-3.1-70b", precision="gguf", kv_precision="zip"))
    )

    assert (resource.fit.weight_bits, resource.fit.kv_bits) == (None, None)
    assert resource.unknown["/fit/weight_bits"] is Reason.NOT_IN_CATALOG
    assert resource.unknown["/fit/kv_bits"] is Reason.NOT_IN_CATALOG


@pytest.mark.parametrize("precision", [None, "", "auto"])
def test_an_undeclared_precision_is_that_of_the_published_checkpoint(
    precision: str | None, resolve: Any, workload: Any
) -> None:
    resource = resolve(workload(model=Model(id="deepseek-v3", precision=precision)))

    assert (resource.fit.weight_bits, resource.fit.kv_bits) == (8, 16)
    assert resource.provenance["/fit/weight_bits"] == "catalog"


@pytest.mark.parametrize(
    ("precision", "source", "bits"),
    [
        ("bf16", "declared", 16),
        ("awq", "declared", 4),
        ("bfloat16", "inferred:vllm", 8),
        ("awq", "inferred:vllm", 4),
    ],
)
def test_a_declared_precision_wins_and_a_servers_data_type_unpacks_no_quantised_checkpoint(
    precision: str, source: str, bits: int, resolve: Any, workload: Any
) -> None:
    known = {"/model/precision": source}

    resource = resolve(
        workload(model=Model(id="deepseek-v3", precision=precision), provenance=known)
    )

    assert resource.fit.weight_bits == bits


def test_a_servers_data_type_is_the_width_of_a_checkpoint_that_is_not_quantised(
    resolve: Any, workload: Any
) -> None:
    served = workload(
        model=Model(id="llama-3.1-70b", precision="float32"),
        provenance={"/model/precision": "inferred:vllm"},
    )

    assert resolve(served).fit.weight_bits == 32


@pytest.mark.parametrize("name", [None, "ours/secret-9"])
@pytest.mark.parametrize("precision", [None, "auto"])
def test_no_width_is_assumed_for_a_model_that_is_not_in_the_catalog(
    name: str | None, precision: str | None, resolve: Any, workload: Any
) -> None:
    resource = resolve(workload(model=Model(id=name, params_m=70_000, precision=precision)))

    assert resource.fit.weight_bits is None
    assert resource.unknown["/fit/weight_bits"] is Reason.UNDECLARED
    assert "/fit/weight_bits" not in resource.provenance


def test_a_declared_width_needs_no_catalog(resolve: Any, workload: Any) -> None:
    resource = resolve(workload(model=Model(params_m=70_000, precision="fp8")))

    assert resource.fit.weight_bits == 8
    assert "/fit/weight_bits" not in resource.unknown


def test_a_hidden_precision_does_not_become_the_catalogs(resolve: Any, workload: Any) -> None:
    hidden = {"/model/precision": Reason.AFTER_APPLY}

    resource = resolve(workload(model=Model(id="llama-3.1-70b"), unknown=hidden))

    assert resource.fit.weight_bits is None
    assert resource.unknown["/fit/weight_bits"] is Reason.AFTER_APPLY


def test_a_checkpoints_own_name_may_state_its_precision(resolve: Any, workload: Any) -> None:
    resource = resolve(workload(model=Model(id="neuralmagic/Llama-3.1-70B-FP8", params_m=70_600)))

    assert resource.fit.weight_bits == 8
    assert resource.provenance["/fit/weight_bits"] == "inferred:model_id"


def test_a_model_outside_the_catalog_keeps_its_reasons(resolve: Any, workload: Any) -> None:
    resource = resolve(workload(model=Model(id="ours/secret-9")))

    assert resource.model.params_m is None
    for pointer in (
        "/model/params_m",
        "/fit/kv_values_per_token",
        "/fit/layers",
        "/fit/params_active_m",
        "/fit/window_tokens",
    ):
        assert resource.unknown[pointer] is Reason.NOT_IN_CATALOG


def test_a_declared_size_without_an_id_leaves_the_shape_undeclared(
    resolve: Any, workload: Any
) -> None:
    resource = resolve(workload(model=Model(params_m=7_000)))

    assert resource.unknown["/fit/layers"] is Reason.UNDECLARED
    assert "/model/params_m" not in resource.unknown


def test_a_hidden_model_id_hides_its_sizes(resolve: Any, workload: Any) -> None:
    resource = resolve(workload(unknown={"/model/id": Reason.ELSEWHERE}))

    assert resource.unknown["/model/params_m"] is Reason.ELSEWHERE
    assert resource.unknown["/fit/weight_bits"] is Reason.ELSEWHERE


def test_without_a_model_nothing_is_said_about_one(resolve: Any, workload: Any) -> None:
    resource = resolve(workload())

    assert resource.fit.weight_bits is None
    assert not [pointer for pointer in resource.unknown if pointer.startswith(("/model", "/fit"))]


@pytest.mark.parametrize(
    ("part", "usable", "is_estimate"),
    [
        (None, 81_559, False),
        ("1g.10gb", 9_984, False),
        ("1g.10gb.me", 9_984, False),
        ("3g.40gb", 36_044, True),
        ("1/2", 40_779, True),
        ("3000MiB", 3000, False),
        ("999999MiB", 81_559, False),
    ],
)
def test_memory_is_that_of_the_card_or_of_its_part(
    part: str | None, usable: int, resolve: Any, workload: Any, *, is_estimate: bool
) -> None:
    asked = Accelerator(
        model="nvidia-h100-sxm", slice=part, per_worker=1, total=Range(min=1, max=1)
    )

    fit = resolve(workload(accelerators=(asked,))).fit

    assert (fit.usable_mib, fit.usable_is_estimate) == (usable, is_estimate)


@pytest.mark.parametrize(
    "item",
    [
        {"model": "google-tpu-v5e"},
        {"model": "nvidia-l4", "slice": "half"},
        {"model": "nvidia-l4", "slice": "1g.10gb"},
        {"model": "nvidia-h100-sxm", "slice": "2g.10gb"},
        {"model": "nvidia-l4", "sharing": Sharing.FRACTION},
        {"model": "nvidia-l4", "slice": "1/0"},
    ],
)
def test_memory_that_nobody_knows_is_unknown(
    item: dict[str, Any], resolve: Any, workload: Any
) -> None:
    asked = Accelerator(per_worker=1, total=Range(min=1, max=1), **item)

    resource = resolve(workload(accelerators=(asked,)))

    assert resource.fit.usable_mib is None
    assert resource.unknown["/fit/usable_mib"] is Reason.NOT_IN_CATALOG


def test_memory_of_a_share_is_that_of_the_instance_type(resolve: Any, capacity: Any) -> None:
    fit = resolve(capacity(instance_type="g6f.large")).fit

    assert (fit.usable_mib, fit.usable_is_estimate) == (2_800, True)


def test_two_kinds_of_accelerators_have_no_single_memory(resolve: Any, workload: Any) -> None:
    one = Accelerator(model="nvidia-l4", per_worker=1, total=Range(min=1, max=1))
    two = one.model_copy(update={"model": "mi300x"})

    resource = resolve(workload(accelerators=(one, two)))

    assert resource.unknown["/fit/usable_mib"] is Reason.UNDECLARED
    assert resource.software_stack == "cuda,rocm"


def test_a_figure_that_the_catalog_lacks_is_unknown(
    bundle: Bundle, request_of: Any, workload: Any, now: Any
) -> None:
    row = {**bundle.data["catalog"]["models"]["meta-llama/llama-3.1-70b"], "params_m": None}
    row["kv_values_per_token"] = row["weight_bits"] = None
    catalog = {**bundle.data["catalog"], "models": {"m": row}}
    resolver = Resolver(Bundle(bundle.ref, {}, {**bundle.data, "catalog": catalog}, {}, bundle.org))

    request = request_of(workload(model=Model(id="m")), workload(model=Model(id="m", params_m=9)))
    bare, declared = resolver.resolve(request, now=now).resources

    assert bare.unknown["/model/params_m"] is Reason.NOT_IN_CATALOG
    assert bare.unknown["/fit/kv_values_per_token"] is Reason.NOT_IN_CATALOG
    assert bare.unknown["/fit/weight_bits"] is Reason.NOT_IN_CATALOG
    assert declared.model.params_m == 9
    assert "/model/params_m" not in declared.unknown
