"""Findings -> the words that a person reads, from the METADATA of their rules."""

from __future__ import annotations

import re
import unicodedata
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from service.model.base import Reason

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from service.bundle.values import Rule
    from service.model.finding import Finding

LONGEST_FACT = 256

_PLACEHOLDER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
_MISSING_ANY = "it is not known whether `{resource}` keeps the rule: {missing} is not known"

_REASONS = {
    Reason.AFTER_APPLY: "known only after apply",
    Reason.UNDECLARED: "not declared",
    Reason.ELSEWHERE: "stated in another object",
    Reason.SENSITIVE: "marked as sensitive",
    Reason.NOT_IN_CATALOG: "not in the tables",
}
_REMEDIES = {
    Reason.AFTER_APPLY: "Set the value in the configuration, so that it is known before the apply.",
    Reason.UNDECLARED: "Declare the value, by a `portreeve.dev/` label or tag or in the"
    " organisation's scopes.",
    Reason.ELSEWHERE: "State the value on the object itself, or in the organisation's scopes.",
    Reason.SENSITIVE: "Take the value from somewhere that is not marked as sensitive.",
    Reason.NOT_IN_CATALOG: "Check the name; if it is right, have the catalog or the organisation's"
    " tables extended.",
}


class Words(NamedTuple):
    """What a person reads about one finding."""

    title: str
    message: str
    remedy: str


def render(
    rule: Rule, finding: Finding, missing: Mapping[str, Sequence[Reason]] | None = None
) -> Words:
    """The words of *rule* about *finding*.

    The build checks that each placeholder is a fact of the rule; one without becomes ``?`` here.
    *missing* gives the reasons of the undetermined pointers, where they are known. An undetermined
    finding has no facts that a remedy could use: its remedy is that of the reasons.
    """
    values = {name: shown(value) for name, value in finding.facts.items()}
    values["resource"] = shown(finding.resource or "the request")
    if not finding.undetermined:
        return Words(
            _filled(rule.title, values), _filled(rule.message, values), _filled(rule.remedy, values)
        )
    why = missing or {}
    values["missing"] = ", ".join(_pointer(at, why.get(at, ())) for at in finding.undetermined)
    reasons = set(chain.from_iterable(why.values()))
    remedies = [_REMEDIES[reason] for reason in Reason if reason in reasons]
    return Words(
        _filled(rule.title, values),
        _filled(rule.undetermined or _MISSING_ANY, values),
        " ".join(remedies) or _filled(rule.remedy, values),
    )


def shown(value: object) -> str:
    """A fact as it stands in a message: on one line, without backticks, 256 characters at most."""
    if isinstance(value, str):
        text = value
    elif isinstance(value, list):
        text = ", ".join(value)
    elif isinstance(value, bool):
        text = "true" if value else "false"
    else:
        text = "none" if value is None else str(value)
    return tidy(text, LONGEST_FACT).replace("`", "")


def tidy(text: str, longest: int) -> str:
    """*text* on one line, without control, format and other invisible characters, cut to *longest*.

    Unicode category C can move, hide or recolour what stands beside it in a terminal or a browser.
    """
    if not text.isprintable():
        text = "".join(map(_visible, text[: longest * 4]))
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _visible(character: str) -> str:
    if character in "\n\r\t\u2028\u2029":
        return " "
    return "" if unicodedata.category(character).startswith("C") else character


def _filled(template: str, values: Mapping[str, str]) -> str:
    if "{" not in template:
        return template
    return _PLACEHOLDER.sub(lambda match: values.get(match[1], "?"), template)


def _pointer(pointer: str, reasons: Sequence[Reason]) -> str:
    name = f"`{shown(pointer)}`"
    why = ", ".join(_REASONS[reason] for reason in reasons)
    return f"{name} ({why})" if why else name
