"""The one entry rule of a bundle, taken apart into one query for each rule package.

Asked package by package, an engine can say which rule failed, or was running when it was stopped.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

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
        modules: All modules, and one more for each package whose codes are not all selected.
        rules: The names of the rule packages, for messages.
        queries: The rule to evaluate for each of them.
    """

    modules: Mapping[str, str]
    rules: tuple[str, ...]
    queries: tuple[str, ...]


def take_apart(modules: Mapping[str, str]) -> Steps:
    """The steps whose results together are the entry rule's.

    An entry that is not of the generated form is asked as a whole: naming a rule is worth less than
    leaving none out.
    """
    entry = modules.get(ENTRY_PATH, "")
    definitions = list(_DEFINITION.finditer(entry))
    # Each definition has the word `contains` and one `.deny`; any other occurrence is not ours.
    if not definitions or len(_ANY_DEFINITION.findall(entry)) != 2 * len(definitions):
        return Steps(modules, ("portreeve.entry",), (ENTRY_QUERY,))
    added, queries = {}, []
    for number, definition in enumerate(definitions):
        if definition["line"]:
            queries.append(f"data.{definition['line']}.deny")
            continue
        name = f"step_{number}"
        added[f"portreeve/{name}.rego"] = (
            f"package portreeve.{name}\n\nfindings contains finding if {definition['body']}\n"
        )
        queries.append(f"data.portreeve.{name}.findings")
    return Steps(
        modules={**modules, **added},
        rules=tuple(found["line"] or found["block"] for found in definitions),
        queries=tuple(queries),
    )
