"""A bundle from a folder: ``bundle.yaml``, ``org/*.yaml``, the shared rules and catalog."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from service.bundle.assemble import Parts, assemble
from service.bundle.catalog import build_catalog
from service.bundle.catalog_rows import Overlay, Tables
from service.bundle.coherence import check_org
from service.bundle.invalid import explain
from service.bundle.own_policies import FOLDER, with_own
from service.bundle.reading import read_mapping, read_text
from service.bundle.shipped import CATALOG, is_bundle_name, shipped, shipped_root
from service.bundle.values import Bundle, Org, Rule
from service.errors import BundleRefused
from service.model.base import Text, Value

_MOST_MODULES = 2_000

Selection = Literal["all"] | tuple[Text, ...]


class BundleFile(Value):
    """``bundle.yaml``: what the bundle is called, what it extends and which rules it has.

    ``rules`` is ``all`` or a list of domains and codes; left out, it is what the extended bundle
    has, or ``all``. Rules that are off unless asked for are taken where ``rules`` or ``enable``
    names their code; ``enable`` adds to what the extended bundle enables.
    """

    name: Annotated[Text, Field(min_length=1)]
    revision: Annotated[Text, Field(min_length=1)]
    extends: Text | None = None
    rules: Selection | None = None
    enable: tuple[Text, ...] = ()


@dataclass(frozen=True)
class _Sources:
    """What a chain of bundles that extend one another adds up to."""

    file: BundleFile
    rules: Selection
    enable: tuple[str, ...]
    org: Mapping[str, Any]
    stated_in: Mapping[str, str]
    overlays: tuple[Overlay, ...] = ()
    own_policies: tuple[Path, ...] = ()


def build(directory: Path) -> Bundle:
    """The bundle that the folder *directory* describes, checked.

    Rules and catalog are those of the project the folder lies in (``../../policies`` and
    ``../catalog`` of ``bundles/<name>``), or those that come with Portreeve. Tables in ``catalog``
    of the bundle, and of those that it extends, lie over the shared ones row by row; rules in
    their ``policies`` are added to the shared ones.

    Raises:
        BundleRefused: Any part of it is missing, malformed or must not decide; names the file.
    """
    directory = directory.resolve()
    sources = _read(directory, ())
    org = _org(sources)
    catalog, index = build_catalog(Tables(_catalog_folder(directory), sources.overlays))
    data = {"catalog": catalog, "index": index, "org": org.model_dump(mode="json")}

    def select(known: Mapping[str, Rule]) -> frozenset[str]:
        return _selected(sources, known)

    parts = Parts(
        name=sources.file.name,
        revision=sources.file.revision,
        sources=_checked(with_own(read_modules(_policies_folder(directory)), sources.own_policies)),
        data=data,
        org=org,
    )
    bundle = assemble(parts, select)
    check_org(org, bundle, sources.stated_in)
    return bundle


def catalog_tables(directory: Path) -> Tables:
    """Where the catalog of the bundle in the folder *directory* is read from.

    The last overlay is the bundle's own, whether or not it exists yet.

    Raises:
        BundleRefused: A ``bundle.yaml`` of the chain is missing or malformed.
    """
    directory = directory.resolve()
    own = _overlay(directory)
    below = tuple(layer for layer in _read(directory, ()).overlays if layer != own)
    return Tables(_catalog_folder(directory), (*below, own))


def policy_folders(directory: Path) -> tuple[Path, ...]:
    """Where the rules of the bundle in the folder *directory* lie: the shared ones, then its own.

    Raises:
        BundleRefused: A ``bundle.yaml`` of the chain is missing or malformed.
    """
    directory = directory.resolve()
    return (_policies_folder(directory), *_read(directory, ()).own_policies)


def read_modules(policies: Path) -> dict[str, str]:
    """Rego sources below ``rules`` and ``lib`` of the folder *policies* by path, without tests.

    Raises:
        BundleRefused: A file cannot be read.
    """
    modules: dict[str, str] = {}
    for part in ("lib", "rules"):
        for path in sorted((policies / part).rglob("*.rego")):
            if not path.name.endswith("_test.rego"):
                inside = f"policies/{path.relative_to(policies).as_posix()}"
                modules[inside] = read_text(path, what=inside)
    return modules


def _checked(modules: dict[str, str]) -> dict[str, str]:
    if len(modules) > _MOST_MODULES:
        raise BundleRefused(f"there are {len(modules)} modules, expected {_MOST_MODULES} at most")
    return modules


def _read(directory: Path, extending: tuple[Path, ...]) -> _Sources:
    what = f"{directory.name}/bundle.yaml"
    if not (directory / "bundle.yaml").is_file():
        raise BundleRefused(
            f"`{directory}` is not a bundle: it has no `bundle.yaml`",
            hint="Give the folder of a bundle, or a bundle that was built.",
        )
    content = read_mapping(directory / "bundle.yaml", what=what)
    try:
        file = BundleFile.model_validate_json(json.dumps(content), strict=True)
    except (ValidationError, TypeError) as error:
        reason = explain(error) if isinstance(error, ValidationError) else str(error)
        raise BundleRefused(f"{what}: {reason}") from error
    org, stated_in = _read_org(directory)
    overlay = _overlay(directory)
    own = (overlay,) if overlay.folder.is_dir() else ()
    policies = (directory / FOLDER,) if (directory / FOLDER).is_dir() else ()
    if file.extends is None:
        rules: Selection = "all" if file.rules is None else file.rules
        return _Sources(file, rules, file.enable, org, stated_in, own, policies)
    below = _extended(directory, file.extends, what)
    if below in (directory, *extending):
        raise BundleRefused(f"{what}: `extends` leads back to `{below.name}`")
    base = _read(below, (directory, *extending))
    return _Sources(
        file,
        base.rules if file.rules is None else file.rules,
        (*base.enable, *file.enable),
        {**base.org, **org},
        {**base.stated_in, **stated_in},
        (*base.overlays, *own),
        (*base.own_policies, *policies),
    )


def _overlay(directory: Path) -> Overlay:
    return Overlay(f"{directory.name}/{CATALOG}", directory / CATALOG)


def _extended(directory: Path, name: str, what: str) -> Path:
    beside = directory.parent / name
    if is_bundle_name(name) and (beside / "bundle.yaml").is_file():
        return beside
    try:
        return shipped(name).resolve()
    except BundleRefused as error:
        raise BundleRefused(f"{what}: `extends`: {error.message}") from error


def _read_org(directory: Path) -> tuple[dict[str, Any], dict[str, str]]:
    """The top-level keys of all files in ``org``, and which file states which."""
    merged: dict[str, Any] = {}
    stated_in: dict[str, str] = {}
    for path in sorted((directory / "org").glob("*.y*ml")):
        what = f"{directory.name}/org/{path.name}"
        for key, value in read_mapping(path, what=what).items():
            if key not in Org.model_fields:
                expected = ", ".join(f"`{name}`" for name in sorted(Org.model_fields))
                raise BundleRefused(
                    f"{what}: the key `{key}` is not known", hint=f"Known are {expected}."
                )
            if key in merged:
                raise BundleRefused(f"{what}: `{key}` is stated in `{stated_in[key]}` as well")
            merged[key], stated_in[key] = value, what
    return merged, stated_in


def _org(sources: _Sources) -> Org:
    try:
        return Org.model_validate_json(json.dumps(dict(sources.org)), strict=True)
    except ValidationError as error:
        key = str(error.errors()[0]["loc"][0]) if error.errors()[0]["loc"] else ""
        what = sources.stated_in.get(key, f"{sources.file.name}/org")
        raise BundleRefused(f"{what}: {explain(error)}") from error
    except TypeError as error:
        raise BundleRefused(f"{sources.file.name}/org: {error}") from error


def _selected(sources: _Sources, known: Mapping[str, Rule]) -> frozenset[str]:
    """The codes that a bundle reports; a name that is neither a domain nor a code is refused."""
    named = () if sources.rules == "all" else sources.rules
    domains = {rule.domain for rule in known.values()}
    for key, names in (("rules", named), ("enable", sources.enable)):
        for name in names:
            if name not in known and (key == "enable" or name not in domains):
                what = "a code" if key == "enable" else "a domain or a code"
                raise BundleRefused(
                    f"bundle.yaml: `{key}` names `{name}`, expected {what}",
                    hint=f"Known are {', '.join(sorted({*known, *domains}))}.",
                )
    asked_for = {*named, *sources.enable}
    return frozenset(
        code
        for code, rule in known.items()
        if code in asked_for
        or (not rule.off_because and (sources.rules == "all" or rule.domain in named))
    )


def _policies_folder(directory: Path) -> Path:
    own = directory.parent.parent / "policies"
    in_project = directory.parent.name == "bundles" and own.is_dir()
    return own if in_project else shipped_root() / "policies"


def _catalog_folder(directory: Path) -> Path:
    own = directory.parent / CATALOG
    return own if own.is_dir() else shipped_root() / "bundles" / CATALOG
