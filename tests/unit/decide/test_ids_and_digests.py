from __future__ import annotations

import json
import threading
import time
import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.decide import ids
from service.decide.digests import canonical, digest
from service.decide.ids import uuid7
from service.decide.summary import summarise
from service.model.base import Basis, Range, Reason
from service.model.decision import DecidedCost
from service.model.request import Context, Request
from service.model.resource import Accelerator, Cost, Ownership, ResourceState


def test_an_id_is_a_uuid_of_version_7_with_the_present_time() -> None:
    earliest = time.time_ns() // 1_000_000

    made = uuid.UUID(uuid7())

    assert (made.version, made.variant) == (7, uuid.RFC_4122)
    assert earliest <= made.int >> 80 <= time.time_ns() // 1_000_000 + 1


def test_ids_of_all_threads_are_different_and_rise_within_each() -> None:
    found: list[list[str]] = [[] for _ in range(4)]

    def make(into: list[str]) -> None:
        into.extend(uuid7() for _ in range(2_000))

    threads = [threading.Thread(target=make, args=(into,)) for into in found]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert all(into == sorted(into) for into in found)
    assert len({made for into in found for made in into}) == 8_000


def test_ids_rise_when_the_clock_goes_back_and_when_the_counter_is_full() -> None:
    clock = ids._Clock()
    full = (1 << 42) - 1

    first = clock.next(1_000, full)
    second = clock.next(900, 0)
    clock._counter = full
    third = clock.next(900, 8)

    assert first == (1_000, full >> 1)
    assert second == (1_000, (full >> 1) + 1)
    assert third == (1_001, 4)


def test_equal_values_have_equal_bytes_whatever_the_order_of_their_maps(
    request_of: Any, resource_of: Any
) -> None:
    one = ResourceState(labels={"a": "1", "b": "2"})
    two = ResourceState(labels={"b": "2", "a": "1"})
    first = request_of(resource_of(labels={"x": "1", "y": "2"}, before=one))
    second = request_of(resource_of(labels={"y": "2", "x": "1"}, before=two))

    assert first == second
    assert canonical(first) == canonical(second)
    assert digest(canonical(first)) == digest(canonical(second))


def test_a_stored_request_comes_back_as_it_was(request_of: Any, resource_of: Any) -> None:
    known = request_of(resource_of(accelerators=(Accelerator(total=Range(min=1)),)))
    not_known = request_of(
        resource_of(accelerators=None, unknown={"/accelerators": Reason.AFTER_APPLY}),
        resource_of("b", before=ResourceState(accelerators=None)),
    )

    for request in (known, not_known):
        stored = canonical(request)
        assert Request.model_validate_json(stored) == request
        assert canonical(Request.model_validate_json(stored)) == stored
    assert b"null" not in canonical(known)
    assert canonical(not_known) != canonical(
        request_of(resource_of(unknown={"/accelerators": Reason.AFTER_APPLY}), resource_of("b"))
    )


def test_bytes_are_compact_utf8() -> None:
    assert canonical({"b": 1, "a": "ü"}) == '{"a":"ü","b":1}'.encode()
    assert canonical([1, 2]) == b"[1,2]"
    assert (
        canonical(Context(now="x"))
        == b'{"now":"x","totals":[],"usage":[],"by_vendor":[],"budgets":[],"waivers":[]}'
    )


def test_a_digest_is_sha256_in_hexadecimal() -> None:
    assert digest(b"") == (
        "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    )


@given(
    st.recursive(
        st.integers() | st.text(alphabet=st.characters(codec="utf-8")),
        lambda inner: (
            st.lists(inner) | st.dictionaries(st.text(alphabet=st.characters(codec="utf-8")), inner)
        ),
    ).map(lambda value: [value])
)
def test_plain_values_survive(value: list[Any]) -> None:
    assert json.loads(canonical(value)) == value


@pytest.mark.parametrize(
    ("cost", "unknown", "shown"),
    [
        (Cost(), {}, None),
        (Cost(), {"/cost": Reason.NOT_IN_CATALOG}, DecidedCost(basis=Basis.UNKNOWN)),
        (
            Cost(micros_per_hour=Range(min=1, max=9), currency="USD", basis=Basis.LIST),
            {},
            DecidedCost(micros_per_hour=9, currency="USD", basis=Basis.LIST),
        ),
    ],
)
def test_the_summary_shows_a_cost_where_one_is_needed(
    cost: Cost,
    unknown: dict[str, Reason],
    shown: DecidedCost | None,
    request_of: Any,
    resource_of: Any,
) -> None:
    [summary] = summarise(request_of(resource_of(cost=cost, unknown=unknown)))

    assert summary.cost == shown
    assert summary.unknown == unknown


def test_the_summary_keeps_unknown_accelerators_apart_from_none(
    request_of: Any, resource_of: Any
) -> None:
    item = Accelerator(model="nvidia-l4", slice="1/8", total=Range(min=1, max=2))
    known, hidden = summarise(
        request_of(
            resource_of(accelerators=(item,), ownership=Ownership(team="vision")),
            resource_of(accelerators=None),
        )
    )

    assert hidden.accelerators is None
    assert known.accelerators is not None
    assert known.accelerators[0].model_dump() == {
        "model": "nvidia-l4",
        "slice": "1/8",
        "total": {"min": 1, "max": 2},
    }
    assert known.team == "vision"
