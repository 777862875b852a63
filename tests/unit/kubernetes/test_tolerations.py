from __future__ import annotations

from typing import Any

import pytest

from adapters.kubernetes.pods import read_tolerations


@pytest.mark.parametrize(
    ("tolerations", "expected"),
    [
        (None, []),
        ([{"operator": "Exists"}], ["*"]),
        ([{"operator": "Exists", "effect": "NoExecute"}], ["*:NoExecute"]),
        ([{"operator": "Exists", "effect": "NoSchedule"}], ["*:NoSchedule"]),
        (
            [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}],
            ["nvidia.com/gpu"],
        ),
        ([{"key": "a"}, {"key": "b"}, {"key": "a", "value": "x"}], ["a", "b"]),
    ],
)
def test_tolerations_are_keys_of_taints(tolerations: Any, expected: list[str]) -> None:
    """All taints with one effect are not all taints: most keep pods from being scheduled."""
    assert read_tolerations({"tolerations": tolerations}) == expected
