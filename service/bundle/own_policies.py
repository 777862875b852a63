"""Rules of a bundle's own, beside the shared ones: the folder ``policies`` within a bundle.

It is laid out as the shared one: ``rules/<domain>/<topic>`` and ``lib``. Files and packages are
added and never replaced: what a shared rule reports, no bundle can change in silence.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from service.bundle.reading import read_text
from service.errors import BundleRefused

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

FOLDER = "policies"
_PARTS = ("lib", "rules")
_PACKAGE = re.compile(r"^package\s+(\S+)", re.MULTILINE)


def with_own(shared: dict[str, str], folders: Iterable[Path]) -> dict[str, str]:
    """*shared* modules by path and, added one after the other, those of *folders*.

    Raises:
        BundleRefused: A file cannot be read, lies outside of ``rules`` and ``lib``, or has the path
            or the package of another one.
    """
    modules = dict(shared)
    for folder in folders:
        own = _modules(folder)
        taken = {_package(text) for text in modules.values()}
        for path, text in own.items():
            if path in modules:
                raise BundleRefused(
                    f"{folder.parent.name}/{path}: there is a file of that path already",
                    hint="Rules are added and never replaced: give the topic a name of its own, "
                    "and leave the shared rule out in `bundle.yaml`.",
                )
            if _package(text) in taken:
                raise BundleRefused(
                    f"{folder.parent.name}/{path}: the package `{_package(text)}` is there already",
                    hint="Put rules and helpers into packages of their own.",
                )
        modules |= own
    return modules


def _modules(folder: Path) -> dict[str, str]:
    """Rego sources by their path in the bundle, without tests."""
    modules = {}
    for path in sorted(folder.rglob("*.rego")):
        inside = f"{FOLDER}/{path.relative_to(folder).as_posix()}"
        what = f"{folder.parent.name}/{inside}"
        if path.relative_to(folder).parts[0] not in _PARTS:
            raise BundleRefused(
                f"{what}: it would never be read",
                hint="Rules lie below `policies/rules/<domain>/<topic>`, helpers below "
                "`policies/lib`.",
            )
        if not path.name.endswith("_test.rego"):
            modules[inside] = read_text(path, what=what)
    return modules


def _package(text: str) -> str:
    """The name as it is written; the compiler has the last word about what it is."""
    found = _PACKAGE.search(text)
    return found[1] if found else ""
