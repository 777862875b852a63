"""Names of accelerators, makers and data classes in what the organisation sets about hardware."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from service.bundle.values import Org


def uses(org: Org, catalog: Mapping[str, Any]) -> Iterator[tuple[str, str, Collection[str], str]]:
    """Each name: its pointer, the name, what it may be, and what that is called."""
    accelerators = catalog.get("accelerators", {})
    for name in org.gpu.isolated_classes:
        yield "/gpu/isolated_classes", name, org.data_classes, "class in data_classes"
    for name in org.gpu.own_accelerators:
        yield "/gpu/own_accelerators", name, accelerators, "accelerator of the catalog"
    makers = {row["manufacturer"] for row in accelerators.values()}
    for cluster, facts in org.hygiene.clusters.items():
        for part in ("taints", "runtime_class"):
            for maker in getattr(facts, part):
                pointer = f"/hygiene/clusters/{cluster}/{part}"
                yield pointer, maker, makers, "manufacturer of the catalog"
