"""Plans by the real terraform and the provider for tests, without any network."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
CASES = ROOT / "tests" / "contract" / "terraform"
EXAMPLE = ROOT / "examples" / "terraform" / "gpu-training"
PROVIDER = Path(__file__).parent / "provider"
# The host in a provider's address says where it was fetched from; nobody reads it.
_ADDRESS = re.compile(r'"[a-z0-9.]+/(hashicorp/[a-z]+)"')


def sources() -> list[Path]:
    """Every folder with a configuration whose plan is committed beside it."""
    return [EXAMPLE, *sorted(path.parent for path in CASES.glob("*/main.tf"))]


def make_plan(source: Path, work: Path) -> dict[str, Any]:
    """The plan of the configuration in *source*, made in the empty folder *work*.

    Where there is a ``before.tfvars``, the configuration is first applied with it.
    """
    copy = work / "configuration"
    shutil.copytree(source, copy, ignore=shutil.ignore_patterns("*.json", ".terraform*"))
    before = copy / "before.tfvars"
    _terraform(copy, work, "get")
    if before.exists():
        _terraform(copy, work, "apply", "-auto-approve", "-input=false", f"-var-file={before}")
    _terraform(copy, work, "plan", "-input=false", "-out=plan.out")
    plan: dict[str, Any] = json.loads(_terraform(copy, work, "show", "-json", "plan.out"))
    return _steady(plan)


def write(path: Path, document: Any) -> None:
    """Write *document* as it is committed."""
    path.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n")


def _steady(plan: dict[str, Any]) -> dict[str, Any]:
    """*plan* without what differs from one run or machine to the next."""
    plan["timestamp"] = "2026-01-01T00:00:00Z"
    plan["terraform_version"] = "1.11.4"
    steady: dict[str, Any] = json.loads(_ADDRESS.sub(r'"\1"', json.dumps(plan)))
    return steady


def _terraform(copy: Path, work: Path, *arguments: str) -> str:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(work),
        "TF_CLI_CONFIG_FILE": str(_settings(work)),
        "CHECKPOINT_DISABLE": "1",
        "TF_IN_AUTOMATION": "1",
    }
    done = subprocess.run(
        ["terraform", *arguments],
        cwd=copy,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    if done.returncode != 0:
        message = f"terraform {arguments[0]} failed: {done.stdout}{done.stderr}"
        raise RuntimeError(message)
    return done.stdout


def _settings(work: Path) -> Path:
    """The settings that make terraform take the providers from here."""
    settings = work / "terraform.rc"
    if settings.exists():
        return settings
    overrides = []
    for cloud in ("aws", "google", "azurerm"):
        folder = work / "providers" / cloud
        folder.mkdir(parents=True)
        program = folder / f"terraform-provider-{cloud}"
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{PROVIDER}" {cloud}\n')
        program.chmod(0o755)
        overrides.append(f'    "hashicorp/{cloud}" = "{folder}"\n')
    body = "".join(overrides)
    settings.write_text(f"provider_installation {{\n  dev_overrides {{\n{body}  }}\n}}\n")
    return settings
