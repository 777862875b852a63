"""A bundle with a baseline from a file beside that which its organisation states."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from service.bundle.baseline import KEY, read_baseline
from service.bundle.coherence import check_org
from service.bundle.digest import check_numbers, digest

if TYPE_CHECKING:
    from pathlib import Path

    from service.bundle.values import Bundle


def with_baseline(bundle: Bundle, path: Path) -> Bundle:
    """*bundle* with the rows of the file *path*, and the digest that it then has.

    Raises:
        BundleRefused: The file is no baseline, or names a code that the bundle lacks.
    """
    rows = read_baseline(path)
    check_org(bundle.org.model_copy(update={KEY: rows}), bundle, {KEY: f"`{path}`"})
    org = bundle.org.model_copy(update={KEY: (*bundle.org.baseline, *rows)})
    data = {**bundle.data, "org": org.model_dump(mode="json")}
    check_numbers(data["org"])
    ref = bundle.ref.model_copy(update={"digest": digest(bundle.modules, data)})
    return replace(bundle, ref=ref, data=data, org=org)
