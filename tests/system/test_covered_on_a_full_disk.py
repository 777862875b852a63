"""A log that can take nothing more refuses people, and lets controllers go on."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from payloads import deployment, review
from running import portreeve

pytestmark = [pytest.mark.system, pytest.mark.enable_socket, pytest.mark.timeout(300)]

_VALIDATE = "/v1/kubernetes/validate/prod-eu"
_ACCOUNT = "system:serviceaccount:kube-system:deployment-controller"


def _fill(path: Path) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT)
    try:
        while True:
            os.write(descriptor, b"x" * 4096)
    except OSError:
        os.close(descriptor)


def test_what_is_covered_is_admitted_though_the_log_is_full(
    small_disk: Path, tmp_path: Path
) -> None:
    admitted = deployment(gpus=4, product="NVIDIA-H100-80GB-HBM3")
    admitted["metadata"]["uid"] = "11111111-2222-4333-8444-555555555555"
    with portreeve(tmp_path, "--log", str(small_disk / "decisions.db")) as service:
        _fill(small_disk / "ballast")
        for _ in range(40):
            refused = service.post(_VALIDATE, review(admitted)).body["response"]
            if not refused["allowed"]:
                break
        asked = review(admitted, operation="UPDATE")
        asked["request"] |= {"oldObject": admitted, "userInfo": {"username": _ACCOUNT}}
        covered = service.post(_VALIDATE, asked).body["response"]

    assert "SYS-LOG" in refused["status"]["message"]
    assert covered["allowed"] is True
    assert "admitted unrecorded, because it is covered" in covered["warnings"][0]
    assert covered["auditAnnotations"]["covered-by"] == "Deployment language-serving/llama-70b"
