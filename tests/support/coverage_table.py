"""The table of ``docs/coverage.md``: what real files hold, and what we understand of it.

``python tests/support/coverage_table.py`` writes it; the test beside it fails where it differs.
"""

from __future__ import annotations

import collections
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from running import PORTREEVE, ROOT

TARGET = ROOT / "docs" / "coverage.md"
SUFFIXES = {".json", ".yaml", ".yml"}
_HEAD = """# Coverage

What Portreeve makes of {files} real files, Kubernetes manifests and Terraform plans from public
repositories, none of which are part of this project.
`python tests/support/coverage_table.py` writes this page, and a test fails when it is out of date.

- covered: an adapter reads it, and rules judge it
- undetermined: covered, and a rule of the `default` bundle lacks a value it needs
- irrelevant: takes no accelerators, money or data that rules look at
- not covered: might, and no adapter understands it; a finding `COV-001` says so

{refused} of the files are refused as a whole, each with its reason:

| reason | files |
| --- | ---: |
{reasons}
"""
_COLUMNS = ("covered", "undetermined", "irrelevant", "not covered")


def files(data: Path) -> list[Path]:
    """Every input file, in a stable order."""
    return sorted(
        path
        for folder in ("kubernetes", "terraform")
        for path in (data / folder).rglob("*")
        if path.suffix in SUFFIXES and path.is_file()
    )


def check(paths: list[Path]) -> list[dict[str, Any]]:
    """What ``portreeve check`` says of all of them, in one run."""
    with tempfile.TemporaryDirectory() as folder:
        command = [str(PORTREEVE), "check", "--format", "json", "--log", f"{folder}/decisions.db"]
        done = subprocess.run(
            [*command, *map(str, paths)], capture_output=True, text=True, check=False, timeout=900
        )
    if done.returncode not in {0, 1, 2} or "Traceback" in done.stderr:
        raise AssertionError(done.stderr)
    answers: list[dict[str, Any]] = json.loads(done.stdout)
    return answers


def page(data: Path) -> str:
    """The whole page."""
    paths = files(data)
    answers = check(paths)
    counts: dict[tuple[str, str], collections.Counter[str]] = {}
    reasons: collections.Counter[str] = collections.Counter()
    for path, answer in zip(paths, answers, strict=True):
        if answer["kind"] == "rejected":
            reasons[answer["findings"][0]["code"]] += 1
            continue
        point = path.relative_to(data).parts[0]
        for kind, state in _states(path, answer):
            counts.setdefault((point, kind), collections.Counter())[state] += 1
    head = _HEAD.format(
        files=len(paths),
        refused=sum(reasons.values()),
        reasons="\n".join(f"| `{code}` | {number} |" for code, number in sorted(reasons.items())),
    )
    return head + "".join(_section(point, counts) for point in ("kubernetes", "terraform"))


def _section(point: str, counts: dict[tuple[str, str], collections.Counter[str]]) -> str:
    names = {"kubernetes": ("Kubernetes", "kind"), "terraform": ("Terraform", "resource type")}
    title, column = names[point]
    lines = [
        f"\n## {title}\n",
        f"| {column} | {' | '.join(_COLUMNS)} |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for (where, kind), states in sorted(counts.items()):
        if where == point:
            lines.append(
                f"| `{kind}` | {' | '.join(str(states[name] or '') for name in _COLUMNS)} |"
            )
    return "\n".join(lines) + "\n"


def _states(path: Path, answer: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Each item of a file with what became of it; irrelevant ones are what is left over."""
    uncertain = {item["resource"] for item in answer["findings"] if item["undetermined"]}
    known: collections.Counter[str] = collections.Counter()
    for item in answer["resources"]:
        known[item["kind"]] += 1
        yield item["kind"], "covered"
        if item["address"] in uncertain:
            yield item["kind"], "undetermined"
    for item in answer["not_covered"]:
        # A kind of another group carries it, `JobSet.jobset.x-k8s.io`; the file says `JobSet`.
        known[item["kind"].partition(".")[0]] += 1
        yield item["kind"], "not covered"
    for kind, number in (collections.Counter(_kinds(path)) - known).items():
        for _ in range(number):
            yield kind, "irrelevant"


def _kinds(path: Path) -> Iterator[str]:
    raw = path.read_bytes()
    if path.suffix == ".json":
        encoding = "utf-16" if raw[:2] in {b"\xff\xfe", b"\xfe\xff"} else "utf-8-sig"
        plan = json.loads(raw.decode(encoding))
        changes = plan.get("resource_changes") if isinstance(plan, dict) else None
        yield from (str(item.get("type")) for item in changes or ())
        return
    for document in yaml.safe_load_all(raw):
        if isinstance(document, dict) and "kind" in document:
            items = document.get("items") if document["kind"] == "List" else [document]
            yield from (item["kind"] for item in items or () if "kind" in item)


if __name__ == "__main__":
    TARGET.write_text(page(Path(sys.argv[1]) if sys.argv[1:] else ROOT.parent / "shared" / "data"))
