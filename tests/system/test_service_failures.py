"""What can go wrong around a request, and what its sender and the operator then read."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from payloads import deployment, review
from projects import project
from running import PORTREEVE, ROOT, Service, portreeve

pytestmark = [pytest.mark.system, pytest.mark.enable_socket, pytest.mark.timeout(300)]

VALIDATE = "/v1/kubernetes/validate"

# Runs for minutes on any machine when the workload carries the label, and is silent otherwise.
_HANGS = """resource.labels.slow == "yes"
xs := numbers.range(1, 3000)
count([1 | some a in xs; some b in xs; some c in xs; ((a + b) + c) == 0]) > 0"""

_FAILS = """resource.labels.broken == "yes"
zero := count(resource.images) - count(resource.images)
floor(1 / zero) > 0"""


def _refused(service: Service, **labels: str) -> str:
    document = deployment(gpus=1)
    document["metadata"]["labels"].update(labels)
    answer = service.post(f"{VALIDATE}?timeout=2s", review(document))
    assert answer.status == 200
    assert answer.body["response"]["allowed"] is False, answer.text
    message: str = answer.body["response"]["status"]["message"]
    return message


def _is_allowed(service: Service) -> bool:
    answer = service.post(VALIDATE, review(deployment(gpus=1)))
    return answer.body["response"]["allowed"] is True


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("broken")
    bundle = project(folder, {"hangs": _HANGS, "fails": _FAILS})
    overdue = "overdue:\n  allow_namespaces: [gateways]\n"
    (bundle / "org" / "overdue.yaml").write_text(overdue)
    with portreeve(folder, "--bundle", str(bundle)) as service:
        yield service


def test_a_rule_that_hangs_is_stopped_at_the_deadline(broken: Service) -> None:
    message = _refused(broken, slow="yes")

    assert "SYS-DEADLINE" in message
    assert _is_allowed(broken)
    kept = broken.get("/v1/decisions?code=SYS-DEADLINE&outcome=deny").body["decisions"]
    assert [item["cause"] for item in kept] == ["error"]


def test_what_is_overdue_in_a_named_namespace_is_admitted_and_recorded(broken: Service) -> None:
    document = deployment(gpus=1)
    document["metadata"]["labels"]["slow"] = "yes"
    document["metadata"]["namespace"] = "gateways"

    answer = broken.post(f"{VALIDATE}?timeout=2s", review(document)).body["response"]

    assert answer["allowed"] is True
    (warning,) = answer["warnings"]
    assert "SYS-DEADLINE: admitted unchecked, because `overdue` names `gateways`" in warning
    assert "policies.rules.test.hangs" in warning
    (kept,) = broken.get("/v1/decisions?code=SYS-DEADLINE&outcome=warn").body["decisions"]
    assert kept["decision_id"] == answer["auditAnnotations"]["decision-id"]
    assert (kept["cause"], kept["scope"]["namespace"]) == ("error", "gateways")


def test_a_rule_that_fails_refuses_the_request_and_is_named(broken: Service) -> None:
    message = _refused(broken, broken="yes")

    assert "SYS-EVALUATION" in message
    assert "policies.rules.test.fails" in message
    assert _is_allowed(broken)


def _serve(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(PORTREEVE), "serve", "--port", "0", "--log", str(folder / "decisions.db"), *options],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "XDG_STATE_HOME": str(folder)},
    )


def test_a_bundle_without_rules_is_not_served(tmp_path: Path) -> None:
    done = _serve(tmp_path, "--bundle", str(project(tmp_path / "project", {})))

    assert done.returncode == 2
    assert "SYS-BUNDLE" in done.stderr
    assert "rule" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_bundle_that_does_not_compile_is_not_served(tmp_path: Path) -> None:
    done = _serve(tmp_path, "--bundle", str(project(tmp_path / "project", {"bad": "count( >"})))

    assert done.returncode == 2
    assert "bad.rego" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--bundle", "absent"), "absent"),
        (("--bundle", "example", "--tokens-file", "absent.yaml"), "absent.yaml"),
        (("--bundle", "example", "--host", "0.0.0.0"), "only loopback"),  # noqa: S104  # refused
        (("--bundle", "example", "--host", "192.0.2.1", "--tokens-file", "t"), "tokens file"),
        (("--bundle", "example", "--tls-key", "absent.pem"), "belong together"),
        (("--bundle", "example", "--log", "/proc/decisions.db"), "/proc"),
    ],
)
def test_what_cannot_be_started_says_why(
    tmp_path: Path, options: tuple[str, ...], words: str
) -> None:
    done = _serve(tmp_path, *options)

    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with portreeve(tmp_path) as service:
        port = service.url.rpartition(":")[2]
        (tmp_path / "other").mkdir()
        done = _serve(tmp_path / "other", "--bundle", "example", "--port", port)

    assert done.returncode == 2
    assert f"cannot listen on `127.0.0.1:{port}`" in done.stderr


def _fill(path: Path) -> None:
    """Take every byte that is left, and keep it."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT)
    try:
        while True:
            os.write(descriptor, b"x" * 4096)
    except OSError:
        os.close(descriptor)


def test_a_full_disk_refuses_and_loses_nothing(small_disk: Path, tmp_path: Path) -> None:
    log = small_disk / "decisions.db"
    with portreeve(tmp_path, "--log", str(log)) as service:
        good = deployment(gpus=4, product="NVIDIA-H100-80GB-HBM3")
        assert service.post(VALIDATE + "/prod-eu", review(good)).body["response"]["allowed"] is True
        _fill(small_disk / "ballast")
        answers = [
            service.post(VALIDATE + "/prod-eu", review(good)).body["response"] for _ in range(40)
        ]

    assert answers[-1]["allowed"] is False
    assert "SYS-LOG" in answers[-1]["status"]["message"]
    allowed = 1 + sum(answer["allowed"] for answer in answers)
    done = subprocess.run(
        [
            str(PORTREEVE),
            "audit",
            "query",
            "--log",
            str(log),
            "--outcome",
            "allow",
            "--format",
            "json",
            "--limit",
            "1000",
        ],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    assert done.stdout.count('"outcome": "allow"') == allowed
