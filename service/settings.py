"""Every knob of the service: typed, with its default, its environment variable and its meaning.

The table in ``docs/settings.md`` is generated from this module; a test fails when they differ.
"""

from __future__ import annotations

import ipaddress
import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from service.errors import SettingsRefused

PREFIX = "PORTREEVE_"


class EngineKind(StrEnum):
    """Which policy engine evaluates the rules."""

    EMBEDDED = "embedded"
    OPA = "opa"


class ClientCheck(StrEnum):
    """What becomes of callers that show no TLS certificate."""

    OFF = "off"
    OBSERVE = "observe"
    ENFORCE = "enforce"


def default_log() -> Path:
    """Where decisions are kept unless told otherwise (XDG Base Directory Specification)."""
    state = os.environ.get("XDG_STATE_HOME", "")
    folder = Path(state) if state.startswith("/") else Path.home() / ".local" / "state"
    return folder / "portreeve" / "decisions.db"


class Settings(BaseSettings):
    """The settings of one process."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid")

    bundle: Annotated[
        str,
        Field(description="Name of a shipped bundle, or the path of a bundle folder or archive."),
    ] = "default"
    host: Annotated[
        str,
        Field(description="Address to listen on; other than loopback only with credentials."),
    ] = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535, description="Port to listen on.")] = 8080
    listeners: Annotated[
        int,
        Field(
            ge=1,
            le=64,
            description="Processes that take requests on the port; more than one helps where there "
            "are more processors, and takes about 80 MiB each.",
        ),
    ] = 1
    engine: Annotated[EngineKind, Field(description="`embedded` or `opa`.")] = EngineKind.EMBEDDED
    evaluators: Annotated[
        int,
        Field(
            ge=1,
            le=64,
            description="Evaluator processes of the embedded engine, shared out among the "
            "listeners; each has one at least.",
        ),
    ] = 2
    evaluator_memory_mib: Annotated[
        int, Field(ge=64, le=16384, description="Memory limit of one evaluator process, in MiB.")
    ] = 512
    opa_url: Annotated[
        str, Field(description="Where the OPA server answers, for `engine` = `opa`.")
    ] = "http://127.0.0.1:8181"
    opa_token_file: Annotated[
        Path | None, Field(description="File with the bearer token for the OPA server.")
    ] = None
    log: Annotated[
        Path, Field(default_factory=default_log, description="The decision log, a SQLite file.")
    ]
    tokens_file: Annotated[
        Path | None,
        Field(description="YAML file of callers: name, SHA-256 of their bearer token, roles."),
    ] = None
    tls_certificate: Annotated[
        Path | None, Field(description="PEM file with the server's certificate chain.")
    ] = None
    tls_key: Annotated[Path | None, Field(description="PEM file with the server's key.")] = None
    tls_client_ca: Annotated[
        Path | None,
        Field(description="PEM file with the CAs of client certificates, for `tls_client`."),
    ] = None
    tls_client: Annotated[
        ClientCheck,
        Field(
            description="Callers without a certificate: `off` (not asked for one), `observe` (told "
            "of in the log) or `enforce` (refused, but for probes)."
        ),
    ] = ClientCheck.OFF
    review_limit_mib: Annotated[
        int, Field(ge=1, le=64, description="Largest AdmissionReview or Request, in MiB.")
    ] = 8
    plan_limit_mib: Annotated[
        int, Field(ge=1, le=1024, description="Largest Terraform plan, in MiB.")
    ] = 256
    deadline_seconds: Annotated[
        float,
        Field(gt=0, le=30, description="Time for one decision where the caller names no timeout."),
    ] = 10.0
    margin_seconds: Annotated[
        float,
        Field(ge=0, le=5, description="Part of the caller's timeout kept for the way back."),
    ] = 0.5
    kubernetes_kinds_file: Annotated[
        Path | None,
        Field(
            description="YAML file of kinds of objects that take accelerators, beside those of "
            "docs/kubernetes-kinds.md or instead of them."
        ),
    ] = None
    kubernetes_cluster: Annotated[
        str | None,
        Field(
            description="Name of the cluster that is watched, as its webhooks state it "
            "(`?cluster=`); none: the one whose webhooks state none."
        ),
    ] = None
    kubernetes_watch: Annotated[
        str,
        Field(
            description="`off`, `in-cluster` (with the service account of the pod) or the path of "
            "a kubeconfig: the cluster that is watched, see docs/kubernetes-cluster.md."
        ),
    ] = "off"
    log_level: Annotated[str, Field(pattern="^(debug|info|warning|error)$")] = Field(
        default="info", description="Least severe service log line that is written."
    )

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach the service."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def watched_cluster(self) -> str | None:
        """Where the cluster is that is watched; ``None`` where none is."""
        return None if self.kubernetes_watch in {"", "off"} else self.kubernetes_watch

    def check(self) -> None:
        """Refuse settings that contradict one another.

        Raises:
            SettingsRefused: Names the settings and what would be right.
        """
        if not self.is_loopback and self.tokens_file is None:
            raise SettingsRefused(
                f"`host` is `{self.host}`, and without credentials only loopback may be served",
                hint=f"Set {PREFIX}TOKENS_FILE, or listen on 127.0.0.1.",
            )
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise SettingsRefused(
                "`tls_certificate` and `tls_key` belong together, and only one of them is set",
                hint=f"Set both {PREFIX}TLS_CERTIFICATE and {PREFIX}TLS_KEY, or neither.",
            )
        if self.tls_client is not ClientCheck.OFF and (
            self.tls_client_ca is None or self.tls_certificate is None
        ):
            raise SettingsRefused(
                f"`tls_client` is `{self.tls_client}`, which needs TLS and the CAs of clients",
                hint=f"Set {PREFIX}TLS_CERTIFICATE, {PREFIX}TLS_KEY and {PREFIX}TLS_CLIENT_CA.",
            )


def read_settings(**given: object) -> Settings:
    """The settings from the environment, with what is *given* and not ``None`` before it.

    Raises:
        SettingsRefused: A value is malformed; names the setting, the value and what was expected.
    """
    stated = {name: value for name, value in given.items() if value is not None}
    try:
        return Settings(**stated)  # type: ignore[arg-type]  # pydantic validates them one by one
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        raise SettingsRefused(
            f"setting `{name}` is `{first.get('input')}`: {first['msg'].lower()}",
            hint=f"See docs/settings.md; the environment variable is {PREFIX}{name.upper()}.",
        ) from error
