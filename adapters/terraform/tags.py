"""Labels and tags, and what Portreeve reads from them.

The prefix is ``portreeve:`` or ``portreeve.dev/``; Google's label keys allow neither, so there it
is ``portreeve_`` or ``portreeve-``. Their values allow no comma either: data classes are separated
by commas or underscores. Common names without a prefix (``Team``, ``CostCenter``) are believed
where no prefixed one says otherwise.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from adapters.terraform.draft import DECLARED, Draft
from service.model.base import Reason
from service.model.declarations import ASSETS, DATA_ASSET, DATA_CLASS, POINTERS, value_of
from service.model.resource import Data, Lifetime, Model, Ownership, Throughput
from service.model.sensitive import REDACTED, redact_pairs

if TYPE_CHECKING:
    from adapters.terraform.reading import Attributes, Path

_PREFIX = re.compile(r"portreeve(?::|\.dev/|[_-])(.+)", re.DOTALL)
_SEPARATORS = re.compile(r"[,_ ]+")

_OWNERSHIP = ("org", "team", "project", "cost_center", "owner", "environment")
_CONVENTIONS = {
    "team": "team",
    "costcenter": "cost_center",
    "costcentre": "cost_center",
    "owner": "owner",
    "environment": "environment",
    "env": "environment",
    "project": "project",
}
_GROUPS = {
    "lifetime": Lifetime,
    "model": Model,
    "ownership": Ownership,
    "throughput": Throughput,
}
# Pointers that hang on labels as a whole: without the labels nobody can say whether they are given.
_FROM_LABELS = ("/labels", "/ownership/team", "/ownership/cost_center", "/purpose", "/data")


def read_tags(
    attributes: Attributes, paths: tuple[Path, ...], draft: Draft, *, provider_adds: bool
) -> None:
    """Fill what labels say; *provider_adds* if the provider is configured with default ones.

    Raises:
        RequestRefused: A map of labels is something else.
    """
    labels: dict[str, str] = {}
    hidden: dict[str, Reason] = {}
    reaches: dict[str, Reason] = {}
    for path in paths:
        known, keys, reason = attributes.pairs(path)
        labels.update(known)
        hidden.update(keys)
        if reason is not None:
            # Providers leave a map that is not configured open until the apply; all it can add are
            # the provider's own default labels.
            is_open = reason is Reason.AFTER_APPLY and not _may_be_set(path, attributes)
            for pointer in _FROM_LABELS[: 1 if is_open and not provider_adds else None]:
                reaches.setdefault(pointer, reason)
    draft.unknown.update(reaches)
    # What one map leaves open another may say; what one hides is secret in all.
    secret = {key for key, reason in hidden.items() if reason is Reason.SENSITIVE}
    _hide_keys({key: hidden[key] for key in hidden if key in secret or key not in labels}, draft)
    labels.update(dict.fromkeys(secret, REDACTED))
    labels = redact_pairs(labels)
    draft.fields["labels"] = labels
    _interpret(labels, draft)


def _may_be_set(path: Path, attributes: Attributes) -> bool:
    # A `dynamic` block leaves no trace in the plan's configuration.
    return attributes.is_configured(path) or (
        len(path) > 1 and not attributes.is_configured(path[:1])
    )


def _hide_keys(hidden: dict[str, Reason], draft: Draft) -> None:
    for key, reason in hidden.items():
        name = _name(key)
        if name is None:
            field = _CONVENTIONS.get(re.sub(r"[-_ ]", "", key.lower()))
            if field is not None:
                draft.hide(f"/ownership/{field}", reason)
            continue
        if (pointer := POINTERS.get(name)) is not None:
            draft.hide(pointer, reason)


def _interpret(labels: dict[str, str], draft: Draft) -> None:
    ours: dict[str, str] = {}
    ownership: dict[str, str] = {}
    for key, value in labels.items():
        if value in ("", REDACTED):
            continue
        name = _name(key)
        if name is not None:
            ours[name] = value
        elif field := _CONVENTIONS.get(re.sub(r"[-_ ]", "", key.lower())):
            ownership.setdefault(field, value)
            draft.provenance[f"/ownership/{field}"] = "inferred:tag"
            draft.unknown.pop(f"/ownership/{field}", None)
    found: dict[str, Any] = {"ownership": ownership} if ownership else {}
    for name, value in ours.items():
        _declare(name, value, found, draft)
    for field, value in found.items():
        of_field = _GROUPS.get(field)
        draft.fields[field] = of_field(**value) if of_field is not None else value
    if DATA_CLASS in ours:
        classes = dict.fromkeys(part for part in _SEPARATORS.split(ours[DATA_CLASS]) if part)
        asset = ASSETS.get(ours.get(DATA_ASSET, "").lower())
        draft.put("data", tuple(Data(data_class=one, asset=asset) for one in classes))
        draft.unknown.pop("/data", None)


def _declare(name: str, text: str, found: dict[str, Any], draft: Draft) -> None:
    """Put what *text* declares into *found*; something else was said, but what is not known."""
    pointer = POINTERS.get(name)
    if pointer is None or name == DATA_CLASS:
        return
    _, field, *leaf = pointer.split("/")
    value = value_of(name, text)
    if value is None:
        draft.hide(pointer, Reason.UNDECLARED)
        return
    if leaf:
        found.setdefault(field, {})[leaf[0]] = value
    else:
        found[field] = value
    if pointer == "/lifetime/minutes":
        found[field]["bounded"] = True
    draft.provenance[pointer] = DECLARED
    draft.unknown.pop(pointer, None)


def _name(key: str) -> str | None:
    match = _PREFIX.match(key)
    return match[1].lower().replace("_", "-") if match else None
