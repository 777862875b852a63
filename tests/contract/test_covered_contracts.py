"""A Pod as a real API server sends it is covered by the ReplicaSet that it was made of."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from views import MemoryView

from adapters.kubernetes.kinds import shipped
from adapters.kubernetes.owners import Alone, Cover, Surroundings, find_cover
from adapters.kubernetes.review import read_review

_CASE = Path(__file__).parent / "kubernetes" / "pod_of_a_replica_set_with_a_generated_name"
_ACCOUNT = "system:serviceaccount:kube-system:replicaset-controller"


def _review(by: str) -> dict[str, Any]:
    review: dict[str, Any] = json.loads((_CASE / "request.json").read_text())
    review["request"]["userInfo"] = {"username": by}
    return review


def _owner(cards: int) -> dict[str, Any]:
    """The ReplicaSet of the case; its template is what was sent, before admission added to it."""
    stated = yaml.safe_load((_CASE / "case.yaml").read_text())["object"]
    (container,) = stated["spec"]["containers"]
    container["resources"]["limits"]["nvidia.com/gpu"] = cards
    reference = _review("")["request"]["object"]["metadata"]["ownerReferences"][0]
    metadata = {key: reference[key] for key in ("name", "uid")}
    return {
        "apiVersion": reference["apiVersion"],
        "kind": reference["kind"],
        "metadata": {**metadata, "namespace": stated["metadata"]["namespace"]},
        "spec": {"replicas": 1, "template": {"spec": stated["spec"]}},
    }


@pytest.mark.parametrize(
    ("by", "cards", "expected"),
    [(_ACCOUNT, 1, None), (_ACCOUNT, 2, Alone.TEMPLATE), ("admin", 1, Alone.REQUESTER)],
)
def test_it_is_covered_if_a_controller_asks_for_the_same(
    by: str, cards: int, expected: Alone | None
) -> None:
    around = Surroundings(shipped(), MemoryView(_owner(cards)), "prod-eu", {_ACCOUNT})

    found = find_cover(read_review(_review(by)), around)

    if expected is not None:
        assert found is expected
        return
    assert isinstance(found, Cover)
    assert found.subject == "prod-eu/language-serving/ReplicaSet/llama-70b-6c9f7d8b5"
