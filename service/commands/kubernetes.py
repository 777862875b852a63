"""``portreeve kubernetes manifests``: what an installation in a cluster consists of."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from service.app import use_kinds
from service.bundle.controllers import KUBERNETES
from service.commands import certificates
from service.errors import SettingsRefused
from service.install.manifests import manifests
from service.install.options import (
    USUAL,
    Component,
    FailurePolicy,
    Options,
    check_bundle,
    read_ca,
)
from service.settings import read_settings


def add(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser("kubernetes", help="install the service in a cluster")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    write = actions.add_parser(
        "manifests",
        help="write what an installation consists of, as YAML",
        description="Write the objects of an installation as YAML to standard output, with the "
        "reasons as comments. Nothing is applied. See docs/kubernetes.md.",
    )
    usual = Options(cluster="-")
    write.add_argument("--cluster", required=True, metavar="NAME", help="what decisions call it")
    write.add_argument("--namespace", default=usual.namespace, metavar="NAME")
    write.add_argument(
        "--failure-policy",
        choices=[policy.value for policy in FailurePolicy],
        default=usual.failure_policy.value,
        help="while the service cannot be asked (default: Fail)",
    )
    write.add_argument("--timeout", type=int, default=usual.timeout, metavar="SECONDS")
    trust = write.add_mutually_exclusive_group()
    trust.add_argument("--ca-file", type=Path, help="PEM file with the CA of the certificate")
    trust.add_argument("--ca-bundle", help="the same as base64, as `caBundle` has it")
    write.add_argument(
        "--url", help="where the service is reached, if it does not run in the cluster"
    )
    write.add_argument("--image", default=usual.image, help=f"(default: {usual.image})")
    write.add_argument("--bundle", default=usual.bundle, help="what `serve --bundle` takes")
    write.add_argument("--replicas", type=int, default=usual.replicas, help="1, for now")
    write.add_argument(
        "--exempt-namespace",
        action="append",
        default=[],
        metavar="NAME",
        help="never send its objects, as of kube-system and the service's own; may be repeated",
    )
    write.add_argument(
        "--controller",
        dest="controllers",
        action="append",
        default=[],
        metavar="ACCOUNT",
        help="an operator whose objects are admitted while the service cannot be asked, as those "
        "of the controllers of Kubernetes; name it in `controllers` of the bundle too; may be "
        "repeated",
    )
    write.add_argument(
        "--kinds-file",
        type=Path,
        metavar="FILE",
        help="the kinds that the service understands beside its own (kubernetes_kinds_file)",
    )
    write.add_argument(
        "--watch",
        action="store_true",
        help="let the service read the cluster, for what objects say only by the name of another",
    )
    write.add_argument(
        "--with",
        dest="components",
        default=",".join(USUAL),
        metavar="PARTS",
        help=f"of {','.join(Component)} (default: %(default)s)",
    )
    write.set_defaults(run=run)
    certificates.add(actions)


def run(given: argparse.Namespace) -> int:
    """Write the manifests."""
    use_kinds(read_settings(kubernetes_kinds_file=given.kinds_file))
    options = Options(
        cluster=given.cluster,
        namespace=given.namespace,
        components=_components(given.components),
        failure_policy=FailurePolicy(given.failure_policy),
        timeout=given.timeout,
        ca_bundle=_trusted(given),
        url=given.url,
        image=given.image,
        bundle=given.bundle,
        replicas=given.replicas,
        exempt=tuple(given.exempt_namespace),
        watch=given.watch,
        controllers=(*KUBERNETES, *given.controllers),
    )
    sys.stdout.write(manifests(options))
    webhooks = {Component.VALIDATING, Component.MUTATING} & set(options.components)
    keepers = {Component.CERTIFICATE, Component.ROTATION} & set(options.components)
    if webhooks and options.ca_bundle is None and not keepers:
        print(
            "portreeve: no CA is stated, so that the API server will trust only certificates of "
            "public CAs (--ca-file, or --with …,certificate for cert-manager, or …,rotation)",
            file=sys.stderr,
        )
    return 0


def _trusted(given: argparse.Namespace) -> str | None:
    if given.ca_file is not None:
        return read_ca(given.ca_file)
    return check_bundle(given.ca_bundle) if given.ca_bundle is not None else None


def _components(text: str) -> tuple[Component, ...]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    for name in names:
        if name not in set(Component):
            raise SettingsRefused(
                f"`{name}` is no part of an installation", hint=f"Known: {', '.join(Component)}."
            )
    if not names:
        raise SettingsRefused("`--with` names nothing", hint=f"Known: {', '.join(Component)}.")
    return tuple(Component(name) for name in names)
