"""What an installation is asked to be."""

from __future__ import annotations

import base64
import binascii
import re
import ssl
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from service.bundle.controllers import KUBERNETES
from service.errors import SettingsRefused
from service.pipeline import VERSION

ALWAYS_EXEMPT = ("kube-system", "kube-public", "kube-node-lease")
_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_CLUSTER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,252}")
_ACCOUNT = re.compile(r"system:[A-Za-z0-9._:-]{1,500}")
_IMAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/:@-]{0,511}")


class FailurePolicy(StrEnum):
    """What the API server does with an object while it cannot ask us."""

    FAIL = "Fail"
    IGNORE = "Ignore"


class Component(StrEnum):
    """A part of an installation that is written or left out."""

    NAMESPACE = "namespace"
    RBAC = "rbac"
    CERTIFICATE = "certificate"
    ROTATION = "rotation"
    DEPLOYMENT = "deployment"
    SERVICE = "service"
    PDB = "pdb"
    NETWORKPOLICY = "networkpolicy"
    PROMETHEUSRULE = "prometheusrule"
    VALIDATING = "validating"
    MUTATING = "mutating"


_ASKED_FOR = {
    Component.CERTIFICATE,
    Component.ROTATION,
    Component.PROMETHEUSRULE,
    Component.MUTATING,
}
USUAL = tuple(part for part in Component if part not in _ASKED_FOR)


class Options(NamedTuple):
    """An installation.

    Attributes:
        cluster: What decisions call the cluster.
        namespace: Where the service runs.
        components: What is written.
        failure_policy: For creates and updates of what may take accelerators.
        timeout: Seconds that the API server waits.
        ca_bundle: The CA of our certificate as base64 of PEM; none where cert-manager writes it.
        url: Where the service is reached from outside of the cluster, instead of by its Service.
        image: Of the service.
        bundle: The bundle that decides, as ``portreeve serve --bundle`` takes it.
        replicas: Pods of the service.
        exempt: More namespaces whose objects are never sent.
        watch: Whether the service watches the cluster in which it runs.
        controllers: Accounts whose objects are admitted while the service cannot be asked.
    """

    cluster: str
    namespace: str = "portreeve"
    components: tuple[Component, ...] = USUAL
    failure_policy: FailurePolicy = FailurePolicy.FAIL
    timeout: int = 10
    ca_bundle: str | None = None
    url: str | None = None
    image: str = f"portreeve:{VERSION}"
    bundle: str = "default"
    replicas: int = 1
    exempt: tuple[str, ...] = ()
    watch: bool = False
    controllers: tuple[str, ...] = KUBERNETES

    def check(self) -> None:
        """Refuse what no cluster takes, or what would not work.

        Raises:
            SettingsRefused: Names the option.
        """
        if self.replicas > 1:
            raise SettingsRefused(
                f"`replicas` is {self.replicas}, and the log is one SQLite file with one writer",
                hint="Several replicas need one PostgreSQL for the log and for holds, which is not "
                "supported yet. For more throughput set PORTREEVE_LISTENERS.",
            )
        if {Component.CERTIFICATE, Component.ROTATION} <= set(self.components):
            raise SettingsRefused(
                "`certificate` (of cert-manager) and `rotation` would both write the same Secret",
                hint="Choose one of them.",
            )
        if self.replicas < 1:
            raise SettingsRefused(f"`replicas` is {self.replicas}, expected 1")
        if not _CLUSTER.fullmatch(self.cluster):
            raise SettingsRefused(
                f"the cluster's name `{self.cluster}` cannot stand in a webhook's path",
                hint="Use letters, digits, dots, dashes and underscores.",
            )
        for name in (self.namespace, *self.exempt):
            if not _LABEL.fullmatch(name):
                raise SettingsRefused(f"`{name}` is no name of a namespace")
        if not _IMAGE.fullmatch(self.image):
            raise SettingsRefused(f"`{self.image}` is no name of an image")
        if not 1 <= self.timeout <= 30:
            raise SettingsRefused(
                f"`timeout` is {self.timeout} s, and the API server takes 1 to 30 s"
            )
        _check_accounts(self.controllers)
        if self.url is not None and not self.url.startswith("https://"):
            raise SettingsRefused(
                f"`url` is `{self.url}`, and the API server asks webhooks by https only"
            )


def _check_accounts(names: tuple[str, ...]) -> None:
    for name in names:
        if not _ACCOUNT.fullmatch(name):
            raise SettingsRefused(
                f"`{name[:128]}` is no account of a controller",
                hint="Name it whole, such as system:serviceaccount:kuberay:kuberay-operator.",
            )


def read_ca(path: Path) -> str:
    """The certificates in the PEM file *path*, as a webhook configuration has them.

    Raises:
        SettingsRefused: The file cannot be read or holds no certificate.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise SettingsRefused(f"CA file `{path}` cannot be read: {error.strerror}") from error
    return _checked(raw, f"CA file `{path}`")


def check_bundle(text: str) -> str:
    """*text* if it is base64 of PEM certificates, as ``caBundle`` has it.

    Raises:
        SettingsRefused: It is not.
    """
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise SettingsRefused("the CA bundle is no base64") from error
    return _checked(raw, "the CA bundle")


def _checked(raw: bytes, what: str) -> str:
    """*raw* as base64; a private key in it must not reach a cluster's objects."""
    if b"PRIVATE KEY" in raw:
        raise SettingsRefused(f"{what} holds a private key, which belongs into no configuration")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=raw.decode("ascii"))
    except (ValueError, OSError) as error:
        raise SettingsRefused(f"{what} is no list of PEM certificates") from error
    return base64.b64encode(raw).decode()
