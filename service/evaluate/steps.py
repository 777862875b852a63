"""The one entry rule of a bundle, taken apart into one query for each rule package.

Asked package by package, an engine can say which rule failed, or was running when it was stopped.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.bundle.linking import LINKED_PACKAGE, LINKED_PATH

if TYPE_CHECKING:
    from service.bundle.linking import Linked

ENTRY_PATH = "portreeve/entry.rego"
ENTRY_QUERY = "data.portreeve.entry.findings"

# The form in which the build writes the entry: one definition for each package that reports.
_DEFINITION = re.compile(
    r"^(?:resource|request)_findings contains finding if"
    r" (?P<body>some finding in data\.(?P<line>[\w.]+)\.deny"
    r"|\{\n\tsome finding in data\.(?P<block>[\w.]+)\.deny\n\tfinding\.code in \{[^{}\n]*\}\n\})\n",
    re.MULTILINE,
)
_ANY_DEFINITION = re.compile(r"\b(?:contains|deny)\b")


@dataclass(frozen=True)
class Steps:
    """What to ask an engine for, in order.

    Attributes:
        modules: All modules, and a rule more for each package whose codes are not all selected.
        rules: The names of the rule packages, for messages.
        queries: The rule to evaluate for each of them.
    """

    modules: Mapping[str, str]
    rules: tuple[str, ...]
    queries: tuple[str, ...]


def take_apart(modules: Mapping[str, str], linked: Linked | None = None) -> Steps:
    """The steps whose results together are the entry rule's.

    An entry that is not of the generated form is asked as a whole: naming a rule is worth less than
    leaving none out.

    Args:
        modules: All modules of the bundle.
        linked: The same as one, which is asked instead.
    """
    entry = modules.get(ENTRY_PATH, "")
    definitions = list(_DEFINITION.finditer(entry))
    # Each definition has the word `contains` and one `.deny`; any other occurrence is not ours.
    if not definitions or len(_ANY_DEFINITION.findall(entry)) != 2 * len(definitions):
        return Steps(modules, ("portreeve.entry",), (ENTRY_QUERY,))
    rules = tuple(found["line"] or found["block"] for found in definitions)
    if linked is not None and all(f"{rule}.deny" in linked.names for rule in rules):
        return _linked_steps(linked, rules, definitions)
    added, queries = {}, []
    for number, (rule, definition) in enumerate(zip(rules, definitions, strict=True)):
        if definition["line"]:
            queries.append(f"data.{rule}.deny")
            continue
        name = f"step_{number}"
        added[f"portreeve/{name}.rego"] = (
            f"package portreeve.{name}\n\nfindings contains finding if {definition['body']}\n"
        )
        queries.append(f"data.portreeve.{name}.findings")
    return Steps({**modules, **added}, rules, tuple(queries))


def _linked_steps(
    linked: Linked, rules: tuple[str, ...], definitions: list[re.Match[str]]
) -> Steps:
    parts, queries = [linked.text], []
    for number, (rule, definition) in enumerate(zip(rules, definitions, strict=True)):
        name = linked.names[f"{rule}.deny"]
        if definition["block"]:
            body = definition["body"].replace(f"data.{rule}.deny", name)
            name = f"step_{number}"
            parts.append(f"\n{name} contains finding if {body}\n")
        queries.append(f"data.{LINKED_PACKAGE}.{name}")
    return Steps({LINKED_PATH: "".join(parts)}, rules, tuple(queries))
