"""What the plan's ``configuration`` adds: what is set for a resource, its provider, its references.

The configuration is a help and no authority: whatever in it has an unexpected shape is left aside,
and the value it would have given stays unknown. Expressions are never evaluated; a region is taken
from a constant or from a chain of plain references to variables.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from adapters.terraform.plan import Item, Plan
    from adapters.terraform.reading import Path

_MODULE = re.compile(r'module\.([^.\["]+)(?:\[(?:"(?:[^"\\]|\\.)*"|[^\]"]*)\])?(?:\.|\Z)')
_HOPS = 32

Modules = tuple[str, ...]


def modules_of(address: str) -> Modules:
    """The names of the module calls in a module's *address*, outermost first."""
    return tuple(_MODULE.findall(address))


class Configuration:
    """Look-ups in one plan's configuration, indexed at the first one."""

    def __init__(self, plan: Plan) -> None:
        self._document = plan.configuration
        self._variables = plan.variables
        self._bodies: dict[Modules, Mapping[str, Any]] = {}
        self._calls: dict[Modules, Mapping[str, Any]] = {}
        self._resources: dict[tuple[Modules, str, str], Mapping[str, Any]] = {}
        self._is_indexed = False

    def expressions(self, item: Item) -> Mapping[str, Any] | None:
        """What the configuration sets for *item*; ``None`` if it is not found there."""
        found = _mapping(self._resource(item)).get("expressions")
        return found if isinstance(found, dict) else None

    def provider_value(self, item: Item, name: str) -> str | None:
        """The text that the provider of *item* is configured with under *name*, if it is plain."""
        provider = self._provider(item)
        expression = _mapping(provider.get("expressions")).get(name)
        module = provider.get("module_address")
        return self._constant(expression, modules_of(module) if isinstance(module, str) else ())

    def provider_sets(self, item: Item, name: str) -> bool:
        """Whether the provider of *item* is configured with *name* at all."""
        return name in _mapping(self._provider(item).get("expressions"))

    def referenced(self, item: Item, path: Path, kind: str) -> tuple[Modules, str] | None:
        """Module and name of the one *kind* of resource that *item* refers to at *path*."""
        expression = _at(self.expressions(item), path)
        modules = modules_of(item.module)
        for _ in range(_HOPS):
            references = _references(expression)
            names = {
                parts[1].partition("[")[0]
                for reference in references
                if len(parts := reference.split(".")) > 1 and parts[0] == kind
            }
            if names:
                return (modules, names.pop()) if len(names) == 1 else None
            variable = _variable(references)
            if variable is None or not modules:
                return None
            expression = self._argument(modules, variable)
            modules = modules[:-1]
        return None

    def _provider(self, item: Item) -> Mapping[str, Any]:
        key = self._resource(item).get("provider_config_key")
        providers = _mapping(self._document.get("provider_config"))
        if not isinstance(key, str):
            return {}
        # A module without a provider of its own has its caller's, under the last part of the key.
        return _mapping(providers.get(key) or providers.get(key.rpartition(":")[2]))

    def _constant(self, expression: Any, modules: Modules) -> str | None:
        for _ in range(_HOPS):
            value = _mapping(expression).get("constant_value")
            if value is not None:
                return _text(value)
            variable = _variable(_references(expression))
            declaration = self._declaration(modules, variable) if variable else {}
            if variable is None or declaration.get("sensitive"):
                return None
            if not modules:
                return _text(_mapping(self._variables.get(variable)).get("value"))
            expression = self._argument(modules, variable)
            if expression is None:
                return _text(declaration.get("default"))
            modules = modules[:-1]
        return None

    def _declaration(self, modules: Modules, variable: str) -> Mapping[str, Any]:
        self._index()
        declared = _mapping(_mapping(self._bodies.get(modules)).get("variables"))
        return _mapping(declared.get(variable))

    def _argument(self, modules: Modules, variable: str) -> Any:
        self._index()
        return _mapping(_mapping(self._calls.get(modules)).get("expressions")).get(variable)

    def _resource(self, item: Item) -> Mapping[str, Any]:
        self._index()
        return self._resources.get((modules_of(item.module), item.type, item.name), {})

    def _index(self) -> None:
        if self._is_indexed:
            return
        self._is_indexed = True
        for modules, body in self._walk():
            self._bodies[modules] = body
            resources = body.get("resources")
            for resource in resources if isinstance(resources, list) else ():
                if not isinstance(resource, dict) or resource.get("mode") == "data":
                    continue
                kind, name = resource.get("type"), resource.get("name")
                if isinstance(kind, str) and isinstance(name, str):
                    self._resources[modules, kind, name] = resource

    def _walk(self) -> Iterator[tuple[Modules, Mapping[str, Any]]]:
        waiting: list[tuple[Modules, Any]] = [((), self._document.get("root_module"))]
        while waiting:
            modules, body = waiting.pop()
            if not isinstance(body, dict):
                continue
            yield modules, body
            for name, call in _mapping(body.get("module_calls")).items():
                if isinstance(call, dict):
                    inner = (*modules, name)
                    self._calls[inner] = call
                    waiting.append((inner, call.get("module")))


def _at(expressions: Any, path: Path) -> Any:
    """What is set at *path*; ``None`` also where a `dynamic` block leaves no trace of it."""
    for step in path:
        if isinstance(step, int):
            known = isinstance(expressions, list) and step < len(expressions)
            expressions = expressions[step] if known else None
        else:
            expressions = _mapping(expressions).get(step)
    return expressions


def _references(expression: Any) -> tuple[str, ...]:
    found = _mapping(expression).get("references")
    return tuple(one for one in found if isinstance(one, str)) if isinstance(found, list) else ()


def _variable(references: tuple[str, ...]) -> str | None:
    """The variable, where the expression refers to one and to nothing else."""
    if len(references) != 1 or not references[0].startswith("var."):
        return None
    name = references[0].removeprefix("var.")
    return name if name.isidentifier() or name.replace("-", "_").isidentifier() else None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
