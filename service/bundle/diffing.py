"""What differs between two bundles, in the terms of those who own its parts."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from service.bundle.checks import RULES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from service.bundle.values import Bundle
    from service.model.decision import BundleRef

_APART = frozenset({"modes", "waivers", "baseline", "scopes", "prices", "internal_rates"})
_PACKAGE = re.compile(r"^package\s+([\w.]+)", re.MULTILINE)
_ORDER = "(order)"

Named = dict[str, Any]


@dataclass(frozen=True)
class Section:
    """What differs in one part of a bundle, by name.

    Attributes:
        added: What only the second bundle has.
        removed: What only the first has.
        changed: What both have: the value before and the value after.
    """

    added: Named
    removed: Named
    changed: dict[str, tuple[Any, Any]]

    def __bool__(self) -> bool:
        """Whether anything differs."""
        return bool(self.added or self.removed or self.changed)


@dataclass(frozen=True)
class Difference:
    """What differs between two bundles.

    Attributes:
        before: The first.
        after: The second.
        sections: ``rules``, ``library``, ``modes``, ``waivers``, ``baseline``, ``scopes``,
            ``organisation`` (limits and parameters, by pointer), ``prices`` and ``catalog``.
    """

    before: BundleRef
    after: BundleRef
    sections: Mapping[str, Section]

    def __bool__(self) -> bool:
        """Whether anything differs but names and revisions."""
        return any(self.sections.values())


def difference(before: Bundle, after: Bundle) -> Difference:
    """What *after* has that *before* has not, and the other way round."""
    first, second = _parts(before), _parts(after)
    return Difference(
        before.ref, after.ref, {name: _section(first[name], second[name]) for name in first}
    )


def as_document(found: Difference) -> dict[str, Any]:
    """*found* as JSON shows it."""
    return {
        "before": found.before.model_dump(mode="json"),
        "after": found.after.model_dump(mode="json"),
        **{
            name: {
                "added": section.added,
                "removed": section.removed,
                "changed": {
                    key: {"before": old, "after": new}
                    for key, (old, new) in section.changed.items()
                },
            }
            for name, section in found.sections.items()
        },
    }


def _section(before: Named, after: Named) -> Section:
    return Section(
        added={name: after[name] for name in sorted(after.keys() - before.keys())},
        removed={name: before[name] for name in sorted(before.keys() - after.keys())},
        changed={
            name: (before[name], after[name])
            for name in sorted(before.keys() & after.keys())
            if before[name] != after[name]
        },
    )


def _parts(bundle: Bundle) -> dict[str, Named]:
    org: Mapping[str, Any] = bundle.data["org"]
    catalog: Mapping[str, Any] = bundle.data["catalog"]
    return {
        "rules": dict(_rules(bundle)),
        "library": {
            path: _digest(text)
            for path, text in bundle.modules.items()
            if path.startswith("policies/lib/")
        },
        # Of two mode rules with the same selectors the later one holds, as in a mapping.
        "modes": {_selectors(rule): rule["mode"] for rule in org["modes"]},
        "waivers": {
            waiver["id"]: {key: value for key, value in waiver.items() if key != "id"}
            for waiver in org["waivers"]
        },
        "baseline": {
            f"{row['subject']} {', '.join(row['codes'])}": {
                key: value for key, value in row.items() if key not in ("subject", "codes")
            }
            for row in org["baseline"]
        },
        "scopes": _scopes(org["scopes"]),
        "organisation": {
            pointer: value
            for key, content in org.items()
            if key not in _APART
            for pointer, value in _leaves(content, f"/{key}")
        },
        "prices": {**dict(_own_prices(org)), **dict(_list_prices(catalog))},
        "catalog": dict(_catalog(catalog)),
    }


def _rules(bundle: Bundle) -> Iterator[tuple[str, Named]]:
    """What METADATA says of each code, and the digest of the modules that decide it."""
    sources: dict[str, list[str]] = {}
    for path in sorted(bundle.modules):
        found = _PACKAGE.search(bundle.modules[path])
        if path.startswith(f"{'/'.join(RULES)}/") and found:
            sources.setdefault(found[1], []).append(_digest(bundle.modules[path]))
    for code, rule in bundle.rulebook.items():
        said = rule.model_dump(mode="json", exclude={"code"})
        yield code, {**said, "source": _digest("".join(sources.get(rule.package, [])))}


def _selectors(rule: Mapping[str, Any]) -> str:
    stated = (f"{key} {value}" for key, value in rule.items() if key != "mode" and value)
    return ", ".join(stated) or "everything"


def _scopes(scopes: list[Any]) -> Named:
    named: Named = {}
    for scope in scopes:
        match = {key: value for key, value in scope["match"].items() if value is not None}
        name = ", ".join(f"{key} {value}" for key, value in match.items()) or "everywhere"
        said = {key: value for key, value in scope.items() if key != "match" and value}
        named[name] = [*named.get(name, ()), said]
    # The first scope that states a value wins.
    return {**named, _ORDER: list(named)} if named else named


def _leaves(value: Any, pointer: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from _leaves(item, f"{pointer}/{key}")
    else:
        yield pointer, value


def _own_prices(org: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for price in org["prices"]:
        where = " ".join(price[key] for key in ("vendor", "instance_type", "price_kind", "region"))
        yield f"organisation: {where}", f"{price['micros_per_hour']} {price['currency']}"
    for rate in org["internal_rates"]:
        name = f"internal rate: {rate['accelerator']}"
        yield name, f"{rate['micros_per_hour']} {rate['currency']}"


def _list_prices(catalog: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for vendor, types in catalog.get("prices", {}).items():
        for instance_type, kinds in types.items():
            for kind, regions in kinds.items():
                for region, price in regions.items():
                    yield f"{vendor} {instance_type} {kind} {region}", _price(price)


def _price(price: Mapping[str, Any]) -> Any:
    """The amount; a price that says more than that, such as its day, changes with it."""
    amount = price.get("micros_per_hour")
    return f"{amount} {price.get('currency')}" if amount is not None else dict(price)


def _catalog(catalog: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for table, rows in catalog.items():
        if table in ("prices", "meta"):
            continue
        if isinstance(rows, dict):
            for key, row in rows.items():
                yield f"{table}/{key}", row
        else:
            yield table, rows


def _digest(text: str) -> str:
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
