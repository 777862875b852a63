"""Loading a bundle: a folder is built, an archive is read and passes the same checks again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from service.bundle.archive import LARGEST_ARCHIVE, unpack
from service.bundle.assemble import Parts, assemble
from service.bundle.build import build
from service.bundle.checks import ENTRY_PATH, ROOTS
from service.bundle.digest import canonical, part_digests
from service.bundle.invalid import explain
from service.bundle.values import Bundle, Org
from service.bundle.write import MANIFEST, RULES
from service.errors import BundleRefused
from service.model.request import SCHEMA_VERSION

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from service.bundle.values import Rule

_TABLES = ("catalog", "index", "org")
_HINT = "Build it again with `portreeve bundle build`."


def load(path: Path) -> Bundle:
    """The bundle at *path*, a folder or an archive, ready to decide.

    Raises:
        BundleRefused: It does not exist, must not decide, or its content is not what its manifest
            says.
    """
    if path.is_dir():
        return build(path)
    try:
        if path.stat().st_size > LARGEST_ARCHIVE:
            raise BundleRefused(f"`{path}` is larger than {LARGEST_ARCHIVE} bytes")
        raw = path.read_bytes()
    except OSError as error:
        raise BundleRefused(f"`{path}` cannot be read: {error.strerror}") from error
    return loads(raw)


def loads(raw: bytes) -> Bundle:
    """The bundle in the bytes of an archive.

    Raises:
        BundleRefused: As ``load``.
    """
    files = unpack(raw)
    manifest = _json(files, MANIFEST)
    named = manifest.get("metadata")
    if not isinstance(named, dict) or manifest.get("roots") != list(ROOTS):
        raise BundleRefused("`.manifest` is not one that portreeve wrote", hint=_HINT)
    _check_schema(named)
    data = {table: _table(files, table) for table in _TABLES}
    selected = frozenset(_json(files, RULES))
    modules = _modules(files)
    entry = modules.pop(ENTRY_PATH, "")

    def select(known: Mapping[str, Rule]) -> frozenset[str]:
        return selected & frozenset(known)

    parts = Parts(
        name=_text(named, "name"),
        revision=_text(manifest, "revision"),
        sources=modules,
        data=data,
        org=_org(data["org"]),
    )
    bundle = assemble(parts, select)
    _check_same(bundle, entry, files, named)
    return bundle


def _check_schema(named: Mapping[str, Any]) -> None:
    """The rules must have been checked against the form of request that this release makes."""
    known = named.get("request_schema")
    first, last = (known.get("min"), known.get("max")) if isinstance(known, dict) else (None, None)
    if not isinstance(first, int) or not isinstance(last, int):
        raise BundleRefused("`.manifest` does not state its `request_schema`", hint=_HINT)
    if not first <= SCHEMA_VERSION <= last:
        raise BundleRefused(
            f"the bundle is for requests of version {first} to {last}, this release of portreeve "
            f"makes those of version {SCHEMA_VERSION}",
            hint="Build the bundle with the release that is to use it.",
        )


def _check_same(
    bundle: Bundle, entry: str, files: Mapping[str, bytes], named: Mapping[str, Any]
) -> None:
    """What is generated must be what the archive holds: an altered entry could leave rules out."""
    if bundle.modules[ENTRY_PATH] != entry:
        raise BundleRefused(f"`{ENTRY_PATH}` is not what the rules make of it", hint=_HINT)
    rules = {code: rule.model_dump(mode="json") for code, rule in bundle.rulebook.items()}
    if _json(files, RULES) != rules:
        raise BundleRefused(f"`{RULES}` is not what the METADATA of the rules says", hint=_HINT)
    digest = _text(named, "digest")
    if bundle.ref.digest != digest:
        raise BundleRefused(
            f"the digest in `.manifest` is `{digest}`, the content has `{bundle.ref.digest}`",
            hint="The archive was changed after it was built. " + _HINT,
        )
    parts = part_digests(bundle.modules, bundle.data)
    if named.get("parts") != parts:
        raise BundleRefused(
            "the digests of parts in `.manifest` are not those of its content", hint=_HINT
        )


def _modules(files: Mapping[str, bytes]) -> dict[str, str]:
    known = {MANIFEST, RULES, *(f"{table}/data.json" for table in _TABLES)}
    modules: dict[str, str] = {}
    for path, content in files.items():
        if path in known:
            continue
        inside = path.startswith("policies/") and not path.endswith("_test.rego")
        if not path.endswith(".rego") or not (inside or path == ENTRY_PATH):
            raise BundleRefused(f"the archive has `{path}`, which is no part of a bundle")
        try:
            modules[path] = content.decode()
        except UnicodeDecodeError as error:
            raise BundleRefused(f"`{path}` is not UTF-8") from error
    return modules


def _json(files: Mapping[str, bytes], path: str) -> dict[str, Any]:
    if path not in files:
        raise BundleRefused(f"the archive has no `{path}`", hint=_HINT)
    try:
        content = json.loads(files[path])
    except (ValueError, RecursionError) as error:
        raise BundleRefused(f"`{path}` cannot be read as JSON") from error
    if not isinstance(content, dict):
        raise BundleRefused(f"`{path}` holds a {type(content).__name__}, expected an object")
    return content


def _table(files: Mapping[str, bytes], table: str) -> dict[str, Any]:
    """A table in its canonical form, in which no key is there twice."""
    content = _json(files, f"{table}/data.json")
    if canonical(content) != files[f"{table}/data.json"]:
        raise BundleRefused(f"`{table}/data.json` is not in canonical form", hint=_HINT)
    return content


def _text(content: Mapping[str, Any], name: str) -> str:
    value = content.get(name)
    if not isinstance(value, str) or not value:
        raise BundleRefused(f"`.manifest` states no `{name}`", hint=_HINT)
    return value


def _org(content: dict[str, Any]) -> Org:
    try:
        org = Org.model_validate_json(json.dumps(content), strict=True)
    except ValidationError as error:
        raise BundleRefused(f"`org/data.json`: {explain(error)}", hint=_HINT) from error
    if org.model_dump(mode="json") != content:
        raise BundleRefused("`org/data.json` is not complete", hint=_HINT)
    return org
