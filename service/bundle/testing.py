"""The rules' own Rego tests, on every engine that is here."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from service.bundle.reading import read_text
from service.errors import EngineUnavailable

_PROGRAM = Path(__file__).with_name("tester.py")
_PACKAGE = re.compile(r"^package\s+([\w.]+)", re.MULTILINE)
_TEST = re.compile(r"^(test_\w+)", re.MULTILINE)
_SECONDS = 120


@dataclass(frozen=True)
class Outcome:
    """What one engine made of tests.

    Attributes:
        engine: Name and version.
        passed: How many hold.
        failed: Why each of the others does not, by its path.
    """

    engine: str
    passed: int
    failed: Mapping[str, str]


@dataclass(frozen=True)
class RegoTests:
    """Modules with their tests.

    Attributes:
        folders: Where they were read.
        modules: Sources by path, tests included.
        names: The tests, as ``data.<package>.<name>``.
    """

    folders: tuple[Path, ...]
    modules: Mapping[str, str]
    names: tuple[str, ...]


def read_tests(folders: Sequence[Path]) -> RegoTests:
    """All modules and tests below ``lib`` and ``rules`` of *folders*.

    Raises:
        BundleRefused: A file cannot be read.
    """
    modules: dict[str, str] = {}
    names: dict[str, None] = {}
    for folder in folders:
        for part in ("lib", "rules"):
            for path in sorted((folder / part).rglob("*.rego")):
                what = str(path)
                text = modules[what] = read_text(path, what=what)
                package = _PACKAGE.search(text)
                if package and path.name.endswith("_test.rego"):
                    names |= dict.fromkeys(
                        f"data.{package[1]}.{name}" for name in _TEST.findall(text)
                    )
    return RegoTests(tuple(folders), modules, tuple(names))


def on_embedded(tests: RegoTests) -> Outcome:
    """*tests* on the engine that is built in, in a process of their own.

    Raises:
        EngineUnavailable: The process died, or a module does not parse.
    """
    job = {"modules": dict(tests.modules), "tests": tests.names, "seconds": _SECONDS}
    answer = _asked([sys.executable, "-I", str(_PROGRAM)], "the embedded engine", json.dumps(job))
    if not isinstance(answer, dict) or "error" in answer:
        raise EngineUnavailable(f"the tests cannot be run: {_why(answer)}")
    failed: dict[str, str] = answer["failed"]
    engine = f"regorus {version('gordon-to-regorus')}"
    return Outcome(engine, len(tests.names) - len(failed), failed)


def on_opa(tests: RegoTests, program: Path) -> Outcome:
    """*tests* with ``opa test``.

    Raises:
        EngineUnavailable: The program is none, or a module does not compile.
    """
    shown = _ran([str(program), "version"], "opa", "").stdout.decode(errors="replace")
    found = [str(folder / part) for folder in tests.folders for part in ("lib", "rules")]
    folders = [folder for folder in found if Path(folder).is_dir()]
    answer = _asked([str(program), "test", "--format", "json", *folders], "opa", "")
    if not isinstance(answer, list):
        raise EngineUnavailable(f"opa cannot run the tests: {_why(answer)}")
    failed = {
        f"{test['package']}.{test['name']}": str(test.get("error") or "it is not true")
        for test in answer
        if test.get("fail") or test.get("error")
    }
    first = shown.split()[1:2]
    return Outcome(f"OPA {first[0] if first else '?'}", len(answer) - len(failed), failed)


def _asked(command: list[str], what: str, given: str) -> Any:
    done = _ran(command, what, given)
    try:
        return json.loads(done.stdout)
    except ValueError as error:
        said = (done.stderr or done.stdout).decode(errors="replace").split()
        raise EngineUnavailable(
            f"{what} ended with status {done.returncode}: {' '.join(said)[:300]}"
        ) from error


def _ran(command: list[str], what: str, given: str) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(  # noqa: S603 - our own program, or the one that was asked for
            command,
            input=given.encode(),
            capture_output=True,
            timeout=_SECONDS + 10,
            env={},
            check=False,
        )
    except OSError as error:
        raise EngineUnavailable(f"`{command[0]}` cannot be run: {error.strerror}") from error
    except subprocess.TimeoutExpired as error:
        raise EngineUnavailable(f"{what} did not end within {_SECONDS} s") from error


def _why(answer: Any) -> str:
    return (
        str(answer.get("error") or answer)[:300] if isinstance(answer, dict) else str(answer)[:300]
    )
