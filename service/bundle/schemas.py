"""JSON Schemas of what rules see and of what leaves the service, generated from the model.

``python -m service.bundle.schemas`` writes them to ``policies/schemas``, where
``opa check --schema`` finds a misspelt path in a rule (``schemas: - input: schema.request`` and
``- data.org: schema.org`` in METADATA).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from service.bundle.shipped import shipped_root
from service.bundle.values import Org
from service.model.decision import Decision
from service.model.request import Request

if TYPE_CHECKING:
    from pathlib import Path

    from pydantic import BaseModel

_MODELS: dict[str, type[BaseModel]] = {"decision": Decision, "org": Org, "request": Request}


def schemas() -> dict[str, str]:
    """The text of each schema by file name; of the dense form that rules meet, names as in JSON."""
    return {
        f"{name}.json": json.dumps(
            {
                "$schema": "https://json-schema.org/draft/2020-12/schema",
                **model.model_json_schema(mode="serialization", by_alias=True),
            },
            indent=2,
            sort_keys=True,
        )
        + "\n"
        for name, model in _MODELS.items()
    }


def write_schemas(folder: Path) -> None:
    """Write every schema into *folder*."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in schemas().items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write_schemas(shipped_root() / "policies" / "schemas")
