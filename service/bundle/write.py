"""Writing a bundle as a standard OPA bundle, the same bytes each time."""

from __future__ import annotations

import os
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from service.bundle.archive import pack
from service.bundle.checks import ROOTS
from service.bundle.digest import canonical, part_digests
from service.errors import BundleRefused
from service.model.request import SCHEMA_VERSION

if TYPE_CHECKING:
    from service.bundle.values import Bundle

MANIFEST = ".manifest"
RULES = "rules.json"


def write(bundle: Bundle, path: Path) -> None:
    """Write *bundle* to the archive *path*, which appears complete or not at all.

    Raises:
        BundleRefused: It cannot be written there.
    """
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".bundle-", delete=False) as file:
            partial = Path(file.name)
            file.write(archived(bundle))
            file.flush()
            os.fsync(file.fileno())
        partial.chmod(0o644)
        partial.replace(path)
    except OSError as error:
        raise BundleRefused(f"`{path}` cannot be written: {error.strerror}") from error


def archived(bundle: Bundle) -> bytes:
    """The bytes of *bundle*'s archive."""
    manifest: dict[str, Any] = {
        "revision": bundle.ref.revision,
        "roots": list(ROOTS),
        "rego_version": 1,
        "metadata": {
            "name": bundle.ref.name,
            "digest": bundle.ref.digest,
            "parts": part_digests(bundle.modules, bundle.data),
            "portreeve": version("portreeve"),
            # The forms of a request that the rules were checked against.
            "request_schema": {"min": SCHEMA_VERSION, "max": SCHEMA_VERSION},
        },
    }
    rules = {code: rule.model_dump(mode="json") for code, rule in bundle.rulebook.items()}
    files = {MANIFEST: canonical(manifest), RULES: canonical(rules)}
    files |= {f"{root}/data.json": canonical(content) for root, content in bundle.data.items()}
    files |= {name: text.encode() for name, text in bundle.modules.items()}
    return pack(files)
