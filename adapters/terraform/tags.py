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
from service.model.base import LARGEST_EXACT, Reason
from service.model.resource import Data, Lifetime, Model, Ownership, Purpose, Throughput
from service.model.sensitive import REDACTED, redact_pairs

if TYPE_CHECKING:
    from adapters.terraform.reading import Attributes, Path

_PREFIX = re.compile(r"portreeve(?::|\.dev/|[_-])(.+)", re.DOTALL)
_PURPOSES = {purpose.value: purpose for purpose in Purpose}
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
_MODEL_TEXTS = {
    "model": "id",
    "precision": "precision",
    "kv-precision": "kv_precision",
    "optimizer": "optimizer",
}
_MODEL_COUNTS = {
    "params-m": "params_m",
    "context-tokens": "context_tokens",
    "concurrency": "concurrency",
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
        field = name.replace("-", "_")
        if field in _OWNERSHIP:
            draft.hide(f"/ownership/{field}", reason)
        elif name in _MODEL_TEXTS or name in _MODEL_COUNTS:
            draft.hide(f"/model/{_MODEL_TEXTS.get(name) or _MODEL_COUNTS[name]}", reason)
        elif name == "data-class":
            draft.hide("/data", reason)
        elif name == "purpose":
            draft.hide("/purpose", reason)
        elif name == "max-minutes":
            draft.hide("/lifetime/minutes", reason)


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
    for name, value in ours.items():
        field = name.replace("-", "_")
        if field in _OWNERSHIP:
            ownership[field] = value
            draft.provenance[f"/ownership/{field}"] = DECLARED
    for field in ownership:
        draft.unknown.pop(f"/ownership/{field}", None)
    if ownership:
        draft.fields["ownership"] = Ownership(**ownership)
    if ours:
        _interpret_ours(ours, draft)


def _interpret_ours(ours: dict[str, str], draft: Draft) -> None:
    model: dict[str, Any] = {
        field: ours[name] for name, field in _MODEL_TEXTS.items() if name in ours
    }
    for name, field in _MODEL_COUNTS.items():
        if name in ours:
            model[field] = _count(ours[name], f"/model/{field}", draft)
    if model:
        draft.put("model", Model(**model))
    if "purpose" in ours:
        purpose = _PURPOSES.get(ours["purpose"].lower())
        if purpose is None:
            draft.hide("/purpose", Reason.UNDECLARED)
        else:
            draft.put("purpose", purpose)
            draft.unknown.pop("/purpose", None)
    if "data-class" in ours:
        classes = dict.fromkeys(part for part in _SEPARATORS.split(ours["data-class"]) if part)
        draft.put("data", tuple(Data(data_class=one) for one in classes))
        draft.unknown.pop("/data", None)
    if "max-minutes" in ours:
        minutes = _count(ours["max-minutes"], "/lifetime/minutes", draft)
        draft.put("lifetime", Lifetime(minutes=minutes, bounded=minutes is not None or None))
    if "requests-per-minute" in ours:
        pointer = "/throughput/requests_per_minute"
        rate = _count(ours["requests-per-minute"], pointer, draft)
        draft.put("throughput", Throughput(requests_per_minute=rate))


def _count(text: str, pointer: str, draft: Draft) -> int | None:
    """The count in *text*; something else was said, but what is not known."""
    if text.isascii() and text.isdigit() and len(text) <= 16 and int(text) <= LARGEST_EXACT:
        return int(text)
    draft.hide(pointer, Reason.UNDECLARED)
    return None


def _name(key: str) -> str | None:
    match = _PREFIX.match(key)
    return match[1].lower().replace("_", "-") if match else None
