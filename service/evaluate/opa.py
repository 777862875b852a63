"""The engine ``opa``: an OPA server that serves the same bundle, asked with opa-python-client."""

from __future__ import annotations

import asyncio
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final, Self
from urllib.parse import urlsplit

from aiohttp import ClientConnectionError, ClientPayloadError, ClientTimeout
from opa_client.opa_async import AsyncOpaClient

from service.errors import EvaluationFailed, SettingsRefused
from service.evaluate.failures import unavailable
from service.evaluate.opa_answers import name_of, read_answer, slow, wrong_bundle
from service.evaluate.reading import checked

if TYPE_CHECKING:
    from service.bundle.values import Bundle
    from service.model.finding import Finding
    from service.model.request import Request

# One path, made of segments that are data: nothing of a request is ever part of a query.
_ENTRY: Final = "data/portreeve/entry/findings?strict-builtin-errors=true&provenance=true"
_BUNDLES: Final = "data/system/bundles"
_JSON: Final = {"Content-Type": "application/json"}
_IN_PIECES: Final = 2**20  # aiohttp warns of larger bodies that are given as a whole
_ATTEMPTS: Final = 3
_PAUSE_SECONDS: Final = 0.05
_READY_SECONDS: Final = 2.0


class OpaEngine:
    """Evaluates a bundle on an OPA server that has loaded the same one; made by ``start``."""

    def __init__(self, bundle: Bundle, client: AsyncOpaClient) -> None:
        self._ref = bundle.ref
        self._rulebook = bundle.rulebook
        self._client = client
        self._served_as: str | None = None
        self._version = ""

    @classmethod
    async def start(cls, bundle: Bundle, *, url: str, token: str | None = None) -> Self:
        """An engine that asks the OPA server at *url*, which need not answer yet.

        Raises:
            SettingsRefused: *url* is no address of a server.
        """
        host, port, tls = _address(url)
        client = AsyncOpaClient(host=host, port=port, ssl=tls, token=token, retries=0)
        await client.__aenter__()
        return cls(bundle, client)

    @property
    def name(self) -> str:
        """Name and version, as decisions record them; the version is known after an answer."""
        return f"opa {self._version}".rstrip()

    async def evaluate(
        self, request: Request, *, seconds: float, document: bytes = b""
    ) -> tuple[Finding, ...]:
        """Every finding about *request*; see ``Engine``.

        The rules must be the bundle's: its digest is looked for once among those that OPA
        serves, and the revision of that bundle is compared in each answer.
        """
        body = b'{"input":' + (document or request.model_dump_json().encode()) + b"}"
        try:
            async with asyncio.timeout(seconds):
                served_as = self._served_as or await self._look_up()
                status, raw = await self._send("POST", _ENTRY, body)
        except TimeoutError as error:
            raise slow(seconds) from error
        answer = read_answer(status, raw)
        self._version = answer.provenance.version
        served = answer.provenance.bundles.get(served_as)
        if served is None or served.revision != self._ref.revision:
            self._served_as = None
            found = f"revision `{served.revision}`" if served else f"no bundle `{served_as}`"
            raise wrong_bundle(found, self._ref.revision)
        return checked(answer.result or (), request, self._rulebook)

    async def ready(self) -> bool:
        """Whether OPA answers and serves this very bundle."""
        try:
            async with asyncio.timeout(_READY_SECONDS):
                await self._look_up()
        except (TimeoutError, EvaluationFailed):
            return False
        return True

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close_connection()

    async def _look_up(self) -> str:
        """The name that OPA has for the bundle, known by its digest."""
        self._served_as = None
        status, raw = await self._send("GET", _BUNDLES)
        if status != 200:
            read_answer(status, raw)
        name = name_of(self._ref.digest, raw)
        if name is None:
            raise wrong_bundle("no bundle of this digest", self._ref.digest)
        self._served_as = name
        return name

    async def _send(self, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
        """Status and body of OPA's answer; connection errors are tried again, a few times.

        ``query_rule`` of the client would raise away the body of an error, in which OPA names the
        rule, and would encode the input a second time; so this asks one level below it, through the
        client's session with its connections, credentials and TLS. The caller's deadline is the
        only one: the client's is switched off, and so are redirects, which would carry the request
        to somewhere else.
        """
        url = f"{self._client.root_url}/{path}"
        options: dict[str, Any] = {"allow_redirects": False, "timeout": ClientTimeout(total=None)}
        if body is not None:
            options["headers"] = _JSON
        pause = _PAUSE_SECONDS
        for attempt in range(1, _ATTEMPTS + 1):
            if body is not None:
                options["data"] = BytesIO(body) if len(body) > _IN_PIECES else body
            try:
                async with self._client._request(method, url, **options) as answer:  # noqa: SLF001
                    return answer.status, await answer.read()
            except (ClientConnectionError, ClientPayloadError) as error:
                if attempt == _ATTEMPTS:
                    raise unavailable("the OPA server cannot be reached") from error
            await asyncio.sleep(pause)
            pause *= 2
        raise unavailable("the OPA server was not asked")


def _address(url: str) -> tuple[str, int, bool]:
    """Host, port and whether to use TLS."""
    hint = "Expected something like `http://127.0.0.1:8181`."
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise SettingsRefused(f"`{url}` is no address of an OPA server", hint=hint) from error
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise SettingsRefused(f"`{url}` is no address of an OPA server", hint=hint)
    if parts.path.strip("/") or parts.query or parts.username:
        raise SettingsRefused(f"`{url}` is more than the address of a server", hint=hint)
    tls = parts.scheme == "https"
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return host, port or (443 if tls else 80), tls
