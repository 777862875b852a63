"""What labels and annotations under ``portreeve.dev/`` declare.

An annotation may hold what a label may not: slashes in a model's name, commas between data classes
(labels separate them by ``_``). The object itself is believed before its pod template, and an
annotation before a label.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from adapters.kubernetes.payload import pairs
from service.model.base import Reason
from service.model.declarations import ASSETS, DATA_ASSET, DATA_CLASS, POINTERS, value_of
from service.model.sensitive import redact_pairs, redact_text

if TYPE_CHECKING:
    from adapters.kubernetes.state import State

PREFIX = "portreeve.dev/"
DECLARED = "declared"


def read_declarations(metadata: list[dict[str, Any]]) -> dict[str, tuple[str, str]]:
    """Declared values by name without the prefix, each with the separator of its lists.

    *metadata* are the object's own and those of its templates, the object's first.

    Raises:
        RequestRefused: Labels or annotations are no texts by name.
    """
    found: dict[str, tuple[str, str]] = {}
    for one in metadata:
        for part, separator in (("annotations", ","), ("labels", "_")):
            if part not in one:
                continue
            for key, value in pairs(one, part).items():
                if key.startswith(PREFIX) and value:
                    found.setdefault(key[len(PREFIX) :], (value, separator))
    return found


def apply(declared: dict[str, tuple[str, str]], state: State) -> None:
    """Write what is *declared* into *state*; what cannot be read is recorded as not known."""
    for name, (value, separator) in declared.items():
        if name == DATA_CLASS:
            _put_data(state, value.split(separator), declared.get(DATA_ASSET))
        elif (pointer := POINTERS.get(name)) is not None:
            found = value_of(name, redact_text(value))
            if found is None:
                state.hide(pointer, Reason.UNDECLARED)
            else:
                state.put(pointer, found, DECLARED)


def _put_data(state: State, classes: list[str], asset: tuple[str, str] | None) -> None:
    kind = ASSETS.get(asset[0].lower()) if asset is not None else None
    names = dict.fromkeys(redact_text(name) for part in classes if (name := part.strip()))
    if names:
        state.put("/data", [{"class": name, "asset": kind} for name in names], DECLARED)
    else:
        state.hide("/data", Reason.UNDECLARED)


def shown_labels(metadata: dict[str, Any]) -> dict[str, str]:
    """The object's labels without secrets.

    Raises:
        RequestRefused: They are no texts by name.
    """
    labels = pairs(metadata, "labels")
    return redact_pairs(labels) if labels else {}
