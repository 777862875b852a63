"""Requests that a client wrote itself."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.api.normalise import normalise_request
from service.errors import RequestRefused
from service.model.base import Binding, EnforcementPoint
from service.model.request import Request
from service.model.sensitive import REDACTED

_RESOURCE: dict[str, Any] = {
    "address": "job/7",
    "subject": "job/7",
    "kind": "job",
    "role": "workload",
    "change": "create",
}


def _normalise(payload: Any) -> Request:
    return normalise_request(payload, caller="ci", binding=Binding.ADVISORY, key="sha256:0")


def test_a_description_becomes_a_request_of_the_caller() -> None:
    request = _normalise({"resources": [{**_RESOURCE, "region": "eu-west-1"}]})

    assert request.enforcement_point is EnforcementPoint.API
    assert (request.caller, request.key, request.binding) == ("ci", "sha256:0", Binding.ADVISORY)
    assert request.resources[0].region == "eu-west-1"


@pytest.mark.parametrize("field", ["context", "caller", "enforcement_point", "binding"])
def test_the_service_alone_says_who_spoke_and_when(field: str) -> None:
    with pytest.raises(RequestRefused, match=f"`/{field}` is written by the service"):
        _normalise({field: None})


@pytest.mark.parametrize("field", ["country", "jurisdictions", "places", "fit", "cost"])
@pytest.mark.parametrize("inside", [False, True])
def test_looked_up_facts_may_not_be_sent(field: str, *, inside: bool) -> None:
    state: dict[str, Any] = {field: None}
    resource = {**_RESOURCE, "before": state} if inside else {**_RESOURCE, **state}

    with pytest.raises(RequestRefused, match=f"{field}` is written by the service"):
        _normalise({"resources": [resource]})


def test_secrets_are_replaced() -> None:
    resource = {**_RESOURCE, "labels": {"api-token": "s3cr3t-value"}}

    request = _normalise({"resources": [{**resource, "before": {"labels": resource["labels"]}}]})

    assert "s3cr3t-value" not in request.model_dump_json()
    assert request.resources[0].labels["api-token"] == REDACTED


@pytest.mark.parametrize("payload", [None, [], "text", 7, {"resources": [1]}, {"unheard": 1}])
def test_what_is_no_request_is_refused(payload: Any) -> None:
    with pytest.raises(RequestRefused):
        _normalise(payload)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from([*Request.model_fields, *_RESOURCE, "x"]), _JSON))
def test_nothing_but_a_refusal_is_raised(payload: dict[str, Any]) -> None:
    for body in (payload, {"resources": [{**_RESOURCE, **payload}]}):
        with contextlib.suppress(RequestRefused):
            assert _normalise(body).caller == "ci"
