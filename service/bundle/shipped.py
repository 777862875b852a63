"""Where the bundles and rules that come with Portreeve lie, in a wheel and in a checkout."""

from __future__ import annotations

import re
from pathlib import Path

from service.errors import BundleRefused

_HERE = Path(__file__).resolve().parent
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
CATALOG = "catalog"


def shipped_root() -> Path:
    """The folder that holds ``policies`` and ``bundles``."""
    in_wheel = _HERE / "shipped"
    return in_wheel if in_wheel.is_dir() else _HERE.parents[1]


def is_bundle_name(name: str) -> bool:
    """Whether *name* is a plain lower-case word that can be a folder, and not the catalog's."""
    return name != CATALOG and _NAME.fullmatch(name) is not None


def shipped_names() -> tuple[str, ...]:
    """The names of the bundles that come with Portreeve."""
    folders = (path.parent.name for path in (shipped_root() / "bundles").glob("*/bundle.yaml"))
    return tuple(sorted(folders))


def shipped(name: str) -> Path:
    """The folder of the bundle *name* that comes with Portreeve.

    Raises:
        BundleRefused: There is none of that name.
    """
    path = shipped_root() / "bundles" / name
    if not is_bundle_name(name) or not (path / "bundle.yaml").is_file():
        known = ", ".join(f"`{known}`" for known in shipped_names())
        raise BundleRefused(f"no bundle `{name}` comes with portreeve, expected one of {known}")
    return path
