"""Who speaks to the service, and what they may do.

Callers prove themselves with bearer tokens. The tokens file holds only their SHA-256, so that it
can be read without giving anything away::

    - name: cluster-prod-eu
      token_sha256: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
      roles: [enforcer]
      clusters: [prod-eu]

Where ``tls_client`` asks for client certificates, a caller may have ``certificate`` (the common
name in it) instead of a token, or beside it; a request with a token is its token's.

The API server of a managed cluster often has no way to prove itself. One caller may therefore be
``anonymous: true``: whoever shows neither token nor certificate. It can be no more than an
enforcer, and only the network keeps others from asking in its name.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import StringConstraints, TypeAdapter, ValidationError, model_validator

from service.errors import NotAllowed, SettingsRefused
from service.model.base import Text, Value
from service.model.break_glass import LOCAL

UNAUTHENTICATED = "unauthenticated"


class CallerRole(StrEnum):
    """What a caller may do: read the log, get binding decisions, or everything."""

    READER = "reader"
    ENFORCER = "enforcer"
    ADMINISTRATOR = "administrator"


class Caller(Value):
    """Somebody with a token or a certificate.

    ``clusters`` binds the caller to the clusters it may name. ``groups`` are what the
    organisation's ``break_glass`` may name; no name begins with ``local:``, as those of users of
    the machine do that the log is on.
    """

    name: Text
    token_sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] | None = None
    certificate: Text | None = None
    anonymous: bool = False
    roles: tuple[CallerRole, ...]
    clusters: tuple[Text, ...] = ()
    groups: tuple[Text, ...] = ()

    @model_validator(mode="after")
    def _proves_itself(self) -> Caller:
        if self.anonymous != (self.token_sha256 is None and self.certificate is None):
            raise ValueError("a caller needs `token_sha256`, `certificate` or `anonymous: true`")
        if self.anonymous and set(self.roles) - {CallerRole.ENFORCER}:
            raise ValueError("whoever proves nothing can be no more than an enforcer")
        if any(name.startswith(LOCAL) for name in (self.name, *self.groups)):
            raise ValueError(f"a name that begins with `{LOCAL}` is no caller's")
        return self

    def may(self, role: CallerRole) -> bool:
        """Whether the caller has *role*; an administrator has all."""
        return role in self.roles or CallerRole.ADMINISTRATOR in self.roles


_CALLERS = TypeAdapter(tuple[Caller, ...])
_ANONYMOUS = Caller(
    name=UNAUTHENTICATED, token_sha256="0" * 64, roles=(CallerRole.READER, CallerRole.ENFORCER)
)


class Gate:
    """Knows the callers; without any configured it lets everybody in as ``unauthenticated``."""

    def __init__(self, callers: Sequence[Caller] = ()) -> None:
        self._by_hash = {one.token_sha256: one for one in callers if one.token_sha256}
        self._by_certificate = {one.certificate: one for one in callers if one.certificate}
        self._unproved = next((one for one in callers if one.anonymous), None)

    @property
    def is_open(self) -> bool:
        """Whether no credential is configured."""
        return not self._by_hash and not self._by_certificate and self._unproved is None

    def caller(self, authorization: str | None, certificate: str | None = None) -> Caller:
        """The caller that an ``Authorization`` header, or else the client's certificate, proves.

        Args:
            authorization: The header.
            certificate: The name in the certificate that TLS has verified.

        Raises:
            NotAllowed: There is no bearer token, or it belongs to nobody, and so does the
                certificate.
        """
        if self.is_open:
            return (
                _ANONYMOUS.model_copy(update={"name": certificate}) if certificate else _ANONYMOUS
            )
        if authorization is None and certificate in self._by_certificate:
            return self._by_certificate[certificate]
        if authorization is None and certificate is None and self._unproved is not None:
            return self._unproved
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise NotAllowed(
                "the request carries no bearer token",
                hint="Send `Authorization: Bearer TOKEN`.",
                code="SYS-AUTH-MISSING",
            )
        # The table is keyed by the hash, so that the time of a look-up tells nothing of a token.
        found = self._by_hash.get(hashlib.sha256(token.strip().encode()).hexdigest())
        if found is None:
            raise NotAllowed(
                "the bearer token belongs to no caller",
                hint="Ask the platform team for a token.",
                code="SYS-AUTH-UNKNOWN",
            )
        return found

    def require(
        self, authorization: str | None, role: CallerRole, certificate: str | None = None
    ) -> Caller:
        """The caller, who must have *role*.

        Raises:
            NotAllowed: Nobody, or somebody without the role.
        """
        caller = self.caller(authorization, certificate)
        if not caller.may(role):
            raise NotAllowed(
                f"caller `{caller.name}` does not have the role `{role}`",
                hint="Ask the platform team for the role.",
            )
        return caller


def read_gate(path: Path | None) -> Gate:
    """The gate that the tokens file describes; open where there is no file.

    Raises:
        SettingsRefused: The file cannot be read, is malformed, or names nobody.
    """
    if path is None:
        return Gate()
    try:
        callers = _CALLERS.validate_python(yaml.safe_load(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise SettingsRefused(
            f"tokens file `{path}` cannot be read: {error.strerror}",
            hint="Check the path and its permissions.",
        ) from error
    except (yaml.YAMLError, ValidationError, UnicodeDecodeError) as error:
        raise SettingsRefused(
            f"tokens file `{path}` is not a list of name, token_sha256 or certificate, and roles",
            hint="See docs/operations.md for its form.",
        ) from error
    if sum(caller.anonymous for caller in callers) > 1:
        raise SettingsRefused(
            f"tokens file `{path}` has more than one anonymous caller",
            hint="Nobody can tell them apart; keep one.",
        )
    if not callers:
        raise SettingsRefused(
            f"tokens file `{path}` names nobody", hint="Add a caller, or unset the setting."
        )
    return Gate(callers)
