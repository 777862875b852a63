"""What rules refer to outside of themselves, and whether a bundle has it.

A reference to what is not there is undefined to an engine, and a rule that needs it says nothing,
for ever: so it is refused when the bundle is built.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from service.bundle.syntax import dotted, opened, walk
from service.errors import BundleRefused

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from service.bundle.syntax import Module, Node, Path, Program, RuleHead

_POLICIES = "policies"


def references(module: Module, rule: RuleHead) -> Iterator[tuple[Path, Node]]:
    """The constant beginning of each path that *rule* refers to, with its node.

    Paths below ``data`` begin with it, imported ones as well; those of the module's own package are
    given in full, without ``data``. Variables of the rule are left out.
    """
    parts = [rule.bodies, *(part for name, part in rule.head.items() if name != "refr")]
    local = local_names(module, rule)
    inner: set[int] = set()
    for kind, body in walk(parts):
        if kind in ("RefDot", "RefBrack"):
            inner.add(id(opened(body["refr"])[1]))
        if kind in ("Var", "RefDot", "RefBrack") and id(body) not in inner:
            path = _constant_part({kind: body})
            if path[0] not in local:
                yield _full(module, path), body


def local_names(module: Module, rule: RuleHead) -> set[str]:
    """The variables that *rule* declares anywhere, arguments included."""
    parts = [rule.bodies, *(part for name, part in rule.head.items() if name != "refr")]
    local = {name for kind, body in walk(parts) for name in _declared(module, kind, body)}
    return local | _variables(rule.head.get("args"))


def check_references(program: Program, data: Mapping[str, Any]) -> None:
    """Refuse *program* where it refers to a rule or a value of *data* that is not there.

    Raises:
        BundleRefused: Names the file, the line and the path.
    """
    for module in program.modules:
        for rule in module.rules:
            for path, body in references(module, rule):
                if path[0] == "data" and not _is_there(program, data, path[1:]):
                    raise BundleRefused(
                        f"{module.where(body)}: `{'.'.join(path)}` is nowhere in this bundle",
                        hint="Correct the name; a row that may be absent is looked up by "
                        "object.get with a default.",
                    )


def _is_there(program: Program, data: Mapping[str, Any], path: Path) -> bool:
    if path[0] == _POLICIES:
        return any(path[: len(rule)] == rule or rule[: len(path)] == path for rule in program.rules)
    value: Any = data
    for name in path:
        if not isinstance(value, dict) or name not in value:
            return False
        value = value[name]
    return True


def _full(module: Module, path: Path) -> Path:
    if path[0] in module.imports:
        return (*module.imports[path[0]], *path[1:])
    return path if path[0] == "data" else (*module.package, *path)


def _declared(module: Module, kind: str, body: Node) -> Iterator[str]:
    """The variables that a node declares, which then hide a rule of the same name."""
    if kind == "AssignExpr":
        yield from _variables(body["lhs"])
    elif kind == "SomeIn":
        yield from _variables([body["key"], body["value"]])
    elif kind in ("SomeVars", "Every"):
        for span in body.get("vars", [body.get("key"), body.get("value")]):
            if span:
                yield module.text[span["start"] : span["end"]].decode()


def _variables(part: Any) -> set[str]:
    return {body["value"] for kind, body in walk(part) if kind == "Var"}


def _constant_part(node: Node) -> Path:
    """``("data", "a")`` of ``data.a[name].b``; ``("",)`` of what starts with no name."""
    while (path := dotted(node)) is None:
        _, body = opened(node)
        if "refr" not in body:
            return ("",)
        node = body["refr"]
    return path
