"""The builtin functions that rules may call: pure, and equal on both engines.

Everything else is refused: what reaches outside (``http.send``, ``opa.runtime``, ``net.*``), what
differs between two calls (``rand.*``, ``uuid.*``, ``time.now_ns``), what prints, what can fail on a
tenant's text (``to_number``, ``json.unmarshal``), and what the engines were seen to do
differently: ``lower`` and ``upper`` beyond ASCII, ``strings.count`` of overlapping parts. Texts are
lower-cased and parsed before rules see them.

Two of those that are allowed differ where rules have no use for them, and no check can tell:
``count`` of a text with characters beyond the Basic Multilingual Plane, and ``%d`` of a negative
number (a system test lists both).
"""

from __future__ import annotations

import re

ALLOWED = frozenset(
    (
        "abs",
        "array.concat",
        "array.reverse",
        "array.slice",
        "ceil",
        "concat",
        "contains",
        "count",
        "endswith",
        "floor",
        "intersection",
        "is_array",
        "is_boolean",
        "is_null",
        "is_number",
        "is_object",
        "is_set",
        "is_string",
        "max",
        "min",
        "numbers.range",
        "object.filter",
        "object.get",
        "object.keys",
        "object.remove",
        "object.union",
        "product",
        "replace",
        "round",
        "sort",
        "split",
        "sprintf",
        "startswith",
        "sum",
        "trim_prefix",
        "trim_suffix",
        "type_name",
        "union",
    )
)
ROUNDING = frozenset(("ceil", "floor", "round"))

# Only whole numbers and text print alike; other verbs, widths and flags do not.
FORMAT = re.compile(r"(?:[^%]|%[ds])*", re.DOTALL)
VERB = re.compile(r"%[ds]")

_INSTEAD = {
    "lower": "Texts are lower-cased before rules see them; compare with lower-case constants.",
    "upper": "Texts are lower-cased before rules see them; compare with lower-case constants.",
    "to_number": "Parse text in the adapter; rules see integers.",
    "print": "Print in tests only.",
    "trace": "Print in tests only.",
    "time.now_ns": "Read `input.context.now`.",
    "div": "Multiply across instead of dividing, or use floor, ceil or round.",
}


def instead_of(name: str) -> str:
    """What a rule can do instead of calling *name*."""
    return _INSTEAD.get(name, f"Rules may call {', '.join(sorted(ALLOWED))}.")
