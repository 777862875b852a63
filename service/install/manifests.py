"""An installation as YAML, with the reasons as comments."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import yaml

from service.install import alerts, rotation, webhooks, workload
from service.install.options import Component, Options


class Document(NamedTuple):
    """One object, the component that it belongs to, and what stands above it."""

    component: Component
    comment: str
    content: dict[str, Any]


def documents(options: Options) -> Iterator[Document]:
    """The objects of an installation, in the order in which they are applied.

    The webhook configurations are the last: the service must answer before it is asked.

    Raises:
        SettingsRefused: The options cannot be installed.
    """
    options.check()
    for component, make in _PARTS.items():
        if component in options.components:
            yield from (Document(component, *part) for part in make(options))


def manifests(options: Options) -> str:
    """All of it as one YAML stream."""
    return "".join(written(document) for document in documents(options))


def written(document: Document) -> str:
    """One document of a YAML stream."""
    paragraphs = document.comment.split("\n\n")
    lines = "\n\n".join(
        textwrap.fill(each, _COMMENT, break_on_hyphens=False) for each in paragraphs
    ).splitlines()
    comment = "".join(f"# {line}".rstrip() + "\n" for line in lines)
    return f"---\n{comment}{dumped(document.content)}"


def dumped(content: Any) -> str:
    """*content* as YAML; long texts keep their lines."""
    return yaml.dump(
        content, Dumper=_Dumper, sort_keys=False, width=_WIDE, default_flow_style=False
    )


_WIDE = 1 << 20
_COMMENT = 98


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as blocks, and no anchors."""

    def ignore_aliases(self, data: Any) -> bool:
        """The same value twice is written twice."""
        del data
        return True


def _represent(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar(
        "tag:yaml.org,2002:str", text, style="|" if "\n" in text else None
    )


_Dumper.add_representer(str, _represent)

_Part = tuple[str, dict[str, Any]]


def _certificate(options: Options) -> list[_Part]:
    comments = [workload.CERTIFICATE, "", "", ""]
    return list(zip(comments, workload.certificate(options), strict=True))


_PARTS: dict[Component, Callable[[Options], list[_Part]]] = {
    Component.NAMESPACE: lambda options: [(workload.NAMESPACE, workload.namespace(options))],
    Component.RBAC: workload.permissions,
    Component.CERTIFICATE: _certificate,
    Component.ROTATION: rotation.objects,
    Component.DEPLOYMENT: lambda options: [
        (workload.CLAIM, workload.claim(options)),
        (workload.DEPLOYMENT, workload.deployment(options)),
    ],
    Component.SERVICE: lambda options: [
        (workload.service_comment(options), workload.service(options))
    ],
    Component.PDB: lambda options: [(workload.PDB, workload.budget(options))],
    Component.NETWORKPOLICY: lambda options: [
        (
            workload.WATCHING_NETWORK if options.watch else workload.NETWORK,
            workload.network(options),
        )
    ],
    Component.PROMETHEUSRULE: lambda options: [(alerts.ALERTS, alerts.rule(options))],
    Component.VALIDATING: lambda options: [
        (webhooks.header(options), webhooks.validating(options))
    ],
    Component.MUTATING: lambda options: [
        (
            "What this adds is never worth a refusal: Ignore, whatever the validating webhooks do.",
            webhooks.mutating(options),
        )
    ],
}
