"""The page ``docs/engines.md``: what each engine makes of OPA's own conformance cases.

``python tests/support/engines_page.py`` writes it; ``--check`` fails where it differs. The cases
are no part of the project: ``rego-conformance/opa-v1-compliance.tar.gz`` in the folder of shared
test data (``PORTREEVE_TEST_DATA``), and without it, or without ``opa``, nothing is written or
checked, and that is said.

Both engines run as Portreeve runs them: with strict errors of builtins, the embedded one in a
process of its own that is replaced when it dies or takes too long.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import subprocess
import sys
import tarfile
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from enum import StrEnum
from importlib.metadata import version
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Protocol

from running import ROOT, tool

from service.bundle.builtins import ALLOWED

TARGET = ROOT / "docs" / "engines.md"
ARCHIVE = "rego-conformance/opa-v1-compliance.tar.gz"
_SECONDS = 20.0

# The operators of the language are builtins to OPA; a bundle's rules may use all of them.
OPERATORS = {
    "and": "&",
    "div": "/",
    "equal": "==",
    "gt": ">",
    "gte": ">=",
    "internal.member_2": "in",
    "internal.member_3": ", in",
    "internal.template_string": '$"…"',
    "lt": "<",
    "lte": "<=",
    "minus": "-",
    "mul": "*",
    "neq": "!=",
    "or": "|",
    "plus": "+",
    "rem": "%",
}


# Cases about the language in which a builtin only happens to stand.
LANGUAGE = frozenset(("refheads/general, set leaf, deep query",))


class Answer(StrEnum):
    """What an engine made of one case.

    ``RAISES`` is an error where a result was wanted: nothing is decided, and the request is
    refused. ``WRONG`` is another result, or none, or a result where an error was wanted.
    """

    RIGHT = "right"
    RAISES = "raises"
    WRONG = "wrong"


@dataclass(frozen=True)
class Case:
    """One conformance case.

    Attributes:
        note: What the suite calls it.
        query: What is asked, which binds variables.
        modules: Rego sources.
        data: The documents below ``data``.
        input: The input as JSON; empty where there is none.
        builtins: Which builtins it uses, operators included.
        wanted: The bindings of each result; ``None`` where an error is wanted.
        any_order: Whether the suite compares lists in any order.
    """

    note: str
    query: str
    modules: tuple[str, ...]
    data: Mapping[str, Any]
    input: str
    builtins: frozenset[str]
    wanted: tuple[Mapping[str, Any], ...] | None
    any_order: bool


class Asked(Protocol):
    """An engine under test."""

    def ask(self, case: Case) -> list[Mapping[str, Any]] | None:
        """The bindings of each result; ``None`` for any error."""
        ...

    def close(self) -> None:
        """End it."""
        ...


def cases(archive: Path) -> Iterator[Case]:
    """Every case of the suite whose input is JSON."""
    with tarfile.open(archive) as opened:
        for member in opened:
            if member.name.startswith("v1/") and member.name.endswith(".json"):
                content = opened.extractfile(member)
                assert content is not None
                for body in json.load(content).get("cases") or ():
                    case = _case(body)
                    if case is not None:
                        yield case


def _case(body: Mapping[str, Any]) -> Case | None:
    given = json.dumps(body["input"]) if "input" in body else body.get("input_term") or ""
    try:
        json.loads(given or "null")
    except ValueError:
        return None  # a term that JSON cannot say, such as a set
    functions = body["plan"].get("static", {}).get("builtin_funcs") or ()
    wants_error = "want_error" in body or "want_error_code" in body
    return Case(
        note=body["note"],
        query=body["query"],
        modules=tuple(body.get("modules") or ()),
        data=body.get("data") or {},
        input=given,
        builtins=frozenset(function["name"] for function in functions),
        wanted=None if wants_error else tuple(body.get("want_result") or ()),
        any_order=bool(body.get("sort_bindings")),
    )


class Opa:
    """The real OPA, one evaluation per case."""

    def __init__(self, program: Path) -> None:
        self._program = program
        self._folder = tempfile.TemporaryDirectory()

    @property
    def name(self) -> str:
        """Name and version."""
        shown = subprocess.run(
            [self._program, "version"], capture_output=True, text=True, check=True
        )
        return f"OPA {shown.stdout.split()[1]}"

    def ask(self, case: Case) -> list[Mapping[str, Any]] | None:
        """See ``Asked``."""
        folder = Path(self._folder.name)
        for old in folder.iterdir():
            old.unlink()
        options: list[str] = []
        for number, module in enumerate(case.modules):
            (folder / f"m{number}.rego").write_text(module)
            options += ["-d", str(folder / f"m{number}.rego")]
        (folder / "data.json").write_text(json.dumps(case.data))
        options += ["-d", str(folder / "data.json")]
        if case.input:
            (folder / "input").write_text(case.input)
            options += ["-i", str(folder / "input")]
        done = subprocess.run(
            [self._program, "eval", "--strict-builtin-errors", *options, case.query],
            capture_output=True,
            check=False,
            timeout=_SECONDS,
        )
        answer = json.loads(done.stdout or b"{}")
        if done.returncode or "errors" in answer:
            return None
        return [result.get("bindings", {}) for result in answer.get("result", ())]

    def close(self) -> None:
        """See ``Asked``."""
        self._folder.cleanup()


class Embedded:
    """The engine that is built in, in a process that may die."""

    name = f"regorus {version('gordon-to-regorus')}"

    def __init__(self) -> None:
        self._process: multiprocessing.process.BaseProcess | None = None
        self._pipe: Connection | None = None

    def ask(self, case: Case) -> list[Mapping[str, Any]] | None:
        """See ``Asked``."""
        if self._process is None or self._pipe is None or not self._process.is_alive():
            context = multiprocessing.get_context("fork")
            self._pipe, theirs = context.Pipe()
            self._process = context.Process(target=_evaluate_all, args=(theirs,), daemon=True)
            self._process.start()
            theirs.close()
        self._pipe.send((case.query, case.modules, json.dumps(case.data), case.input))
        try:
            if self._pipe.poll(_SECONDS):
                answer: list[Mapping[str, Any]] | None = self._pipe.recv()
                return answer
        except EOFError:
            pass
        self.close()
        return None

    def close(self) -> None:
        """See ``Asked``."""
        if self._process is not None:
            self._process.kill()
            self._process.join()
        self._process = None


def _evaluate_all(pipe: Connection) -> None:
    """The process of the embedded engine: one case after the other."""
    import regorus  # noqa: PLC0415 - only where it may crash

    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # a panic prints where nobody reads
    while True:
        query, modules, data, given = pipe.recv()
        try:
            engine = regorus.Engine()
            for number, module in enumerate(modules):
                engine.add_policy(f"m{number}.rego", module)
            engine.add_data_json(data)
            if given:
                engine.set_input_json(given)
            answer = json.loads(engine.eval_query_as_json(query))
            pipe.send([result.get("bindings", {}) for result in answer.get("result", ())])
        except BaseException:  # noqa: BLE001 - a panic of the engine is no Exception
            pipe.send(None)


def judge(case: Case, answer: list[Mapping[str, Any]] | None) -> Answer:
    """What *answer* is, compared with what the suite wants; the order of results is free."""
    if case.wanted is None:
        return Answer.RIGHT if answer is None else Answer.WRONG
    if answer is None:
        return Answer.RAISES
    return Answer.RIGHT if _form(case, answer) == _form(case, case.wanted) else Answer.WRONG


def _form(case: Case, results: Sequence[Mapping[str, Any]]) -> list[Any]:
    """Results in one order; as numbers are compared, 1 and 1.0 are the same."""
    forms = [
        {
            name: sorted(value, key=_text) if case.any_order and isinstance(value, list) else value
            for name, value in result.items()
        }
        for result in results
    ]
    return sorted(forms, key=_text)


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


@dataclass
class Tally:
    """The answers of one engine.

    Attributes:
        name: Name and version of the engine.
        total: All answers.
        by_builtin: The answers to the cases that use a builtin; ``""`` for those that use none.
        notes: The names of the cases that are not right, by builtin and answer.
    """

    name: str
    total: Counter[Answer] = field(default_factory=Counter)
    by_builtin: dict[str, Counter[Answer]] = field(default_factory=lambda: defaultdict(Counter))
    notes: dict[tuple[str, Answer], list[str]] = field(default_factory=lambda: defaultdict(list))

    def add(self, case: Case, answer: Answer) -> None:
        """Count *answer* for all that *case* uses, but not for what may be called if more is used.

        A case that also calls what no rule may call says nothing about the rest of it.
        """
        self.total[answer] += 1
        others = case.builtins - ALLOWED - OPERATORS.keys()
        about = frozenset() if case.note in LANGUAGE else others or case.builtins
        for name in about or {""}:
            self.by_builtin[name][answer] += 1
            self.notes[name, answer].append(case.note)


def run(archive: Path, program: Path) -> list[Tally]:
    """The answers of the embedded engine and of OPA."""
    tallies = []
    for engine in (Embedded(), Opa(program)):
        tally = Tally(engine.name)
        with closing(engine):
            for case in cases(archive):
                tally.add(case, judge(case, engine.ask(case)))
        tallies.append(tally)
    return tallies


TEMPLATE = Path(__file__).with_name("engines_page.md")


def page(tallies: Sequence[Tally]) -> str:
    """The page as Markdown.

    Raises:
        ValueError: A builtin that rules may call, or an operator, is wrong on one of the engines.
    """
    names = sorted({name for tally in tallies for name in tally.by_builtin})
    usable = [name for name in names if name in ALLOWED or name in OPERATORS]
    for tally in tallies:
        bad = [name for name in usable if tally.by_builtin[name][Answer.WRONG]]
        if bad:
            raise ValueError(f"{tally.name} is wrong about what rules may use: {', '.join(bad)}")
    parts = ["## All cases\n\n"]
    parts.append(_table("engine", ((tally.name, (tally.total,)) for tally in tallies), ("",)))
    engines = tuple(tally.name for tally in tallies)
    for title, chosen in (
        ("Builtins that rules may call", [name for name in names if name in ALLOWED]),
        ("Operators", [name for name in names if name in OPERATORS]),
        ("The language itself, in cases without builtins", [""]),
        (
            "Builtins that rules may not call",
            [name for name in names if name and name not in usable],
        ),
    ):
        rows = ((name, tuple(tally.by_builtin[name] for tally in tallies)) for name in chosen)
        parts += [f"\n## {title}\n\n", _table("builtin", rows, engines)]
        parts += _notes(tallies, chosen)
    unsuited = sorted(ALLOWED - set(names))
    parts.append(
        f"\nThe suite has no case for these, which rules may call: {_code(unsuited) or 'none'}.\n"
    )
    template = TEMPLATE.read_text(encoding="utf-8")
    count = str(sum(tallies[0].total.values()))
    return template.replace("{count}", count).replace("{tables}", "".join(parts))


def _table(
    head: str, rows: Iterable[tuple[str, tuple[Counter[Answer], ...]]], engines: Sequence[str]
) -> str:
    titles = [f"{engine}: {answer}".lstrip(": ") for engine in engines for answer in Answer]
    lines = [f"| {head} | {' | '.join(titles)} |", f"| --- |{' ---: |' * len(titles)}"]
    for name, counts in rows:
        cells = [str(count[answer] or "") for count in counts for answer in Answer]
        lines.append(f"| {_name(name)} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _notes(tallies: Sequence[Tally], names: Sequence[str]) -> Iterator[str]:
    """Which cases are not right; of what rules may not call, which are wrong."""
    listed = {Answer.RAISES, Answer.WRONG} if set(names) & ALLOWED else {Answer.WRONG}
    lines = [
        f"- {tally.name}, {_name(name)}, {answer}: {_code(sorted(set(tally.notes[name, answer])))}"
        for tally in tallies
        for name in names
        for answer in Answer
        if answer in listed and tally.notes.get((name, answer))
    ]
    if lines:
        yield "\n" + "\n".join(lines) + "\n"


def _name(name: str) -> str:
    if name in OPERATORS:
        operator = OPERATORS[name].replace("|", "\\|")
        return f"`{operator}`"
    return f"`{name}`" if name else "none"


def _code(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def main() -> int:
    """Write the page, or check it."""
    named = os.environ.get("PORTREEVE_TEST_DATA")
    archive = (Path(named) if named else ROOT.parent / "shared" / "data") / ARCHIVE
    program = tool("opa")
    if program is None or not archive.exists():
        missing = "opa (make tools)" if program is None else f"the conformance cases at {archive}"
        sys.stdout.write(f"skipped: docs/engines.md needs {missing}\n")
        return 0
    text = page(run(archive, program))
    if "--check" in sys.argv[1:]:
        if not TARGET.exists() or TARGET.read_text(encoding="utf-8") != text:
            sys.stdout.write(
                "docs/engines.md is out of date: python tests/support/engines_page.py\n"
            )
            return 1
        return 0
    TARGET.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
