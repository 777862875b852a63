"""The shipped catalog compiles, and says what its sources say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from service.bundle.catalog import build_catalog

SHIPPED = Path(__file__).parents[3] / "bundles" / "catalog"


@pytest.fixture(scope="module")
def built() -> tuple[dict[str, Any], dict[str, Any]]:
    return build_catalog(SHIPPED)


def test_the_shipped_catalog_compiles(built: tuple[dict[str, Any], dict[str, Any]]) -> None:
    catalog, index = built

    assert catalog["instance_types"]["aws"]["p5.48xlarge"]["accelerator"] == "nvidia-h100-sxm"
    assert index["fit"]
