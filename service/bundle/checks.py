"""What a bundle's Rego must not do, checked on its syntax trees at build and at load.

Each check stands for a way in which two engines were seen to disagree, or in which a missing value
would silently allow.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from service.bundle.builtins import ALLOWED, FORMAT, ROUNDING, VERB, instead_of
from service.bundle.syntax import Module, Node, Program, dotted, opened, walk
from service.errors import BundleRefused
from service.model.base import LARGEST_EXACT

if TYPE_CHECKING:
    from collections.abc import Iterator

RULES = ("policies", "rules")
LIBRARY = ("policies", "lib")
ENTRY_PATH = "portreeve/entry.rego"
ROOTS = ("catalog", "index", "org", "policies", "portreeve")

_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]*)", re.ASCII)
_SCALARS = frozenset(("String", "Number", "Bool", "True", "False", "Null"))


def check_program(program: Program) -> None:
    """Refuse *program* if any module does what no module may.

    Raises:
        BundleRefused: Names the file, the line and what to write instead.
    """
    for module in program.modules:
        _check_place(module)
        _check_imports(module)
        _check_names(module)
        _check_heads(module)
        for kind, body in walk(module.tree["rules"]):
            if kind == "Number":
                _check_number(module, body)
            elif kind == "Call":
                _check_call(program, module, body)
            elif kind == "NotExpr":
                _check_not(program, module, body)
            elif kind in ("RefDot", "RefBrack"):
                _check_data(module, kind, body)
                _check_lookup(module, kind, body)
        for body in _bare_quotients(module):
            raise BundleRefused(
                f"{module.where(body)}: the quotient `{module.source(body)}` is not rounded",
                hint="Multiply across instead of dividing, or wrap it in floor, ceil or round.",
            )
        _check_with(module)


def _check_place(module: Module) -> None:
    if module.path.startswith("policies/rules/"):
        expected = module.package[:2] == RULES and len(module.package) >= len(RULES) + 2
    else:
        in_library = module.path.startswith("policies/lib/")
        expected = in_library and module.package[:2] == LIBRARY
    if not expected:
        raise BundleRefused(
            f"{module.path}: the package `{'.'.join(module.package)}` does not belong there",
            hint="Rules are `policies.rules.<domain>.<topic>` below `policies/rules`, helpers are "
            "`policies.lib.<name>` below `policies/lib`.",
        )


def _check_imports(module: Module) -> None:
    for name, target in module.imports.items():
        if target[0] in ("rego", "future", "input"):
            continue
        if target[0] != "data" or len(target) < 2 or target[1] not in ROOTS:
            raise BundleRefused(
                f"{module.path}: the import `{name}` names `{'.'.join(target)}`, "
                "which no bundle has",
                hint=f"A bundle has {', '.join(f'`data.{root}`' for root in ROOTS)}.",
            )


def _check_names(module: Module) -> None:
    for rule in module.rules:
        if ".".join(rule.name) in ALLOWED:
            raise BundleRefused(
                f"{module.path}:{rule.line}: `{'.'.join(rule.name)}` has the name of a builtin "
                "function, which engines resolve differently",
                hint="Give it a name of its own.",
            )


def _check_heads(module: Module) -> None:
    """A set below a variable part of a name comes out empty on one engine."""
    for rule in module.rules:
        name = rule.head.get("refr")
        fixed = rule.kind != "Set" or name is None or dotted(name) is not None
        if not fixed or (name is not None and not _ends_variable(name)):
            raise BundleRefused(
                f"{module.path}:{rule.line}: the rule's name has a variable, and something "
                "below it",
                hint="Engines fill such rules differently: use a comprehension, or an object "
                "with one key, `name[key] := value`.",
            )


def _ends_variable(name: Node) -> bool:
    """Whether *name* has a variable in its last part only, or none."""
    return dotted(name) is not None or dotted(opened(name)[1]["refr"]) is not None


def _check_number(module: Module, body: Node) -> None:
    text = module.source(body)
    if not _INTEGER.fullmatch(text) or abs(int(text)) > LARGEST_EXACT:
        raise BundleRefused(
            f"{module.where(body)}: the number `{text[:40]}` is a fraction or beyond 2^53",
            hint="Use an integer in a smaller unit: engines round fractions differently.",
        )


def _check_call(program: Program, module: Module, body: Node) -> None:
    kind, path = program.called(module, body)
    if kind == "function":
        return
    name = ".".join(path) if path else module.source(body)
    if kind == "unknown":
        raise BundleRefused(f"{module.where(body)}: `{name}` is no function of this bundle")
    if name not in ALLOWED:
        raise BundleRefused(
            f"{module.where(body)}: `{name}` may not be called", hint=instead_of(name)
        )
    if name == "sprintf":
        _check_format(module, body)


def _check_format(module: Module, call: Node) -> None:
    (form, constant), (listed, values) = map(opened, call["params"][:2])
    text = constant["value"].replace("%%", "") if form == "String" else "%"
    count = len(values["items"]) if listed == "Array" else -1
    if not FORMAT.fullmatch(text) or len(VERB.findall(text)) != count:
        raise BundleRefused(
            f"{module.where(call)}: sprintf has something other than constant text with one `%d` "
            "or `%s` for each value",
            hint="Other verbs, and more or fewer values, print differently from engine to engine.",
        )


def _check_not(program: Program, module: Module, body: Node) -> None:
    """A missing leaf makes what is negated undefined, and engines then differ on ``not``.

    A helper that is called with a whole variable looks at the leaf itself, and is equal on both.
    """
    kind, call = opened(body["expr"])
    whole = (
        kind == "Call"
        and program.called(module, call)[0] == "function"
        and all(_is_whole(program, module, parameter) for parameter in call["params"])
    )
    if not whole:
        raise BundleRefused(
            f"{module.where(body)}: `{module.line(body)}` negates something other than a helper "
            "called with whole variables",
            hint="Where a value is missing, `not` is silent on one engine and fires on another: "
            "move the condition into a function that takes the whole object.",
        )


def _is_whole(program: Program, module: Module, parameter: Node) -> bool:
    kind, body = opened(parameter)
    if kind != "Var":
        return kind in _SCALARS
    name = body["value"]
    return name not in module.imports and (*module.package, name) not in program.rules


def _check_data(module: Module, kind: str, body: Node) -> None:
    """The first step below ``data`` must be a root of the bundle: anything else is undefined."""
    parent_kind, parent = opened(body["refr"])
    if parent_kind != "Var" or parent["value"] != "data":
        return
    path = dotted({kind: body})
    if path is None or path[1] not in ROOTS:
        raise BundleRefused(
            f"{module.where(body)}: `{module.source(body)}` is data that no bundle has",
            hint=f"A bundle has {', '.join(f'`data.{root}`' for root in ROOTS)}.",
        )


def _check_lookup(module: Module, kind: str, body: Node) -> None:
    """A row that is absent is undefined, and a rule that needs it then says nothing."""
    if kind != "RefBrack" or opened(body["index"])[0] == "String":
        return
    parent_kind, parent = opened(body["refr"])
    while parent_kind in ("RefDot", "RefBrack"):
        parent_kind, parent = opened(parent["refr"])
    name = parent["value"] if parent_kind == "Var" else ""
    if module.imports.get(name, (name,))[0] == "data":
        raise BundleRefused(
            f"{module.where(body)}: `{module.line(body)}` looks into data without a default",
            hint="Use object.get with a default: without the row the rule would be silent.",
        )


def _bare_quotients(module: Module) -> Iterator[Node]:
    """Divisions that are not the only argument of a rounding function; parents come first."""
    rounded: set[int] = set()
    for kind, body in walk(module.tree["rules"]):
        if kind == "Call" and (dotted(body["fcn"]) or ("",))[0] in ROUNDING:
            rounded.update(id(opened(parameter)[1]) for parameter in body["params"])
        elif kind == "ArithExpr" and body["op"] == "Div" and id(body) not in rounded:
            yield body


def _check_with(module: Module) -> None:
    """``with`` can put any function in place of one that was checked."""
    waiting = [module.tree["rules"]]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            if node.get("with_mods"):
                place = module.where(node["with_mods"][0])
                raise BundleRefused(
                    f"{place}: `with` is used outside of tests",
                    hint="Give the value to a function as an argument.",
                )
            waiting.extend(node.values())
        elif isinstance(node, list):
            waiting.extend(node)
