"""``portreeve bundle test``: the rules' own tests and examples, on every engine that is here."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import shutil
import socket
import subprocess
import tempfile
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from service.app import find_bundle
from service.bundle.build import policy_folders
from service.bundle.load import load
from service.bundle.shipped import shipped_root
from service.bundle.testing import Outcome, on_embedded, on_opa, read_tests
from service.bundle.values import Bundle
from service.bundle.write import write
from service.commands.examples import NOW, Example, read_examples
from service.errors import EngineUnavailable, GovernanceError
from service.evaluate.embedded import EmbeddedEngine
from service.evaluate.engine import Engine
from service.resolve.resolver import Resolver

if TYPE_CHECKING:
    from service.evaluate.opa import OpaEngine

PASSED, FAILED = 0, 1
_SECONDS = 30.0
_MOST_SHOWN = 20


def add(actions: Any) -> None:
    """Add the action to the parser."""
    parser = actions.add_parser(
        "test",
        help="run the rules' tests and examples on every engine",
        description="Run the Rego tests of a bundle's rules, and the examples beside them under "
        "that bundle, on the engine that is built in and on OPA where it is found. Examples that "
        "are about this bundle must be judged as they say; all must be judged alike by all "
        "engines. Exits 1 where one is not.",
    )
    parser.add_argument(
        "bundle",
        nargs="?",
        default="example",
        metavar="BUNDLE",
        help="shipped bundle, folder or archive (default: example, which the examples are about)",
    )
    parser.add_argument("--opa", type=Path, help="the program opa (default: found by PATH)")
    parser.add_argument("--format", choices=["table", "json"], default="table")
    parser.set_defaults(run=run)


@dataclass(frozen=True)
class _Judged:
    """What one engine found in the examples.

    Attributes:
        engine: Name and version.
        stated: How many examples are about this bundle.
        wrong: Those of them that are judged otherwise, and why.
        found: The findings of every example, by name.
    """

    engine: str
    stated: int
    wrong: dict[str, str]
    found: dict[str, list[str]]


def run(given: argparse.Namespace) -> int:
    """Run everything and print a summary."""
    path = find_bundle(given.bundle)
    bundle = load(path)
    program = given.opa or (Path(found) if (found := shutil.which("opa")) else None)
    # Tests and examples are not in an archive: those that come with Portreeve are run for it.
    folders = policy_folders(path) if path.is_dir() else (shipped_root() / "policies",)
    tests = read_tests(folders)
    rego = [on_embedded(tests), *([on_opa(tests, program)] if program else [])]
    examples = read_examples(folders)
    judged = asyncio.run(_judge_all(bundle, examples, program))
    differing = _differing(judged)
    if given.format == "json":
        print(json.dumps(_document(rego, judged, differing), indent=2))
    else:
        print("\n".join(_lines(rego, judged, differing, has_opa=program is not None)))
    bad = differing or any(one.failed for one in rego) or any(one.wrong for one in judged)
    return FAILED if bad else PASSED


async def _judge_all(
    bundle: Bundle, examples: Sequence[Example], program: Path | None
) -> list[_Judged]:
    judged = []
    embedded = await EmbeddedEngine.start(bundle, workers=1)
    try:
        judged.append(await _judge(bundle, embedded, examples))
    finally:
        await embedded.close()
    if program is not None:
        async with _opa(bundle, program) as engine:
            judged.append(await _judge(bundle, engine, examples))
    return judged


async def _judge(bundle: Bundle, engine: Engine, examples: Sequence[Example]) -> _Judged:
    resolver = Resolver(bundle)
    wrong: dict[str, str] = {}
    found: dict[str, list[str]] = {}
    stated = 0
    for example in examples:
        normalised = example.request()
        if normalised is None:
            continue
        request = resolver.resolve(normalised, now=NOW)
        about = example.body["bundle"] == bundle.ref.name
        stated += about
        try:
            findings = await engine.evaluate(request, seconds=_SECONDS)
        except GovernanceError as error:
            wrong[example.name] = error.message
            continue
        found[example.name] = sorted(item.model_dump_json() for item in findings)
        if about and not example.is_as_stated(request, findings, bundle):
            wrong[example.name] = "it is not judged as it says"
    return _Judged(engine.name, stated, wrong, found)


@contextlib.asynccontextmanager
async def _opa(bundle: Bundle, program: Path) -> AsyncIterator[Engine]:
    """An OPA server of our own with *bundle*, for as long as it is needed."""
    with tempfile.TemporaryDirectory() as folder, socket.socket() as free:
        archive = Path(folder) / "bundle.tar.gz"
        write(bundle, archive)
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
        free.close()
        process = await asyncio.create_subprocess_exec(
            *(program, "run", "--server", "--bundle", archive, "--addr", address),
            *("--log-level", "error", "--disable-telemetry"),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={},
        )
        # Its HTTP client takes 15 MiB and a fifth of a second, which no other command need have.
        from service.evaluate.opa import OpaEngine  # noqa: PLC0415

        engine = await OpaEngine.start(bundle, url=f"http://{address}")
        try:
            await _until_ready(engine, process)
            yield engine
        finally:
            await engine.close()
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            await process.wait()


async def _until_ready(engine: OpaEngine, process: asyncio.subprocess.Process) -> None:
    async with asyncio.timeout(_SECONDS):
        while not await engine.ready():
            if process.returncode is not None:
                raise EngineUnavailable(f"opa ended with status {process.returncode}")
            await asyncio.sleep(0.1)


def _differing(judged: Sequence[_Judged]) -> list[str]:
    """The examples that two engines judge differently."""
    first, *others = judged
    return [
        name
        for name, found in first.found.items()
        if any(other.found.get(name) != found for other in others)
    ]


def _document(
    rego: Sequence[Outcome], judged: Sequence[_Judged], differing: Sequence[str]
) -> dict[str, Any]:
    return {
        "rego_tests": [
            {"engine": one.engine, "passed": one.passed, "failed": dict(one.failed)} for one in rego
        ],
        "examples": [
            {
                "engine": one.engine,
                "run": len(one.found),
                "about_this_bundle": one.stated,
                "failed": one.wrong,
            }
            for one in judged
        ],
        "judged_differently": list(differing),
    }


def _lines(
    rego: Sequence[Outcome], judged: Sequence[_Judged], differing: Sequence[str], *, has_opa: bool
) -> list[str]:
    lines = [
        f"{one.engine}: {one.passed} Rego tests passed, {len(one.failed)} failed" for one in rego
    ]
    failed = [f"{name}: {why}" for one in rego for name, why in one.failed.items()]
    for one in judged:
        lines.append(
            f"{one.engine}: {len(one.found)} examples run, {one.stated} of them about this bundle, "
            f"{len(one.wrong)} failed"
        )
        failed += [f"{name}: {why}" for name, why in one.wrong.items()]
    failed += [f"{name}: the engines find different things" for name in differing]
    if not has_opa:
        lines.append("OPA: not found; name the program with --opa to run all of it there too")
    lines += [f"  failed  {line}" for line in failed[:_MOST_SHOWN]]
    if len(failed) > _MOST_SHOWN:
        lines.append(f"  and {len(failed) - _MOST_SHOWN} more (--format json shows all)")
    return lines
