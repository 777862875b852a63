"""Examples of rules, run from a vendor's input to findings with the engine that is built in."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import regorus
import yaml

from adapters.kubernetes.normalise import normalise_manifests, normalise_review
from adapters.terraform.normalise import normalise_plan
from service.bundle.build import build
from service.bundle.shipped import shipped
from service.bundle.values import Bundle
from service.commands.examples import review_of, reviewed, view_of
from service.model.base import Scope
from service.model.request import Request
from service.resolve.resolver import Resolver

POLICIES = Path(__file__).resolve().parents[2] / "policies"
RULES = POLICIES / "rules"
NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)

Finding = dict[str, Any]


@dataclass(frozen=True)
class Example:
    """One entry of an ``examples.yaml``.

    Attributes:
        topic: The folder below ``policies/rules``, such as ``gpu/size``.
        body: The entry.
    """

    topic: str
    body: Mapping[str, Any]

    @property
    def id(self) -> str:
        """A name for a test."""
        return f"{self.topic}: {self.body['name']}"

    @property
    def bundle(self) -> Bundle:
        """The bundle that the example is about."""
        return bundle_of(self.body["bundle"])

    @property
    def package(self) -> str:
        """The package of the topic's rules."""
        return ".".join(("policies", "rules", *self.topic.split("/")))

    def codes(self) -> frozenset[str]:
        """The codes that the topic's rules report."""
        book = self.bundle.rulebook
        return frozenset(code for code, rule in book.items() if rule.package == self.package)

    def normalised(self) -> Request:
        """What the adapter makes of the input."""
        body = self.body
        scope = Scope(**body["scope"])
        if "terraform" in body:
            plan = {"format_version": "1.2", "resource_changes": body["terraform"]}
            return normalise_plan(plan, scope=scope, caller="test", key="example")
        if "cluster" in body:
            review = review_of(body["kubernetes"], body.get("before"))
            return reviewed(review, view_of(body["cluster"]), cluster=scope.cluster, caller="test")
        if "before" in body:
            review = review_of(body["kubernetes"], body["before"])
            return normalise_review(review, cluster=scope.cluster, caller="test")
        documents = [body["kubernetes"]]
        return normalise_manifests(documents, scope=scope, caller="test", key="example")

    def resolved(self) -> Request:
        """What rules see of the input."""
        return Resolver(self.bundle).resolve(self.normalised(), now=NOW)


@cache
def examples() -> tuple[Example, ...]:
    """Every example of every rule."""
    return tuple(
        Example(path.parent.relative_to(RULES).as_posix(), body)
        for path in sorted(RULES.rglob("examples.yaml"))
        for body in yaml.safe_load(path.read_text(encoding="utf-8"))
    )


@cache
def bundle_of(name: str) -> Bundle:
    """The bundle *name* that comes with Portreeve."""
    return build(shipped(name))


def engine_of(modules: Mapping[str, str], data: Mapping[str, Any]) -> regorus.Engine:
    """An engine with *modules* and what of *data* rules look into themselves."""
    engine = regorus.Engine()
    for path, text in modules.items():
        engine.add_policy(path, text)
    engine.add_data_json(json.dumps(seen_by_rules(data)))
    return engine


@cache
def engine_with(name: str) -> regorus.Engine:
    """An engine with the bundle *name*."""
    bundle = bundle_of(name)
    return engine_of(bundle.modules, bundle.data)


def seen_by_rules(data: Mapping[str, Any]) -> dict[str, Any]:
    """*data* without the tables that only ``resolve`` reads, which take long to load."""
    catalog = {"accelerators": data["catalog"].get("accelerators", {})}
    return {"catalog": catalog, "index": data["index"], "org": data["org"]}


def document_of(request: Request) -> dict[str, Any]:
    """*request* as engines get it."""
    return request.model_dump(mode="json", by_alias=True)


def found_by(
    engine: regorus.Engine, document: Mapping[str, Any], packages: Iterable[str]
) -> list[Finding]:
    """What the rules of *packages* find in a resolved request, a fraction of the work of all."""
    engine.set_input_json(json.dumps(document))
    return [
        finding
        for package in packages
        for finding in json.loads(engine.eval_rule_as_json(f"data.{package}.deny"))
    ]


def findings_of(
    engine: regorus.Engine, document: Mapping[str, Any], rule: str = "portreeve.entry.findings"
) -> list[Finding]:
    """What *rule* finds in a resolved request, in a stable order."""
    engine.set_input_json(json.dumps(document))
    found: list[Finding] = json.loads(engine.eval_rule_as_json(f"data.{rule}"))
    return sorted(found, key=lambda finding: json.dumps(finding, sort_keys=True))
