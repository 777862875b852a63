"""Reading the engine's syntax trees: names, calls, rules and literals of one bundle's modules.

A node is a mapping with one key, its kind, and a mapping below it; both come from the engine
(``Engine.get_ast_as_json``) and are pinned together with it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Node = dict[str, Any]
Path = tuple[str, ...]


def walk(tree: Any) -> Iterator[tuple[str, Node]]:
    """Every node below *tree* with its kind, parents before children."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            if len(node) == 1:
                ((kind, body),) = node.items()
                if isinstance(body, dict) and kind[0].isupper():
                    yield kind, body
            waiting.extend(reversed(node.values()))
        elif isinstance(node, list):
            waiting.extend(reversed(node))


def opened(node: Node) -> tuple[str, Node]:
    """The kind of *node* and what is below it."""
    ((kind, body),) = node.items()
    return kind, body


def dotted(node: Node) -> Path | None:
    """``("data", "org", "limits")`` of ``data.org["limits"]``; ``None`` if not constant."""
    kind, body = opened(node)
    if kind == "Var":
        return (body["value"],)
    if kind == "RefDot":
        parent = dotted(body["refr"])
        return (*parent, body["field"][1]) if parent else None
    if kind == "RefBrack":
        parent = dotted(body["refr"])
        index_kind, index = opened(body["index"])
        return (*parent, index["value"]) if parent and index_kind == "String" else None
    return None


def line_of(body: Node) -> int:
    """The line at which a node starts."""
    line: int = body["span"]["line"]
    return line


def literal_fields(body: Node) -> dict[str, Node] | None:
    """The fields of an object literal whose keys are all constant text, else ``None``."""
    fields: dict[str, Node] = {}
    for _, key, value in body["fields"]:
        kind, constant = opened(key)
        if kind != "String":
            return None
        fields[constant["value"]] = value
    return fields


@dataclass(frozen=True)
class RuleHead:
    """One rule definition.

    Attributes:
        name: Its path in the package.
        kind: ``Set``, ``Func``, ``Compr`` (a value or a map entry) or ``Default``.
        head: The head's node body.
        bodies: Its bodies' nodes.
        line: Where it starts.
        start: Its first byte in the module.
        end: Where the next definition starts, or the module ends: spans leave closing quotes out.
    """

    name: Path
    kind: str
    head: Node
    bodies: list[Node]
    line: int
    start: int
    end: int


@dataclass(frozen=True)
class Module:
    """One module of a bundle, parsed.

    Attributes:
        path: Its path in the bundle.
        text: Its source, as the spans count it.
        package: Its package, without ``data``.
        imports: What each imported name stands for.
        rules: Its rule definitions.
        tree: The whole tree.
    """

    path: str
    text: bytes
    package: Path
    imports: Mapping[str, Path]
    rules: tuple[RuleHead, ...]
    tree: Node

    def where(self, body: Node) -> str:
        """``file:line`` of a node."""
        return f"{self.path}:{line_of(body)}"

    def line(self, body: Node) -> str:
        """The text from where a node starts to the end of its line."""
        start = body["span"]["start"]
        return self.text[start:].split(b"\n", 1)[0].decode("utf-8", "replace").strip()[:80]

    def source(self, body: Node) -> str:
        """The text of a node."""
        span = body["span"]
        return self.text[span["start"] : span["end"]].decode("utf-8", "replace")


def parsed(path: str, text: str, tree: Node) -> Module:
    """The module at *path* with what the checks need to know of it."""
    imports: dict[str, Path] = {}
    for item in tree["imports"]:
        target = dotted(item["refr"]) or ("",)
        alias = item.get("as")
        name = text.encode()[alias["start"] : alias["end"]].decode() if alias else target[-1]
        imports[name] = target
    return Module(
        path=path,
        text=text.encode(),
        package=dotted(tree["package"]["refr"]) or (),
        imports=imports,
        rules=tuple(map(_rule, tree["rules"], _ends(tree["rules"], len(text.encode())))),
        tree=tree,
    )


def _ends(rules: list[Node], size: int) -> list[int]:
    starts = [opened(node)[1]["span"]["start"] for node in rules]
    return [*starts[1:], size]


def _rule(node: Node, end: int) -> RuleHead:
    kind, body = opened(node)
    place = {"line": line_of(body), "start": body["span"]["start"], "end": end}
    if kind == "Default":
        return RuleHead(_name(body["refr"]), "Default", body, [], **place)
    head_kind, head = opened(body["head"])
    return RuleHead(_name(head["refr"]), head_kind, head, body["bodies"], **place)


def _name(reference: Node) -> Path:
    """The constant beginning of a rule's name: ``("m",)`` for ``m[k]``."""
    while (path := dotted(reference)) is None:
        reference = opened(reference)[1]["refr"]
    return path


@dataclass(frozen=True)
class Program:
    """All modules of a bundle, with what they define.

    Attributes:
        modules: In the order of their paths.
        functions: Every function's definitions, by full path without ``data``.
        rules: Every name that is defined, functions included, by full path.
    """

    modules: tuple[Module, ...]
    functions: dict[Path, list[tuple[Module, RuleHead]]] = field(default_factory=dict)
    rules: set[Path] = field(default_factory=set)

    def called(self, module: Module, call: Node) -> tuple[str, Path | None]:
        """What a call in *module* names: ``("builtin", name)`` or ``("function", full path)``.

        The kind is ``unknown`` where the name is not constant or is no function of the bundle.
        """
        path = dotted(call["fcn"])
        if path is None:
            return "unknown", None
        if (*module.package, *path) in self.functions:
            return "function", (*module.package, *path)
        if path[0] in module.imports:
            path = (*module.imports[path[0]], *path[1:])
        if path[0] == "data":
            return ("function" if path[1:] in self.functions else "unknown"), path[1:]
        return "builtin", path


def program(modules: Mapping[str, str], trees: Mapping[str, Node]) -> Program:
    """The modules of a bundle, parsed."""
    known = Program(tuple(parsed(path, modules[path], trees[path]) for path in sorted(modules)))
    for module in known.modules:
        for rule in module.rules:
            full = (*module.package, *rule.name)
            known.rules.add(full)
            if rule.kind == "Func":
                known.functions.setdefault(full, []).append((module, rule))
    return known
