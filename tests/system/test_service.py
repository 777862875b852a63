"""The service as its callers meet it: over HTTP, as a process of its own."""

from __future__ import annotations

import hashlib
import http.client
import json
import re
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from payloads import deployment, review
from running import Service, portreeve

pytestmark = [pytest.mark.system, pytest.mark.enable_socket]

VALIDATE = "/v1/kubernetes/validate/prod-eu"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with portreeve(tmp_path_factory.mktemp("service")) as running:
        yield running


def _codes(decision: dict[str, Any]) -> set[str]:
    return {finding["code"] for finding in decision["findings"]}


def test_a_model_that_does_not_fit_is_refused_with_what_would_fit(service: Service) -> None:
    asked = review(deployment(gpus=1))

    answer = service.post(VALIDATE, asked)

    response = answer.body["response"]
    assert answer.status == 200
    assert (response["uid"], response["allowed"]) == (asked["request"]["uid"], False)
    message = response["status"]["message"]
    assert "GPU-002" in message
    assert "Deployment language-serving/llama-70b" in message
    assert "1 x NVIDIA-L4 has" in message
    decision = service.get(f"/v1/decisions/{_id(message, service)}").body
    assert decision["outcome"] == "deny"
    assert decision["caller"] == "unauthenticated"


def _id(message: str, service: Service) -> str:
    found = [
        item["decision_id"]
        for item in service.get("/v1/decisions?limit=1000").body["decisions"]
        if item["decision_id"] in message
    ]
    assert len(found) == 1, message
    return str(found[0])


def test_the_corrected_request_is_allowed(service: Service) -> None:
    answer = service.post(VALIDATE, review(deployment(gpus=4, product="NVIDIA-H100-80GB-HBM3")))

    assert answer.body["response"]["allowed"] is True, answer.text


def test_the_same_uid_with_another_body_is_refused_and_recorded(service: Service) -> None:
    uid = str(uuid.uuid4())
    good = deployment(gpus=4, product="NVIDIA-H100-80GB-HBM3")
    larger = deployment(gpus=4, product="NVIDIA-H100-80GB-HBM3", replicas=2)

    first = service.post(VALIDATE, review(good, uid=uid)).body["response"]
    other = service.post(VALIDATE, review(larger, uid=uid)).body["response"]
    again = service.post(VALIDATE, review(good, uid=uid)).body["response"]

    assert first["allowed"]
    assert not other["allowed"]
    assert other["status"]["code"] == 422
    assert "SYS-UID-REUSED" in other["status"]["message"]
    assert again == first
    found = service.get("/v1/decisions?code=SYS-UID-REUSED").body["decisions"]
    assert uid in {item["key"] for item in found}


def test_the_same_uid_gets_the_same_answer_and_one_record(service: Service) -> None:
    asked = review(deployment(gpus=2), uid=str(uuid.uuid4()))

    first = service.post(VALIDATE, asked)
    second = service.post(VALIDATE, asked)

    assert first.text == second.text
    kept = [
        item
        for item in service.get("/v1/decisions?limit=1000").body["decisions"]
        if item["key"] == asked["request"]["uid"]
    ]
    assert len(kept) == 1


def test_a_plan_is_decided_and_says_so_in_the_form_of_a_decision(service: Service) -> None:
    plan = {"format_version": "1.2", "terraform_version": "1.11.0", "resource_changes": []}

    answer = service.post("/v1/terraform/plan", plan)

    assert answer.status == 200
    assert answer.body["outcome"] == "allow"
    assert answer.body["enforcement_point"] == "terraform"
    assert answer.body["binding"] == "advisory"


_DEEP = b"[" * 10_000 + b"]" * 10_000
_BAD = {
    "not JSON": b"hello",
    "empty": b"",
    "truncated": json.dumps(review(deployment())).encode()[:-200],
    "nested 10,000 deep": _DEEP,
    "duplicate keys": b'{"kind":"AdmissionReview","kind":"AdmissionReview"}',
    "NaN": b'{"a": NaN}',
    "an infinite number": b'{"a": 1e999}',
    "a list": b"[]",
    "without a request": b'{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview"}',
    "another version": b'{"apiVersion":"admission.k8s.io/v1beta1","kind":"AdmissionReview",'
    b'"request":{}}',
    "too large": b'{"a":"' + b"x" * (9 * 2**20) + b'"}',
}


@pytest.mark.parametrize("name", _BAD)
def test_a_body_that_cannot_be_read_is_refused_and_recorded(service: Service, name: str) -> None:
    raw = _BAD[name]

    answer = service.post(VALIDATE, raw)

    assert 400 <= answer.status < 500, answer.text
    assert answer.body["code"].startswith("SYS-INPUT"), answer.text
    assert "Traceback" not in answer.text
    record = service.get(f"/v1/decisions/{answer.body['decision_id']}").body
    assert (record["kind"], record["outcome"], record["cause"]) == ("rejected", "deny", "error")
    assert record["request_digest"] == f"sha256:{hashlib.sha256(raw).hexdigest()}"


def test_a_chunked_body_is_cut_off_at_the_limit(service: Service) -> None:
    parts = urlsplit(service.url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)

    def chunks() -> Iterator[bytes]:
        yield b'{"a":"'
        for _ in range(60):
            yield b"x" * 2**20

    try:
        connection.request(
            "POST",
            VALIDATE,
            chunks(),
            encode_chunked=True,
            headers={"Transfer-Encoding": "chunked"},
        )
        status = connection.getresponse().status
    except (BrokenPipeError, ConnectionResetError):
        status = 413  # the server answered and closed before we had sent everything
    finally:
        connection.close()

    assert status == 413
    assert service.get("/healthz").status == 200


@pytest.mark.parametrize("field", ["context", "caller", "enforcement_point", "binding"])
def test_what_only_the_service_knows_may_not_be_sent(service: Service, field: str) -> None:
    answer = service.post("/v1/evaluate", {"schema_version": 1, "key": "k", field: {}})

    assert answer.status == 400
    assert answer.body["code"] == "SYS-INPUT-FORBIDDEN"


@pytest.mark.parametrize(
    "plan",
    [
        {"format_version": "1.2", "errored": True, "resource_changes": []},
        {"format_version": "1.2"},
        {"format_version": "2.0", "resource_changes": []},
        {"resource_changes": {}},
    ],
)
def test_a_plan_that_is_none_is_refused_and_recorded(
    service: Service, plan: dict[str, Any]
) -> None:
    answer = service.post("/v1/terraform/plan", plan)

    assert answer.status == 400
    assert service.get(f"/v1/decisions/{answer.body['decision_id']}").body["kind"] == "rejected"


def test_filters_and_pages_find_what_was_decided(service: Service) -> None:
    service.post(VALIDATE, review(deployment(gpus=1)))
    service.post(VALIDATE, review(deployment(gpus=1)))

    first = service.get("/v1/decisions?code=GPU-002&outcome=deny&team=language&limit=1").body
    rest = service.get(
        f"/v1/decisions?code=GPU-002&outcome=deny&team=language&cursor={first['next_cursor']}"
    ).body

    assert len(first["decisions"]) == 1
    ids = [item["decision_id"] for item in first["decisions"] + rest["decisions"]]
    assert len(ids) == len(set(ids))
    assert all("GPU-002" in _codes(item) for item in rest["decisions"])
    assert service.get("/v1/decisions?outcome=perhaps").status == 400
    assert service.get("/v1/decisions?cursor=nonsense").status == 400
    assert service.get("/v1/decisions/nonsense").status == 404


def test_every_decision_writes_one_line(service: Service) -> None:
    asked = review(deployment(gpus=1))
    service.post(VALIDATE, asked)

    lines = [line for line in service.lines() if line.get("key") == asked["request"]["uid"]]

    assert [line["event"] for line in lines] == ["decision"]
    assert lines[0]["outcome"] == "deny"
    assert "GPU-002" in lines[0]["codes"]


def test_tokens_decide_who_may_do_what(tmp_path: Path) -> None:
    def entry(name: str, *roles: str, clusters: tuple[str, ...] = ()) -> dict[str, Any]:
        digest = hashlib.sha256(f"token-of-{name}".encode()).hexdigest()
        return {
            "name": name,
            "token_sha256": digest,
            "roles": list(roles),
            "clusters": list(clusters),
        }

    tokens = tmp_path / "tokens.yaml"
    tokens.write_text(
        yaml.safe_dump(
            [entry("cluster", "enforcer", clusters=("prod-eu",)), entry("auditor", "reader")]
        )
    )
    enforcer = {"Authorization": "Bearer token-of-cluster"}
    reader = {"Authorization": "Bearer token-of-auditor"}
    with portreeve(tmp_path, "--tokens-file", str(tokens)) as service:
        asked = review(deployment(gpus=1))

        assert service.post(VALIDATE, asked).status == 401
        assert service.post(VALIDATE, asked, Authorization="Bearer guess").status == 401
        assert service.post(VALIDATE, asked, **reader).status == 403
        assert service.post("/v1/kubernetes/validate/other", asked, **enforcer).status == 403
        assert service.get("/v1/decisions", **enforcer).status == 403
        assert service.post(VALIDATE, asked, **enforcer).status == 200
        kept = service.get("/v1/decisions", **reader).body["decisions"]
        assert [item["caller"] for item in kept] == ["cluster"]
        binding = service.post("/v1/evaluate", {"key": "k"}, **enforcer).body["binding"]
        assert binding == "binding"
        assert service.post("/v1/evaluate", {"key": "k"}, **reader).body["binding"] == "advisory"


def test_the_page_for_developers_is_served(service: Service) -> None:
    document = service.get("/openapi.json").body

    page = service.get("/docs").text
    files = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert len(files) >= 2
    assert [file for file in files if "//" in file] == []
    assert {service.get(file).status for file in files if file.endswith((".js", ".css"))} == {200}
    assert {
        "/v1/kubernetes/validate",
        "/v1/terraform/plan",
        "/v1/evaluate",
        "/v1/decisions",
    } <= set(document["paths"])
