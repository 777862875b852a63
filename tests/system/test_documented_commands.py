"""What the README and `make run` tell a newcomer to type does what they say."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from running import ROOT, Service, portreeve

pytestmark = [pytest.mark.system, pytest.mark.enable_socket]

_TRY = (ROOT / "examples" / "try.txt").read_text()
_README = (ROOT / "README.md").read_text()


def _commands(text: str) -> list[str]:
    return [
        line.strip() for line in text.splitlines() if line.strip().startswith(("curl", ".venv/bin"))
    ]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with portreeve(tmp_path_factory.mktemp("newcomer")) as running:
        yield running


def _run(command: str, service: Service) -> subprocess.CompletedProcess[str]:
    """Run *command* against the test's own service and log, with this environment's program."""
    command = command.replace("http://127.0.0.1:8080", service.url)
    command = command.replace(".venv/bin/", f"{Path(sys.executable).parent}/")
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "PORTREEVE_LOG": str(service.log)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_readme_shows_what_make_run_prints() -> None:
    assert _commands(_TRY) == [
        command for command in _commands(_README) if command in _commands(_TRY)
    ]


def test_what_make_run_prints_works(service: Service) -> None:
    refused, allowed, plan, audit = (_run(command, service) for command in _commands(_TRY))

    assert '"allowed": false' in refused.stdout, refused
    assert "GPU-002" in refused.stdout
    assert '"allowed": true' in allowed.stdout, allowed
    assert plan.returncode == 1, plan
    assert "GPU-001" in plan.stdout
    lines = audit.stdout.splitlines()
    assert [line.split()[1:3] for line in lines[1:]] == [
        ["deny", "terraform"],
        ["allow", "kubernetes"],
        ["deny", "kubernetes"],
    ]


@pytest.mark.parametrize(
    "command", [line for line in _commands(_README) if line not in _commands(_TRY)]
)
def test_other_commands_of_the_readme_work(service: Service, command: str) -> None:
    command = re.sub(r"\bplan\.json\b", "examples/terraform/gpu-training/plan.json", command)

    done = _run(command, service)

    assert done.returncode in {0, 1}, done
    assert done.stdout


def test_every_path_that_the_readme_links_to_is_there() -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", _README):
        assert (ROOT / target).exists(), target
