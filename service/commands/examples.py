"""Examples beside rules: a vendor's input, and what a rule makes of it under a bundle."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from adapters.kubernetes.kinds import group_of, in_use
from adapters.kubernetes.normalise import normalise_manifests, normalise_review
from adapters.kubernetes.surroundings import surrounded
from adapters.kubernetes.view import ClusterView, KindName
from adapters.kubernetes.watched import watched_kinds
from adapters.terraform.normalise import normalise_plan
from service.bundle.reading import parse_yaml, read_text
from service.bundle.values import Bundle
from service.cluster.held import Held, Key, encode
from service.decide.deciding import decide
from service.model.base import Scope
from service.model.finding import Finding
from service.model.request import Request

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
"""The moment of every example, so that prices and waivers are as old as they were."""

_CALLER = "example"


@dataclass(frozen=True)
class Example:
    """One entry of an ``examples.yaml``.

    Attributes:
        topic: The folder below ``rules``, such as ``gpu/size``.
        body: The entry.
    """

    topic: str
    body: Mapping[str, Any]

    @property
    def name(self) -> str:
        """What a person finds it by."""
        return f"{self.topic}: {self.body['name']}"

    def request(self) -> Request | None:
        """What an adapter makes of the input; ``None`` for a kind that is not run here."""
        body = self.body
        scope = Scope(**body.get("scope", {}))
        if "terraform" in body:
            plan = {"format_version": "1.2", "resource_changes": body["terraform"]}
            return normalise_plan(plan, scope=scope, caller=_CALLER, key=_CALLER)
        if "kubernetes" not in body:
            return None
        if "cluster" in body:
            review = review_of(body["kubernetes"], body.get("before"))
            return reviewed(review, view_of(body["cluster"]), cluster=scope.cluster, caller=_CALLER)
        if "before" in body:
            review = review_of(body["kubernetes"], body["before"])
            return normalise_review(review, cluster=scope.cluster, caller=_CALLER)
        objects = [body["kubernetes"]]
        return normalise_manifests(objects, scope=scope, caller=_CALLER, key=_CALLER)

    def is_as_stated(self, request: Request, found: Iterable[Finding], bundle: Bundle) -> bool:
        """Whether the topic's own findings, and what follows from them, are what it says."""
        package = ".".join(("policies", "rules", *self.topic.split("/")))
        own = {code for code, rule in bundle.rulebook.items() if rule.package == package}
        verdict = decide(request, [item for item in found if item.code in own], (), bundle)
        reported = [
            {"code": item.code, "resource": item.resource}
            | (
                {"undetermined": list(item.undetermined)}
                if item.undetermined
                else {"message": item.message}
            )
            for item in verdict.findings
        ]
        stated = self.body["findings"], self.body["outcome"]
        return stated == (reported, verdict.outcome.value)


def read_examples(folders: Iterable[Path]) -> tuple[Example, ...]:
    """Every example below ``rules`` of *folders*.

    Raises:
        BundleRefused: A file cannot be read.
    """
    return tuple(
        Example(path.parent.relative_to(folder / "rules").as_posix(), body)
        for folder in folders
        for path in sorted((folder / "rules").rglob("examples.yaml"))
        for body in parse_yaml(read_text(path, what=str(path)), what=str(path))
    )


def view_of(objects: Iterable[dict[str, Any]]) -> ClusterView:
    """A watched cluster that holds *objects* at the moment of the examples, and no others."""
    view = Held()
    for kind in watched_kinds(in_use()):
        view.listed(kind, NOW.timestamp())
    for document in objects:
        kind = KindName(group_of(document["apiVersion"]), document["kind"])
        metadata = document["metadata"]
        view.put(Key(kind, metadata.get("namespace", ""), metadata["name"]), encode(document, "1"))
    return view


def reviewed(
    review: dict[str, Any], view: ClusterView, *, cluster: str | None, caller: str
) -> Request:
    """The request of *review*, which comes from the watched cluster of *view*."""
    request = normalise_review(review, cluster=cluster, caller=caller, view=view)
    return surrounded(request, view)


def review_of(after: dict[str, Any], before: dict[str, Any] | None = None) -> dict[str, Any]:
    """The AdmissionReview of an update, or of a creation where there was nothing *before*."""
    group, _, version = after["apiVersion"].rpartition("/")
    plural = after["kind"].lower() + "s"
    return {
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {
            "uid": "705ab4f5-6393-11e8-b7cc-42010a800002",
            "kind": {"group": group, "version": version, "kind": after["kind"]},
            "resource": {"group": group, "version": version, "resource": plural},
            "name": after["metadata"]["name"],
            "namespace": after["metadata"]["namespace"],
            "operation": "UPDATE" if before is not None else "CREATE",
            "userInfo": {"username": _CALLER},
            "object": after,
            "oldObject": before,
            "dryRun": False,
        },
    }
