from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.kubernetes.claim_requests import Claim, read_claim
from adapters.kubernetes.claims import NOWHERE, ClaimIndex, read_claimed, validate
from adapters.kubernetes.devices import Device, device_of
from service.errors import RequestRefused
from service.model.base import Reason
from service.model.resource import Sharing

GPU = {"deviceClassName": "gpu.nvidia.com"}


def claim(*requests: Any, index: ClaimIndex = NOWHERE) -> Claim:
    return read_claim({"devices": {"requests": list(requests)}}, index)


def exactly(**fields: Any) -> dict[str, Any]:
    return {"name": "r", "exactly": {**GPU, **fields}}


def numbers(found: Claim) -> list[tuple[str, int | None, int | None, Reason | None]]:
    return [(one.resource, one.least, one.most, one.reason) for one in found.wanted]


def devices(found: Claim) -> list[Device]:
    return [one.device for one in found.wanted]


def cel(*expressions: str) -> list[dict[str, Any]]:
    return [{"cel": {"expression": expression}} for expression in expressions]


@pytest.mark.parametrize(
    ("request_", "number", "reason"),
    [
        (exactly(), 1, None),
        (exactly(count=8), 8, None),
        (exactly(count=8, allocationMode="ExactCount"), 8, None),
        ({"name": "r", **GPU, "count": 4}, 4, None),  # v1beta1
        (exactly(allocationMode="All"), None, Reason.ELSEWHERE),
        (exactly(allocationMode="AsMany"), None, Reason.UNDECLARED),
        (exactly(count="$COUNT"), None, Reason.UNDECLARED),
        (exactly(count=-1), None, Reason.UNDECLARED),
    ],
)
def test_a_request_takes_as_many_as_it_says(
    request_: dict[str, Any], number: int | None, reason: Reason | None
) -> None:
    assert numbers(claim(request_)) == [("gpu.nvidia.com", number, number, reason)]


@pytest.mark.parametrize("request_", [{}, {"name": "r"}, {"name": "r", "roughly": {"count": 1}}])
def test_a_request_of_an_unknown_form_takes_something(request_: dict[str, Any]) -> None:
    assert numbers(claim(request_)) == [("resourceclaims", None, None, Reason.UNDECLARED)]


def test_a_claim_of_the_first_version_takes_what_another_object_says() -> None:
    found = read_claim({"resourceClassName": "gpu.nvidia.com"}, NOWHERE)

    assert numbers(found) == [("gpu.nvidia.com", None, None, Reason.ELSEWHERE)]


def test_a_claim_without_requests_takes_nothing() -> None:
    assert read_claim({}, NOWHERE) == claim() == Claim()


def test_requests_of_the_same_kind_are_added_up() -> None:
    found = claim(exactly(), exactly(count=2), {"name": "r", "exactly": {**GPU, "count": 3}})

    assert numbers(found) == [("gpu.nvidia.com", 6, 6, None)]


def test_one_request_without_a_number_leaves_no_sum() -> None:
    found = claim(exactly(count=2), exactly(allocationMode="All"))

    assert numbers(found) == [("gpu.nvidia.com", None, None, Reason.ELSEWHERE)]


def test_the_largest_alternative_counts() -> None:
    found = claim(
        {
            "name": "r",
            "firstAvailable": [
                {**GPU, "count": 2, "selectors": cel(product("NVIDIA L4"))},
                {**GPU, "count": 4, "selectors": cel(product("Tesla T4"))},
            ],
        }
    )

    assert numbers(found) == [("gpu.nvidia.com", 2, 4, None)]
    assert devices(found) == [Device("device", "nvidia", Sharing.WHOLE)]
    assert found.wanted[0].source == "inferred:first_available"


@pytest.mark.parametrize(
    ("alternatives", "expected"),
    [
        (
            [{"deviceClassName": "gpu.intel.com"}, {"deviceClassName": "gaudi.intel.com"}],
            [("gpu.intel.com,gaudi.intel.com", 1, 1, None)],
        ),
        (
            [{**GPU, "count": 2}, {"deviceClassName": "dra.cpu", "count": 64}],
            [("gpu.nvidia.com", 0, 2, None)],
        ),
        (
            [{**GPU, "count": 2}, {**GPU, "allocationMode": "All"}],
            [("gpu.nvidia.com", None, None, Reason.ELSEWHERE)],
        ),
        ([{"deviceClassName": "dra.cpu"}, {"deviceClassName": "dra.net"}], []),
    ],
)
def test_alternatives_may_differ_in_everything(alternatives: Any, expected: Any) -> None:
    assert numbers(claim({"name": "r", "firstAvailable": alternatives})) == expected


def test_administrative_access_takes_nothing_from_anybody() -> None:
    found = claim(exactly(adminAccess=True, allocationMode="All"), exactly(adminAccess=False))

    assert numbers(found) == [("gpu.nvidia.com", 1, 1, None)]
    assert found.privileged == ("gpu.nvidia.com",)


def test_what_only_looks_like_administrative_access_counts() -> None:
    assert numbers(claim(exactly(adminAccess="true", count=2)))[0][2] == 2


def product(name: str, domain: str = "gpu.nvidia.com", attribute: str = "productName") -> str:
    return f'device.attributes["{domain}"].{attribute} == "{name}"'


NVIDIA, AMD = "gpu.nvidia.com", "gpu.amd.com"


@pytest.mark.parametrize(
    ("name", "expressions", "device"),
    [
        (NVIDIA, [], Device("device", "nvidia", Sharing.WHOLE)),
        (
            NVIDIA,
            [product("NVIDIA H100 80GB HBM3")],
            Device("device", "nvidia", Sharing.WHOLE, product="NVIDIA-H100-80GB-HBM3"),
        ),
        (
            NVIDIA,
            ['device.attributes["gpu.nvidia.com"].productName.contains("H100")'],
            Device("device", "nvidia", Sharing.WHOLE),
        ),
        ("mig.nvidia.com", [], Device("device", "nvidia", Sharing.MIG)),
        (
            "mig.nvidia.com",
            [product("1g.5gb", attribute="profile")],
            Device("device", "nvidia", Sharing.MIG, "1g.5gb"),
        ),
        (
            "small.gpu.nvidia.com",
            [product("mig", attribute="type")],
            Device("device", "nvidia", Sharing.MIG),
        ),
        (AMD, [], Device("device", "amd")),
        (AMD, [product("amdgpu", AMD, "type")], Device("device", "amd", Sharing.WHOLE)),
        (
            AMD,
            [
                product("AMD_Instinct_MI300X_OAM", AMD),
                product("cpx", AMD, "computePartition"),
                product("nps4", AMD, "memoryPartition"),
            ],
            Device("device", "amd", Sharing.FRACTION, "cpx_nps4", "AMD_Instinct_MI300X_OAM"),
        ),
        (
            AMD,
            [product("cpx", AMD, "computePartition")],
            Device("device", "amd", Sharing.FRACTION),
        ),
        (
            AMD,
            [product("spx_nps1", AMD, "partitionProfile")],
            Device("device", "amd", Sharing.WHOLE),
        ),
        (
            "gpu.intel.com",
            [product("Flex 170", "gpu.intel.com", "model"), product("vf", "gpu.intel.com", "type")],
            Device("device", "intel", Sharing.FRACTION, product="Flex_170"),
        ),
        (
            "gaudi.intel.com",
            [product("Gaudi3", "gaudi.intel.com", "model")],
            Device("device", "intel", Sharing.WHOLE, product="Gaudi3"),
        ),
        (
            "tpu.google.com",
            [product("v6e", "tpu.google.com", "tpuGen")],
            Device("device", "google", Sharing.WHOLE, product="TPU v6e"),
        ),
        (
            "neuron.aws.com",
            [product("trn2.48xlarge", "neuron.aws.com", "instanceType")],
            Device("device", "aws", Sharing.WHOLE, instance_type="trn2.48xlarge"),
        ),
        (
            "our-cards",
            [product("Tesla T4")],
            Device("device", "nvidia", None, product="Tesla-T4"),
        ),
        (
            "our-cards",
            ["device.driver == 'gaudi.intel.com'"],
            Device("device", "intel", Sharing.WHOLE),
        ),
        ("dra.net", ["device.driver == 'gpu.amd.com'"], Device("device", "amd")),
        (NVIDIA, [product("MI300X", AMD)], Device("device", "nvidia", Sharing.WHOLE)),
        ("our-nics", [product("eth1", "dra.net", "ifName")], Device("device")),
        ("gpu.example.com", [product("X", "gpu.example.com", "model")], Device("device")),
        ("our-cards", [], Device("device")),
    ],
)
def test_classes_and_selectors_say_what_a_device_is(
    name: str, expressions: list[str], device: Device
) -> None:
    request = {"deviceClassName": name, "selectors": cel(*expressions)}

    assert devices(claim({"name": "r", "exactly": request})) == [device]


@pytest.mark.parametrize(
    ("name", "capacities", "sharing", "part"),
    [
        ("hami-core-gpu.project-hami.io", {"cores": 30, "memory": "4Gi"}, "fraction", "4096MiB"),
        ("hami-core-gpu.project-hami.io", {"cores": "30"}, "fraction", "30/100"),
        (
            "hami-core-gpu.project-hami.io",
            {"hami-core-gpu.project-hami.io/memory": "1Gi"},
            "fraction",
            "1024MiB",
        ),
        ("hami-core-gpu.project-hami.io", {"memory": "$M"}, "fraction", None),
        (NVIDIA, {"memory": "4Gi"}, None, None),
        ("mig.nvidia.com", {"memory": "4Gi"}, "mig", None),
    ],
)
def test_capacities_are_a_part_of_a_device_where_its_driver_shares_it(
    name: str, capacities: dict[str, Any], sharing: str | None, part: str | None
) -> None:
    request = {"deviceClassName": name, "capacity": {"requests": capacities}}

    (found,) = devices(claim({"name": "r", "exactly": request}))

    assert (found.sharing, found.slice) == (sharing, part)


def test_networks_take_no_accelerators_and_others_nothing() -> None:
    found = claim(
        *(
            {"name": "r", "exactly": {"deviceClassName": name, "count": 8}}
            for name in (
                "efa.networking.k8s.aws",
                "compute-domain-default-channel.nvidia.com",
                "dra.cpu",
                "qat.intel.com",
                "efa.networking.k8s.aws",
            )
        )
    )

    assert numbers(found) == []
    assert found.networks == (
        "efa.networking.k8s.aws",
        "compute-domain-default-channel.nvidia.com",
    )


def test_a_class_that_nobody_lists_is_counted_and_named() -> None:
    odd = {"name": "r", "exactly": {"deviceClassName": "fast.example.com"}}
    evident = {"name": "r", "exactly": {"deviceClassName": "gpu.example.com"}}

    found = claim(odd, evident)

    assert [one.resource for one in found.wanted] == ["fast.example.com", "gpu.example.com"]
    assert found.unlisted == ("fast.example.com",)


def test_the_implicit_resource_of_a_class_counts_what_its_devices_are() -> None:
    prefix = "deviceclass.resource.kubernetes.io/"

    assert device_of(prefix + "gaudi.intel.com") == Device("device", "intel", Sharing.WHOLE)
    assert device_of(prefix + "mig.nvidia.com") == Device("device", "nvidia", Sharing.MIG)
    assert device_of(prefix + "compute-domain-daemon.nvidia.com") == Device("network", "nvidia")
    assert device_of(prefix + "anything") == Device("device")


def test_no_claim_has_hundreds_of_requests() -> None:
    with pytest.raises(RequestRefused, match="`requests` of the claim has 33 entries"):
        claim(*([exactly()] * 33))
    with pytest.raises(RequestRefused, match="`firstAvailable` of the claim has 33 entries"):
        claim({"name": "r", "firstAvailable": [GPU] * 33})


def device_class(name: str, *expressions: str, **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "resource.k8s.io/v1",
        "kind": "DeviceClass",
        "metadata": {"name": name},
        "spec": {"selectors": cel(*expressions), **spec},
    }


MIG = device_class(
    "slices",
    "device.driver == 'gpu.nvidia.com' && device.attributes['gpu.nvidia.com'].type == 'mig'",
    product("1g.12gb", attribute="profile"),
    extendedResourceName="example.com/widget",
)


def test_a_class_beside_a_claim_says_what_its_devices_are() -> None:
    index = ClaimIndex([MIG])
    request = {"deviceClassName": "slices", "selectors": cel(product("NVIDIA GH200"))}

    found = claim({"name": "r", "exactly": request}, index=index)

    assert devices(found) == [Device("device", "nvidia", Sharing.MIG, "1g.12gb", "NVIDIA-GH200")]


def test_a_class_says_what_the_extended_resource_counts_that_stands_for_it() -> None:
    index = ClaimIndex([MIG])
    slices = Device("device", "nvidia", Sharing.MIG, "1g.12gb")

    assert index.device_of("example.com/widget") == slices
    assert index.device_of("deviceclass.resource.kubernetes.io/slices") == slices
    assert ClaimIndex([], beside=index).device_of("example.com/widget") == slices
    assert index.device_of("example.com/other") is None
    assert NOWHERE.device_of("nvidia.com/gpu") == Device("device", "nvidia")


def test_classes_that_disagree_about_a_resource_say_nothing_about_it() -> None:
    other = device_class("cards", "device.driver == 'gpu.amd.com'")
    other["spec"]["extendedResourceName"] = "example.com/widget"
    network = device_class("dra.net", extendedResourceName="example.com/nic")
    odd = device_class("odd", extendedResourceName="example.com/odd")

    index = ClaimIndex([MIG, other, network, odd])

    assert index.device_of("example.com/widget") is None
    assert index.device_of("example.com/nic") == Device("network")
    assert index.device_of("example.com/odd") is None


def test_two_classes_of_one_name_say_nothing() -> None:
    index = ClaimIndex([MIG, device_class("slices", "device.driver == 'gpu.amd.com'")])

    assert index.facts_of("slices").texts == {}


def named(kind: str, name: str, spec: Any, namespace: str | None = None) -> dict[str, Any]:
    metadata = {"name": name} if namespace is None else {"name": name, "namespace": namespace}
    return {
        "apiVersion": "resource.k8s.io/v1beta2",
        "kind": kind,
        "metadata": metadata,
        "spec": {"spec": spec} if kind == "ResourceClaimTemplate" else spec,
    }


def spec(count: int) -> dict[str, Any]:
    return {"devices": {"requests": [exactly(count=count)]}}


def pod(*claims: dict[str, Any], namespace: str | None = None) -> dict[str, Any]:
    metadata = {} if namespace is None else {"namespace": namespace}
    return {"metadata": metadata, "spec": {"resourceClaims": list(claims)}}


def template_of(name: str) -> dict[str, Any]:
    return {"name": name, "resourceClaimTemplateName": name}


def claim_of(name: str, called: str = "c") -> dict[str, Any]:
    return {"name": called, "resourceClaimName": name}


def claimed(index: ClaimIndex, of: dict[str, Any]) -> tuple[list[Any], list[Any], bool]:
    found = read_claimed(of["spec"], index.near(of))
    return [one.most for one in found.own], [one.most for one in found.shared], found.is_complete


def test_templates_are_of_each_pod_and_claims_are_shared() -> None:
    index = ClaimIndex(
        [named("ResourceClaimTemplate", "each", spec(2)), named("ResourceClaim", "one", spec(8))]
    )

    assert claimed(index, pod(template_of("each"))) == ([2], [], True)
    assert claimed(index, pod(claim_of("one"))) == ([], [8], True)
    assert claimed(index, pod(template_of("each"), template_of("each"))) == ([4], [], True)
    assert claimed(index, pod(claim_of("one"), claim_of("one", "again"))) == ([], [8], True)
    assert claimed(index, pod(template_of("each"), claim_of("one"))) == ([2], [8], True)
    assert claimed(index, pod()) == ([], [], True)


def test_a_reference_may_be_written_as_before() -> None:
    index = ClaimIndex([named("ResourceClaim", "one", spec(8))])

    assert claimed(index, pod({"name": "c", "source": {"resourceClaimName": "one"}})) == (
        [],
        [8],
        True,
    )


@pytest.mark.parametrize(
    "reference",
    [
        claim_of("each"),
        template_of("one"),
        template_of("missing"),
        {"name": "c"},
        {"name": "c", "resourceClaimName": ""},
    ],
)
def test_what_is_not_here_is_elsewhere_and_never_nothing(reference: dict[str, Any]) -> None:
    index = ClaimIndex(
        [named("ResourceClaimTemplate", "each", spec(2)), named("ResourceClaim", "one", spec(8))]
    )

    assert claimed(index, pod(reference)) == ([], [], False)
    assert claimed(index, pod(template_of("each"), reference)) == ([2], [], False)


def test_a_single_object_finds_nothing() -> None:
    found = read_claimed(pod(claim_of("one"))["spec"], None)

    assert (found.is_complete, found.takes, found.own, found.shared) == (False, True, (), ())


@pytest.mark.parametrize(
    ("stated", "asked", "scope", "is_found"),
    [
        ("a", "a", None, True),
        ("a", "b", None, False),
        ("a", None, "a", True),
        (None, "a", "a", True),
        (None, None, None, True),
        (None, "default", None, True),
        ("a", None, None, False),
        ("a", None, "b", False),
    ],
)
def test_claims_are_found_in_their_own_namespace(
    stated: str | None, asked: str | None, scope: str | None, *, is_found: bool
) -> None:
    index = ClaimIndex([named("ResourceClaim", "one", spec(8), stated)], namespace=scope)

    assert claimed(index, pod(claim_of("one"), namespace=asked))[2] is is_found


def test_a_name_that_means_two_things_is_not_known() -> None:
    one, same = (named("ResourceClaimTemplate", "each", spec(2)) for _ in range(2))
    other = named("ResourceClaimTemplate", "each", spec(3))

    assert claimed(ClaimIndex([one, same]), pod(template_of("each"))) == ([2], [], True)
    assert claimed(ClaimIndex([one, other]), pod(template_of("each"))) == ([], [], False)


def test_what_a_file_holds_itself_goes_before_what_is_beside_it() -> None:
    beside = ClaimIndex(
        [
            named("ResourceClaimTemplate", "each", spec(2)),
            named("ResourceClaimTemplate", "more", spec(5)),
            MIG,
        ]
    )
    index = ClaimIndex([named("ResourceClaimTemplate", "each", spec(3))], beside=beside)

    assert claimed(index, pod(template_of("each"), template_of("more"))) == ([8], [], True)
    assert index.facts_of("slices").driver == "gpu.nvidia.com"


def test_the_channel_of_a_compute_domain_takes_no_cards() -> None:
    domain = {
        "apiVersion": "resource.nvidia.com/v1beta1",
        "kind": "ComputeDomain",
        "metadata": {"name": "d", "namespace": "a"},
        "spec": {"numNodes": 4, "channel": {"resourceClaimTemplate": {"name": "channel"}}},
    }
    of = pod(template_of("channel"), namespace="a")

    found = read_claimed(of["spec"], ClaimIndex([domain]).near(of))

    assert (found.own, found.is_complete) == ((), True)
    assert found.networks == ("compute-domain-default-channel.nvidia.com",)


def test_only_objects_about_claims_that_have_a_name_are_found() -> None:
    nameless = named("ResourceClaimTemplate", "each", spec(2))
    nameless["metadata"] = {"generateName": "each-"}
    foreign = {**named("ResourceClaimTemplate", "each", spec(2)), "apiVersion": "example.com/v1"}
    domain = {"apiVersion": "resource.nvidia.com/v1beta1", "kind": "ComputeDomain"}

    index = ClaimIndex(
        [nameless, foreign, {**domain, "metadata": {"name": "each"}}, {"kind": 1}, {}]
    )

    assert claimed(index, pod(template_of("each"))) == ([], [], False)


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        ("ResourceClaim", {"devices": []}),
        ("ResourceClaim", {"devices": {"requests": {}}}),
        ("ResourceClaim", {"devices": {"requests": [{"exactly": {"deviceClassName": 1}}]}}),
        ("ResourceClaimTemplate", {"spec": {"devices": {"requests": "x"}}}),
        ("DeviceClass", {"selectors": [{"cel": "x"}]}),
        ("DeviceClass", {"extendedResourceName": 1}),
        ("ComputeDomain", {"channel": "x"}),
    ],
)
def test_what_is_no_claim_is_refused(kind: str, wrong: dict[str, Any]) -> None:
    with pytest.raises(RequestRefused) as refused:
        validate(kind, {"spec": wrong})

    assert refused.value.code == "SYS-INPUT-PAYLOAD"


COUNTS = st.lists(st.integers(min_value=1, max_value=32), min_size=1, max_size=8)


@given(COUNTS)
def test_a_claim_takes_the_sum_of_its_requests(counts: list[int]) -> None:
    found = claim(*(exactly(count=number) for number in counts))

    assert numbers(found) == [("gpu.nvidia.com", sum(counts), sum(counts), None)]


@given(COUNTS)
def test_a_request_takes_no_more_than_its_largest_alternative(counts: list[int]) -> None:
    found = claim({"name": "r", "firstAvailable": [{**GPU, "count": one} for one in counts]})

    assert numbers(found) == [("gpu.nvidia.com", min(counts), max(counts), None)]


KEYS = st.sampled_from(
    [
        "devices",
        "requests",
        "exactly",
        "firstAvailable",
        "deviceClassName",
        "count",
        "selectors",
        "cel",
        "expression",
        "capacity",
        "adminAccess",
        "allocationMode",
        "spec",
    ]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 40) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(KEYS, JSON, max_size=4))
def test_whatever_a_claim_holds_it_is_read_or_refused(document: dict[str, Any]) -> None:
    try:
        found = read_claim(document, NOWHERE)
    except RequestRefused:
        return

    assert all(one.most is not None or one.reason is not None for one in found.wanted)
