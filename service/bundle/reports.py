"""What ``deny`` rules report: the code, whether about a resource, and the names of the facts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.bundle.syntax import Module, Node, Program, RuleHead, dotted, literal_fields, opened
from service.errors import BundleRefused

if TYPE_CHECKING:
    from collections.abc import Iterator

Names = frozenset[str]
_FIELDS = frozenset(("code", "resource", "facts", "undetermined"))
_DEEPEST = 8


@dataclass(frozen=True)
class Report:
    """One ``deny`` head.

    Attributes:
        code: The constant code.
        where: ``file:line``.
        about_request: Whether it reports no resource.
        undetermined: Whether it says that values are missing.
        facts: The names of its facts; ``None`` where they cannot be told from the source.
    """

    code: str
    where: str
    about_request: bool
    undetermined: bool
    facts: Names | None


def reports_of(program: Program, module: Module) -> Iterator[Report]:
    """Every ``deny`` head of *module*.

    Raises:
        BundleRefused: A ``deny`` is no partial set, or its head is not an object literal with a
            constant code, a resource, and facts or undetermined pointers.
    """
    for rule in module.rules:
        if rule.name != ("deny",):
            continue
        where = f"{module.path}:{rule.line}"
        fields = _fields(rule)
        kind, code = opened(fields["code"]) if fields and "code" in fields else ("", {})
        if not fields or kind != "String" or not _complete(fields):
            raise BundleRefused(
                f"{where}: `deny` reports something other than an object literal with a constant "
                "`code`, `resource`, and `facts` or `undetermined`",
                hint='Write `deny contains {"code": "GPU-001", "resource": resource.address, '
                '"facts": facts} if …`.',
            )
        facts = fields.get("facts")
        yield Report(
            code=code["value"],
            where=where,
            about_request=opened(fields["resource"])[0] == "Null",
            undetermined="undetermined" in fields,
            facts=_names(program, module, rule.bodies, facts, 0) if facts else frozenset(),
        )


def _fields(rule: RuleHead) -> dict[str, Node] | None:
    if rule.kind != "Set":
        return None
    kind, key = opened(rule.head["key"])
    return literal_fields(key) if kind == "Object" else None


def _complete(fields: dict[str, Node]) -> bool:
    has_content = "facts" in fields or "undetermined" in fields
    return "resource" in fields and has_content and fields.keys() <= _FIELDS


def _names(
    program: Program, module: Module, bodies: list[Node], value: Node, depth: int
) -> Names | None:
    """The keys that the object *value* is sure to have, followed through variables and helpers."""
    kind, body = opened(value)
    if depth > _DEEPEST:
        return None
    if kind == "Object":
        fields = literal_fields(body)
        return None if fields is None else frozenset(fields)
    if kind == "Var":
        values = [found for item in bodies if (found := _assigned(item, body["value"]))]
        if len(values) != max(len(bodies), 1):
            return None
        return _common(_names(program, module, bodies, found, depth + 1) for found in values)
    if kind == "Call":
        return _names_of_call(program, module, bodies, body, depth)
    return None


def _names_of_call(
    program: Program, module: Module, bodies: list[Node], call: Node, depth: int
) -> Names | None:
    called, path = program.called(module, call)
    if path == ("object", "union"):
        parts = [_names(program, module, bodies, item, depth + 1) for item in call["params"]]
        return None if None in parts else frozenset().union(*(part or () for part in parts))
    if called == "function" and path:
        return _common(
            _returned(program, where, rule, depth) for where, rule in program.functions[path]
        )
    return None


def _returned(program: Program, module: Module, rule: RuleHead, depth: int) -> Names | None:
    """The keys of the object that one definition of a function returns."""
    values = [(rule.head.get("assign"), rule.bodies[:1])]
    values += [(body["assign"], [body]) for body in rule.bodies if body["is_else"]]
    return _common(
        _names(program, module, bodies, assign["value"], depth + 1) if assign else None
        for assign, bodies in values
    )


def _common(parts: Iterator[Names | None]) -> Names | None:
    known: Names | None = None
    for names in parts:
        if names is None:
            return None
        known = names if known is None else known & names
    return known


def _assigned(body: Node, name: str) -> Node | None:
    """What the body assigns to the variable *name* at its top level."""
    for statement in body["query"]["stmts"]:
        kind, literal = opened(statement["literal"])
        if kind != "Expr":
            continue
        kind, expression = opened(literal["expr"])
        if kind == "AssignExpr" and dotted(expression["lhs"]) == (name,):
            value: Node = expression["rhs"]
            return value
    return None
