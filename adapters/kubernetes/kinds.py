"""Which kinds of objects take something, which take nothing, and where each says what it takes.

``kinds.yaml`` is the table; a file of the same form, named by the setting
``kubernetes_kinds_file``, adds kinds to it or replaces some of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from functools import lru_cache
from importlib import resources
from typing import Annotated, Any, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from adapters.kubernetes.paths import Count, Path, parse_count, parse_path
from service.errors import RequestRefused, SettingsRefused
from service.intake.documents import read_yaml_documents
from service.model.resource import Purpose

TABLE = "kinds.yaml"
_LARGEST_TABLE = 1 << 20

_Name = Annotated[str, Field(pattern=r"^[A-Z][A-Za-z0-9]{0,62}$")]
_Group = Annotated[str, Field(pattern=r"^[a-z0-9.-]{0,253}$")]
_Text = Annotated[str, Field(min_length=1, max_length=512)]


class Takes(StrEnum):
    """What objects of a kind take.

    ``accelerators`` through their pods, ``capacity`` as nodes that are bought, ``nothing``, or
    something that another object says (``elsewhere``): an autoscaler knows how many, not of what.
    """

    ACCELERATORS = "accelerators"
    CAPACITY = "capacity"
    ELSEWHERE = "elsewhere"
    NOTHING = "nothing"


class Form(StrEnum):
    """What stands at the path to pods.

    ``template`` is metadata and a pod specification, ``pod`` a pod specification alone, ``object``
    a whole object of a kind of its own; the others are the forms of one project each.
    """

    TEMPLATE = "template"
    POD = "pod"
    OBJECT = "object"
    ARGO = "argo"
    KSERVE = "kserve"
    SPARK = "spark"
    TEKTON = "tekton"
    TRAINER = "trainer"


UNKNOWN_GANG = "unknown"
"""The gang of templates of which only the program knows whether their pods work together."""


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ScaledRow(_Row):
    """What an autoscaler may make of a count: at least, at most, and what turns it on."""

    least: _Text | None = None
    most: _Text
    when: _Text | None = None


class TemplateRow(_Row):
    """One path to pods, and how many pods are made of each template found there."""

    pods: _Text
    form: Form = Form.TEMPLATE
    copies: tuple[_Text, ...] = ()
    workers: tuple[_Text, ...] = ()
    scaled: ScaledRow | None = None
    gang: _Text | None = None
    with_: _Text | None = Field(default=None, alias="with")
    without: _Text | None = None
    indexed: _Text | None = None
    uncounted: bool = False


class ManagedRow(_Row):
    """Where a managed resource of Crossplane says what other kinds do not."""

    zones: _Text | None = None
    total: _Text | None = None
    attached: _Text | None = None
    spot: _Text | None = None


class CapacityRow(_Row):
    """Where a kind of node pool says what it buys."""

    vendor: str | None = None
    instance_type: _Text | None = None
    nodes: _Text | None = None
    scaled: ScaledRow | None = None
    limits: _Text | None = None
    requirements: _Text | None = None
    region: _Text | None = None
    managed: ManagedRow | None = None


class KindRow(_Row):
    """One kind, as a file states it."""

    group: _Group
    kind: _Name | None = None
    takes: Takes = Takes.ACCELERATORS
    templates: tuple[TemplateRow, ...] = ()
    capacity: CapacityRow | None = None
    refers: tuple[_Text, ...] = ()
    deadline: _Text | None = None
    repeats: bool = False
    purpose: Purpose | None = None
    model: _Text | None = None
    tensor_parallel: _Text | None = None
    source: _Text

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        if self.kind is None and self.takes is not Takes.NOTHING:
            raise ValueError("only a group that takes nothing may be named without a `kind`")
        if (self.takes in {Takes.ACCELERATORS, Takes.ELSEWHERE}) != bool(self.templates):
            raise ValueError("`templates` belong to kinds that take accelerators, and to no others")
        if (self.takes is Takes.CAPACITY) != (self.capacity is not None):
            raise ValueError("`capacity` belongs to kinds that take capacity, and to no others")
        return self


class Scaled(NamedTuple):
    """The bounds of an autoscaler, compiled."""

    least: Count | None
    most: Count
    when: Path | None


class Template(NamedTuple):
    """One path to pods, compiled.

    Attributes:
        pods: Where the templates stand.
        form: What stands there.
        copies: Factors of the number of independent copies.
        workers: Factors of the number of pods in one copy.
        scaled: What an autoscaler makes of the first factor.
        gang: Templates with the same name make one copy together.
        only_with: The template counts only where something stands at this path.
        only_without: The template counts only where nothing stands at this path.
        indexed: Where the value ``Indexed`` says that copies are workers of one gang.
        is_uncounted: Whether another object says how many there are.
    """

    pods: Path
    form: Form = Form.TEMPLATE
    copies: tuple[Count, ...] = ()
    workers: tuple[Count, ...] = ()
    scaled: Scaled | None = None
    gang: str | None = None
    only_with: Path | None = None
    only_without: Path | None = None
    indexed: Path | None = None
    is_uncounted: bool = False


class Managed(NamedTuple):
    """Where a managed resource of Crossplane says what other kinds do not, compiled.

    Attributes:
        zones: A list of zones, each of which gets the number of nodes.
        total: Where something stands here, the number is of all zones together.
        attached: Accelerators that are attached to each machine, whatever its type.
        spot: What says that the machines may be taken away at any time.
    """

    zones: Path | None
    total: Path | None
    attached: Path | None
    spot: Path | None


class Capacity(NamedTuple):
    """Where a kind of node pool says what it buys, compiled; one machine where it has no count."""

    vendor: str | None
    instance_type: Path | None
    nodes: Count | None
    scaled: Scaled | None
    limits: Path | None
    requirements: Path | None
    region: Path | None
    managed: Managed | None = None


class Kind(NamedTuple):
    """What is known of a kind.

    Attributes:
        name: Kind, without its group.
        takes: What its objects take.
        templates: Where its pods are.
        capacity: Where its nodes are.
        refers: Where an object names others that say what it does not say itself.
        deadline: Where it says in seconds, or as ``1h30m``, how long it may run.
        repeats: Whether it runs again and again, so that the deadline ends a run only.
        purpose: What all objects of the kind are for.
        models: Where it names a model, the first that is stated counts.
        tensor_parallel: Where it says over how many accelerators a model is divided.
        source: Where the paths are documented.
    """

    name: str
    takes: Takes
    templates: tuple[Template, ...] = ()
    capacity: Capacity | None = None
    refers: tuple[Path, ...] = ()
    deadline: Path | None = None
    repeats: bool = False
    purpose: Purpose | None = None
    models: tuple[Path, ...] = ()
    tensor_parallel: Path | None = None
    source: str = ""


class Kinds:
    """The kinds by group and name, and the groups all of whose kinds take nothing."""

    def __init__(self, rows: Iterable[KindRow]) -> None:
        self.rows = {(row.group, row.kind): row for row in rows}
        self._kinds = {
            (group, name): _compiled(row) for (group, name), row in self.rows.items() if name
        }
        self._nothing = frozenset(group for group, name in self.rows if name is None)
        self._plurals = {
            (group, plural): name for group, name in self._kinds for plural in _plurals(name)
        }

    def find(self, group: str, kind: str) -> Kind | None:
        """What is known of *kind* in *group*; another group's ``Job`` is another thing."""
        found = self._kinds.get((group, kind))
        return _NOTHING if found is None and group in self._nothing else found

    def kind_of(self, group: str, plural: str) -> str | None:
        """The kind that the API's paths call *plural*."""
        return self._plurals.get((group, plural))


_NOTHING = Kind("", Takes.NOTHING)
_SUBRESOURCES = frozenset({"binding", "eviction", "finalize", "log", "status", "token"})
WITHIN_POD = frozenset({"ephemeralcontainers", "resize"})
"""Subresources that are written with the whole object."""


def changes_nothing(subresource: str) -> bool:
    """Whether writing *subresource* leaves what its object takes as it is."""
    return subresource in _SUBRESOURCES


def group_of(api_version: str) -> str:
    """The group of an ``apiVersion``; empty for the core group."""
    group, slash, _ = api_version.partition("/")
    return group if slash else ""


@lru_cache(maxsize=1)
def shipped() -> Kinds:
    """The kinds of the table that comes with this package."""
    raw = resources.files(__package__).joinpath(TABLE).read_bytes()
    return Kinds(_rows(raw, TABLE))


def extended(raw: bytes, *, name: str) -> Kinds:
    """The shipped kinds with those that the file *name* with content *raw* adds or replaces.

    Raises:
        SettingsRefused: The file is no table of kinds; says which entry and why.
    """
    return Kinds((*shipped().rows.values(), *_rows(raw, name)))


class _Chosen:
    """The kinds that the process was started with."""

    kinds: Kinds | None = None


def use(kinds: Kinds | None) -> None:
    """Understand *kinds* from now on in this process, the shipped ones for ``None``.

    Only a composition root chooses, once, before anything is read.
    """
    _Chosen.kinds = kinds


def in_use() -> Kinds:
    """The kinds that this process understands."""
    return _Chosen.kinds or shipped()


def _rows(raw: bytes, name: str) -> list[KindRow]:
    try:
        documents = read_yaml_documents(raw, limit=_LARGEST_TABLE, what=f"`{name}`")
    except RequestRefused as error:
        raise SettingsRefused(error.message, hint=error.hint) from error
    document = documents[0] if len(documents) == 1 else None
    if not isinstance(document, Mapping) or set(document) != {"kinds"}:
        raise SettingsRefused(f"`{name}` is no table of kinds", hint=_HINT)
    entries = document["kinds"]
    if not isinstance(entries, list):
        raise SettingsRefused(f"`kinds` of `{name}` is no list", hint=_HINT)
    return [_row(entry, f"`{name}`: kind {number}") for number, entry in enumerate(entries, 1)]


_HINT = "State a list `kinds` of entries such as those in docs/kubernetes-kinds.md."


def _row(entry: Any, where: str) -> KindRow:
    if isinstance(entry, Mapping) and entry.get("kind"):
        where += f" (`{str(entry['kind'])[:64]}`)"
    try:
        row = KindRow.model_validate(entry)
        _compiled(row)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        at = ".".join(str(part) for part in first["loc"])
        problem = f"`{at}`: {first['msg']}" if at else first["msg"]
        raise SettingsRefused(f"{where}: {problem}", hint=_HINT) from None
    except ValueError as error:
        raise SettingsRefused(f"{where}: {error}", hint=_HINT) from None
    return row


def _compiled(row: KindRow) -> Kind:
    return Kind(
        row.kind or "",
        row.takes,
        tuple(_template(each) for each in row.templates),
        _capacity(row.capacity) if row.capacity is not None else None,
        tuple(parse_path(each) for each in row.refers),
        _path(row.deadline),
        row.repeats,
        row.purpose,
        tuple(parse_path(each) for each in row.model.split("|")) if row.model else (),
        _path(row.tensor_parallel),
        row.source,
    )


def _template(row: TemplateRow) -> Template:
    along = parse_path(row.pods)
    return Template(
        along,
        row.form,
        tuple(parse_count(each, along) for each in row.copies),
        tuple(parse_count(each, along) for each in row.workers),
        _scaled(row.scaled, along),
        row.gang,
        _path(row.with_),
        _path(row.without),
        _path(row.indexed),
        row.uncounted,
    )


def _capacity(row: CapacityRow) -> Capacity:
    return Capacity(
        row.vendor,
        _path(row.instance_type),
        parse_count(row.nodes, ()) if row.nodes is not None else None,
        _scaled(row.scaled, ()),
        _path(row.limits),
        _path(row.requirements),
        _path(row.region),
        _managed(row.managed) if row.managed is not None else None,
    )


def _managed(row: ManagedRow) -> Managed:
    return Managed(_path(row.zones), _path(row.total), _path(row.attached), _path(row.spot))


def _scaled(row: ScaledRow | None, along: Path) -> Scaled | None:
    if row is None:
        return None
    least = parse_count(row.least, along) if row.least is not None else None
    return Scaled(least, parse_count(row.most, along), _path(row.when))


def _path(text: str | None) -> Path | None:
    return parse_path(text) if text is not None else None


def _plurals(kind: str) -> tuple[str, ...]:
    """How the API's paths may call *kind*."""
    name = kind.lower()
    return (f"{name}s", f"{name}es", f"{name[:-1]}ies" if name.endswith("y") else name)
