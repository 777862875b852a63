"""What can go wrong in the process that compiles, and what its trees look like to the checks."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest

from service.bundle import build, compiler, compiling
from service.bundle.archive import LARGEST_ARCHIVE
from service.bundle.compiling import CompileLimits, compile_modules
from service.bundle.load import loads
from service.bundle.values import Bundle
from service.errors import BundleRefused

SIZE = "policies/rules/gpu/size/size.rego"
COUNTS = "policies/lib/counts.rego"

Assembled = Callable[..., Bundle]


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Puts another program in place of the compiler."""

    def put(text: str) -> None:
        path = tmp_path / "compiler.py"
        path.write_text(text)
        monkeypatch.setattr(compiling, "_PROGRAM", path)

    return put


def compiled() -> str:
    with pytest.raises(BundleRefused) as caught:
        compile_modules({}, {}, entry=None, limits=CompileLimits(seconds=-4, memory_mib=7))
    return caught.value.message


def test_compiler_that_hangs_is_stopped(program: Callable[[str], None]) -> None:
    program("import time\ntime.sleep(60)\n")
    assert compiled() == "the bundle does not compile within -4 s and 7 MiB"


def test_compiler_that_is_killed_is_said(program: Callable[[str], None]) -> None:
    program("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n")
    assert compiled() == "the bundle does not compile within -4 s and 7 MiB"


def test_compiler_that_fails_is_said(program: Callable[[str], None]) -> None:
    program("raise SystemExit(3)\n")
    assert compiled() == "the compiler ended with status 3"


@pytest.mark.parametrize("output", ["", "{", "[" * 100_000])
def test_answer_that_cannot_be_read_is_said(
    program: Callable[[str], None], tmp_path: Path, output: str
) -> None:
    (tmp_path / "output").write_text(output)
    program(f"print(open({str(tmp_path / 'output')!r}).read())\n")
    assert compiled() == "the bundle is nested too deeply to be checked"


def test_compiler_gives_a_tree_for_each_module(sources: dict[str, str]) -> None:
    job = {"modules": sources, "data": {}, "input": {"resources": []}}
    assert set(compiler._compile({**job, "entry": None})["trees"]) == set(sources)
    assert compiler._compile({**job, "entry": "data.policies.rules.gpu.size.deny"})


def test_too_many_modules_are_refused(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "_MOST_MODULES", 2)
    with pytest.raises(BundleRefused, match="there are 3 modules, expected 2 at most"):
        build.build(project)


def test_values_that_json_does_not_have_are_refused(project: Path) -> None:
    (project / "org/more.yaml").write_text("limits: !!binary aGVsbG8=\n")
    with pytest.raises(BundleRefused, match="toy/org: Object of type bytes is not JSON"):
        build.build(project)
    (project / "bundle.yaml").write_text("name: !!binary aGVsbG8=\nrevision: '1'\n")
    with pytest.raises(BundleRefused, match=r"toy/bundle.yaml: Object of type bytes is not JSON"):
        build.build(project)


def test_archive_of_more_than_the_limit_is_not_unpacked() -> None:
    with pytest.raises(BundleRefused, match="the archive is larger than 67108864 bytes"):
        loads(bytes(LARGEST_ARCHIVE + 1))


def test_every_form_that_rules_use_is_understood(
    sources: dict[str, str], assembled: Assembled
) -> None:
    sources[COUNTS] = sources[COUNTS].replace(
        "package policies.lib.counts\n",
        "package policies.lib.counts\n\nimport rego.v1\nimport input.context as around\n"
        "import data.org.limits as allowed\n",
    )
    sources[COUNTS] += (
        "\ntables[name] := value if some name, value in allowed\n"
        "\nby.name contains around.now\n"
        "\ndefault level(_) := 0\n"
        "\nlevel(resource) := 2 if total(resource) > 9 else := 1 if total(resource) > 3\n"
        "\nfirst(resource) := resource.accelerators[0]\n"
        '\nnamed(resource) if resource["kind"] in {"Pod"}\n'
    )
    assert assembled(sources)


@pytest.mark.parametrize(
    ("facts", "known"),
    [
        # `message` needs the facts `asked` and `limit`; what cannot be told is not held against it.
        ("facts := counts.facts(asked)", False),
        ("facts := data.policies.lib.counts.facts(asked)", False),
        ('facts := {"asked": asked, "limit": limit}\n\tlimit != 7', True),
        ('facts := object.union({"asked": asked, "limit": limit}, counts.open(asked))', True),
        ("facts = {resource.address: asked}", True),
        ("facts := counts.open(asked)", True),
        ("facts := counts.a(asked)", True),
    ],
)
def test_facts_are_known_as_far_as_the_source_shows(
    sources: dict[str, str],
    assembled: Assembled,
    facts: str,
    known: bool,  # noqa: FBT001 - a column of the table
) -> None:
    sources[COUNTS] += (
        '\nfacts(asked) := {"asked": asked} if asked > 1 else := {"limit": 1}\n'
        "\nopen(asked) := {name: asked | some name in {}}\n"
        + "".join(f"\n{a}(asked) := {b}(asked)\n" for a, b in itertools.pairwise("abcdefghijk"))
        + "\nk(asked) := {}\n"
    )
    sources[SIZE] = sources[SIZE].replace('facts := {"asked": asked, "limit": limit}', facts)
    if known:
        assert assembled(sources)
    else:
        with pytest.raises(BundleRefused):
            assembled(sources)
