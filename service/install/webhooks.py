"""The webhook configurations: what the API server sends, and what it does when we are away."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from adapters.kubernetes.kinds import in_use
from service.api.kubernetes import MUTATE, VALIDATE
from service.install.conditions import changes_something, is_asked_by, takes_accelerators
from service.install.kinds import Group, groups
from service.install.options import ALWAYS_EXEMPT, Component, FailurePolicy, Options

_API = "admissionregistration.k8s.io/v1"
_WRITES = ("CREATE", "UPDATE")
_TAKES = "takes-accelerators"
_CHANGES = "changes-something"
_BY_CONTROLLER, _BY_OTHERS = "by-a-controller", "by-no-controller"

_EXPLAINED = {
    FailurePolicy.FAIL: """\
failurePolicy: Fail. While the service cannot be asked (it is down, is being upgraded, its
certificate or the network is broken), the API server refuses to create or change what may take
accelerators, in every namespace but those exempt below, and their owners read "failed calling
webhook". What runs goes on running, and its pods that end are replaced. Everything else in the
cluster never waits for it. The other choice, Ignore, admits undecided and unrecorded.""",
    FailurePolicy.IGNORE: """\
failurePolicy: Ignore. While the service cannot be asked (it is down, is being upgraded, its
certificate or the network is broken), the API server admits everything, undecided and
unrecorded: whoever can make the service fail or slow gets past it. Nothing in the cluster ever
stops because of it. The other choice, Fail, refuses what may take accelerators until it is
back.""",
}
_ALWAYS_IGNORED = """\
Deletions, scaling and what controllers make are sent with Ignore, whatever the choice above: a
deletion takes nothing, what scaling asks for is made by controllers, and what those make was
decided when its owner was admitted."""
_BY_NAME = """\
Namespaces are exempt by name. A label of one's own choice would let whoever may label a
namespace take it out of governance."""


def header(options: Options) -> str:
    """What the comment above the validating configuration says."""
    return "\n\n".join([_EXPLAINED[options.failure_policy], _ALWAYS_IGNORED, _BY_NAME])


def validating(options: Options) -> dict[str, Any]:
    """The ValidatingWebhookConfiguration."""
    every = groups(in_use())
    written = (*every.workloads, every.always)
    ignore = FailurePolicy.IGNORE
    others = _Requester(_BY_OTHERS, is_asked_by(options.controllers, negated=True))
    hooks = [
        _webhook(group, options, operations=_WRITES, policy=options.failure_policy, by=others)
        for group in written
    ]
    if options.controllers:
        controllers = _Requester(_BY_CONTROLLER, is_asked_by(options.controllers))
        children = [group._replace(name=f"children-{group.name}") for group in written]
        hooks += [
            _webhook(group, options, operations=_WRITES, policy=ignore, by=controllers)
            for group in children
        ]
    hooks.append(_webhook(every.scaling, options, operations=_WRITES, policy=ignore))
    for name, gone in (("deletions", every.workloads), ("deletions-always", (every.always,))):
        hooks.append(
            _webhook(_together(name, gone), options, operations=("DELETE",), policy=ignore)
        )
    return _configuration("ValidatingWebhookConfiguration", options, hooks)


def mutating(options: Options) -> dict[str, Any]:
    """The MutatingWebhookConfiguration; what it adds is never worth a refusal."""
    hooks = []
    for group in groups(in_use()).workloads:
        hook = _webhook(
            group,
            options,
            operations=_WRITES,
            policy=FailurePolicy.IGNORE,
            path=MUTATE,
        )
        hooks.append({**hook, "reinvocationPolicy": "IfNeeded"})
    return _configuration("MutatingWebhookConfiguration", options, hooks)


def _configuration(kind: str, options: Options, hooks: Sequence[Any]) -> dict[str, Any]:
    metadata: dict[str, Any] = {
        "name": "portreeve",
        "labels": {"app.kubernetes.io/name": "portreeve"},
    }
    if Component.CERTIFICATE in options.components:
        secret = f"{options.namespace}/portreeve"
        metadata["annotations"] = {"cert-manager.io/inject-ca-from": secret}
    return {"apiVersion": _API, "kind": kind, "metadata": metadata, "webhooks": list(hooks)}


def _webhook(
    group: Group,
    options: Options,
    *,
    operations: Sequence[str],
    policy: FailurePolicy,
    path: str = VALIDATE,
    by: _Requester | None = None,
) -> dict[str, Any]:
    kind = "mutate" if path == MUTATE else "validate"
    hook = {
        "name": f"{group.name}.{kind}.portreeve.dev",
        "clientConfig": _client(options, f"{path}/{options.cluster}"),
        "rules": [_rule(one, names, operations) for one, names in group.resources.items()],
        "namespaceSelector": _not_exempt(options),
        "matchConditions": _conditions(group, operations, by),
        "failurePolicy": policy.value,
        "sideEffects": "NoneOnDryRun",
        "admissionReviewVersions": ["v1"],
        "timeoutSeconds": options.timeout,
    }
    if not hook["matchConditions"]:
        del hook["matchConditions"]
    return hook


class _Requester(NamedTuple):
    """A condition on who asks, with its name."""

    name: str
    expression: str


def _conditions(
    group: Group, operations: Sequence[str], by: _Requester | None
) -> list[dict[str, str]]:
    found = [by._asdict()] if by is not None and by.expression else []
    if group.paths and "UPDATE" in operations:
        found.append({"name": _CHANGES, "expression": changes_something()})
    if group.paths:
        found.append({"name": _TAKES, "expression": takes_accelerators(group.paths)})
    return found


def _client(options: Options, path: str) -> dict[str, Any]:
    ca = {"caBundle": options.ca_bundle} if options.ca_bundle else {}
    if options.url is not None:
        return {"url": options.url.rstrip("/") + path, **ca}
    service = {"name": "portreeve", "namespace": options.namespace, "path": path, "port": 443}
    return {"service": service, **ca}


def _rule(group: str, names: Sequence[str], operations: Sequence[str]) -> dict[str, Any]:
    return {
        "apiGroups": [group],
        # Every version: another one must be no way around.
        "apiVersions": ["*"],
        "resources": list(names),
        "operations": list(operations),
        "scope": "*",
    }


def _not_exempt(options: Options) -> dict[str, Any]:
    names = dict.fromkeys((*ALWAYS_EXEMPT, options.namespace, *options.exempt))
    expression = {
        "key": "kubernetes.io/metadata.name",
        "operator": "NotIn",
        "values": list(names),
    }
    return {"matchExpressions": [expression]}


def _together(name: str, found: Sequence[Group]) -> Group:
    resources: dict[str, dict[str, None]] = {}
    for group in found:
        for one, names in group.resources.items():
            whole = (name for name in names if "/" not in name)
            resources.setdefault(one, {}).update(dict.fromkeys(whole))
    kept: Mapping[str, tuple[str, ...]] = {
        one: tuple(sorted(resources[one])) for one in sorted(resources)
    }
    paths = dict.fromkeys(itertools.chain.from_iterable(group.paths for group in found))
    return Group(name, kept, tuple(paths))
