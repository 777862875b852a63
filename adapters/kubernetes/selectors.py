"""What the selectors of a device request say for certain about every device that fits them.

A selector is an expression in CEL. Where it is a conjunction, each part that compares an attribute
or the driver with a text for equality holds for every device it selects; all other parts only
narrow it further, so they may be passed over. Of anything that is no plain conjunction, or that
this reader cannot take apart for certain, nothing is believed
(``CELDeviceSelector`` in k8s.io/api/resource/v1; https://github.com/google/cel-spec).
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, NamedTuple

from adapters.kubernetes.payload import mapping, objects, text

_LONGEST_EXPRESSION = 2048
_LONGEST_VALUE = 64
"""``DeviceAttributeMaxValueLength``: no device has an attribute with a longer text."""

_DEEPEST = 8
_STRING = re.compile(r"\"[^\"\n]*\"|'[^'\n]*'")
_STRUCTURE = re.compile(r"[(\[{]|[)\]}]|&&|\|\||\?")
_UNREADABLE = ("\\", "//", '"""', "'''")

_TEXT = r"(?:\"[^\"\n]*\"|'[^'\n]*')"
_ATTRIBUTE = (
    rf"device\.attributes\[\s*(?P<domain>{_TEXT})\s*\]"
    rf"(?:\.(?P<plain>\w+)|\[\s*(?P<quoted>{_TEXT})\s*\])"
)
_EQUALITIES = (
    re.compile(rf"{_ATTRIBUTE}\s*==\s*(?P<value>{_TEXT})", re.ASCII),
    re.compile(rf"(?P<value>{_TEXT})\s*==\s*{_ATTRIBUTE}", re.ASCII),
)
_DRIVERS = (
    re.compile(rf"device\.driver\s*==\s*({_TEXT})"),
    re.compile(rf"({_TEXT})\s*==\s*device\.driver"),
)


class Attribute(NamedTuple):
    """The name of an attribute with its domain, which is its driver's unless it is a standard."""

    domain: str
    name: str


_DRIVER = Attribute("", "driver")
_STANDARD = "resource.kubernetes.io"
"""The domain of attributes that devices of any driver may have."""


class Facts(NamedTuple):
    """Texts that attributes of every selected device have.

    A text is ``None`` where two selectors ask for different ones: then no device fits, and nothing
    is known of any.
    """

    texts: dict[Attribute, str | None]

    @property
    def driver(self) -> str | None:
        """The driver of every device."""
        return self.texts.get(_DRIVER)

    @property
    def domain(self) -> str | None:
        """The one domain of all attributes: most likely their driver's, but others may be used."""
        domains = {attribute.domain for attribute in self.texts} - {_STANDARD, _DRIVER.domain}
        return next(iter(domains)) if len(domains) == 1 else None

    def of(self, driver: str | None) -> dict[str, str]:
        """Attributes in the domain of *driver*, by name."""
        return {
            attribute.name: value
            for attribute, value in self.texts.items()
            if attribute.domain == driver and value is not None
        }

    def and_also(self, other: Facts) -> Facts:
        """What holds for devices that both select."""
        if not self.texts or not other.texts:
            return other if not self.texts else self
        texts = dict(self.texts)
        for attribute, value in other.texts.items():
            if texts.setdefault(attribute, value) != value:
                texts[attribute] = None
        return Facts(texts)


NOTHING = Facts({})


def read_selectors(owner: dict[str, Any]) -> Facts:
    """What the ``selectors`` of *owner*, a request or a class, say together.

    Raises:
        RequestRefused: They are no list of selectors.
    """
    facts = NOTHING
    for selector in objects(owner, "selectors"):
        expression = text(mapping(selector, "cel"), "expression")
        if expression is not None and len(expression) <= _LONGEST_EXPRESSION:
            facts = facts.and_also(_read(expression))
    return facts


@lru_cache(maxsize=1024)
def _read(expression: str) -> Facts:
    facts = NOTHING
    if any(mark in expression for mark in _UNREADABLE):
        return facts
    for part in _conjuncts(expression, 0):
        facts = facts.and_also(_equality(part))
    return facts


def _equality(part: str) -> Facts:
    for pattern in _DRIVERS:
        if match := pattern.fullmatch(part):
            return _fact(_DRIVER, match[1])
    for pattern in _EQUALITIES:
        if match := pattern.fullmatch(part):
            name = match["plain"] or match["quoted"][1:-1]
            return _fact(Attribute(match["domain"][1:-1], name), match["value"])
    return NOTHING


def _fact(attribute: Attribute, quoted: str) -> Facts:
    value = quoted[1:-1]
    possible = 0 < len(value) <= _LONGEST_VALUE and value.isprintable()
    return Facts({attribute: value}) if possible else NOTHING


def _conjuncts(expression: str, depth: int) -> list[str]:
    """The parts of *expression* that must all be true; none if it is something else."""
    found: list[str] = []
    for part in map(str.strip, _split(expression) if depth <= _DEEPEST else ()):
        if _is_enclosed(part):
            found += _conjuncts(part[1:-1], depth + 1)
        else:
            found.append(part)
    return found


def _split(expression: str) -> list[str]:
    """What stands between the conjunctions that no bracket holds; none beside other operators."""
    masked = _masked(expression)
    if '"' in masked or "'" in masked:
        return []
    parts, open_brackets, start = [], 0, 0
    for token in _STRUCTURE.finditer(masked):
        mark = token[0]
        if mark in "([{":
            open_brackets += 1
        elif mark in ")]}":
            open_brackets -= 1
            if open_brackets < 0:
                return []
        elif open_brackets == 0:
            if mark != "&&":
                return []
            parts.append(expression[start : token.start()])
            start = token.end()
    parts.append(expression[start:])
    return parts if open_brackets == 0 else []


def _is_enclosed(part: str) -> bool:
    """Whether one pair of parentheses holds the whole of *part*."""
    if not (part.startswith("(") and part.endswith(")")):
        return False
    open_brackets = 0
    for place, mark in enumerate(_masked(part)):
        open_brackets += (mark == "(") - (mark == ")")
        if open_brackets == 0:
            return place == len(part) - 1
    return False


def _masked(expression: str) -> str:
    """*expression* with every text in it replaced by as many letters."""
    return _STRING.sub(lambda found: "s" * len(found[0]), expression)
