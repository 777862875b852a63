"""What is asked of the API server of a cluster: JSON in and out, with the official client below.

That client knows how to find a cluster and how to prove who asks. It and what it imports take
28 MiB, so this module is imported only by what asks a cluster, never by what takes requests.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import jiter
import urllib3
from kubernetes import client as official
from kubernetes import config
from kubernetes.client.rest import RESTResponse

from service.errors import ClusterUnavailable

IN_CLUSTER = "in-cluster"
PAGE = 500
GONE = 410
NOT_FOUND = 404
CONFLICT = 409
_CONNECT_SECONDS = 10.0
_READ_SECONDS = 60.0
_LATE_SECONDS = 15.0
_PIECE_BYTES = 1 << 16
_AGGREGATED = (
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,"
    "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,"
    "application/json"
)


class Served(NamedTuple):
    """A kind of objects that the API server serves, in the version that it prefers.

    Attributes:
        group: The API group, empty for the core group.
        version: The version of the group.
        kind: The name of the kind.
        plural: How paths call it.
        is_namespaced: Whether its objects are in namespaces.
        verbs: What can be done with it, such as ``list`` and ``watch``.
    """

    group: str
    version: str
    kind: str
    plural: str
    is_namespaced: bool
    verbs: frozenset[str]

    @property
    def api_version(self) -> str:
        """Group and version as objects state them."""
        return f"{self.group}/{self.version}" if self.group else self.version

    def path(self, namespace: str = "", name: str = "") -> str:
        """Where its objects are: all of them, those of *namespace*, or the one with *name*."""
        parts = ["apis", self.group] if self.group else ["api"]
        parts.append(self.version)
        if namespace and self.is_namespaced:
            parts += ["namespaces", namespace]
        parts.append(self.plural)
        if name:
            parts.append(name)
        return "/" + "/".join(quote(part, safe="") for part in parts)


class Page(NamedTuple):
    """Some of the objects of a kind.

    Attributes:
        items: The objects, each with its ``apiVersion`` and ``kind``.
        token: Asks for the next page; empty on the last.
        resource_version: What a watch goes on from once the last page is read.
        remaining: How many objects follow, where the server says so.
    """

    items: list[dict[str, Any]]
    token: str
    resource_version: str
    remaining: int | None


class Event(NamedTuple):
    """A line of a watch: ``ADDED``, ``MODIFIED``, ``DELETED``, ``BOOKMARK`` or ``ERROR``."""

    type: str
    object: dict[str, Any]


class Client:
    """Asks one API server; may be used by several threads."""

    def __init__(self, configuration: official.Configuration) -> None:
        """Ask the server that *configuration* names."""
        # Whoever asks knows when to ask again; a request that is repeated below is not seen there.
        configuration.retries = False
        configuration.connection_pool_maxsize = 64
        if not configuration.verify_ssl:
            # The kubeconfig asks for it; to say so at each request helps nobody.
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
        self._api = official.ApiClient(configuration)
        self.host: str = configuration.host

    @classmethod
    def connect(cls, where: str | Path, *, context: str | None = None) -> Client:
        """Ask the server that *where* names: ``in-cluster``, or the path of a kubeconfig.

        Nothing is sent yet. *context* is one of the kubeconfig, else its current one.

        Raises:
            ClusterUnavailable: There is no service account, or the file names no cluster.
        """
        configuration = official.Configuration()
        try:
            if str(where) == IN_CLUSTER:
                config.load_incluster_config(configuration)  # type: ignore[no-untyped-call]  # has no types
            else:
                config.load_kube_config(  # type: ignore[no-untyped-call]  # has no types
                    config_file=str(where),
                    context=context,
                    client_configuration=configuration,
                    persist_config=False,
                )
        # A kubeconfig is read by many hands below; whatever they raise, there is no cluster.
        except Exception as error:
            raise ClusterUnavailable(
                f"`{where}` names no cluster that can be asked: {error}",
                hint="Name a kubeconfig that kubectl can use, or `in-cluster` within a pod that "
                "has a service account's token.",
            ) from error
        return cls(configuration)

    def close(self) -> None:
        """Close connections."""
        self._api.close()  # type: ignore[no-untyped-call]  # has no types

    def served(self) -> list[Served]:
        """Every kind that the server serves, each once, in the version that its group prefers.

        What an aggregated server serves that does not answer is missing.

        Raises:
            ClusterUnavailable: The server gave no usable answer.
        """
        found: dict[tuple[str, str], Served] = {}
        for root in ("/api", "/apis"):
            answer = self._json("GET", root, accept=_AGGREGATED)
            groups = (
                _aggregated(answer)
                if str(answer.get("kind")) == "APIGroupDiscoveryList"
                else self._one_by_one(root, answer)
            )
            for served in groups:
                found.setdefault((served.group, served.plural), served)
        return list(found.values())

    def page(
        self,
        served: Served,
        *,
        token: str = "",
        limit: int = PAGE,
        namespace: str = "",
        selector: str = "",
    ) -> Page:
        """A page of at most *limit* objects (0: all), the one that *token* asks for.

        Raises:
            ClusterUnavailable: No usable answer; ``answered`` is 410 where *token* is too old.
        """
        query = {"limit": str(limit) if limit else "", "continue": token, "labelSelector": selector}
        answer = self._json("GET", served.path(namespace), query)
        metadata = answer.get("metadata") or {}
        items = answer.get("items") or []
        for item in items:
            # Items of a list do not repeat what the list says.
            item["apiVersion"], item["kind"] = served.api_version, served.kind
        return Page(
            items,
            metadata.get("continue") or "",
            metadata.get("resourceVersion") or "",
            metadata.get("remainingItemCount"),
        )

    def pages(
        self, served: Served, *, limit: int = PAGE, namespace: str = "", selector: str = ""
    ) -> Iterator[Page]:
        """All pages, from the first to the last.

        Raises:
            ClusterUnavailable: As ``page``.
        """
        token = ""
        while True:
            page = self.page(
                served, token=token, limit=limit, namespace=namespace, selector=selector
            )
            yield page
            token = page.token
            if not token:
                return

    def watch(self, served: Served, *, resource_version: str, seconds: int) -> Iterator[Event]:
        """What happens after *resource_version*, until the server ends it after *seconds*.

        Raises:
            ClusterUnavailable: No usable answer, or the connection broke; ``answered`` is 410 where
                *resource_version* is too old.
        """
        query = {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": resource_version,
            "timeoutSeconds": str(seconds),
        }
        path = served.path()
        response = self._send("GET", path, query, read_seconds=seconds + _LATE_SECONDS)
        try:
            for line in _lines(response.response):
                event = _event(line, path)
                if event.type == "ERROR":
                    raise _refused(path, event.object, _code(event.object))
                yield event
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise _unreachable(path, error) from error
        finally:
            # What was left of the stream is of no use to the next request on the connection.
            response.response.close()

    def read(self, served: Served, namespace: str, name: str) -> dict[str, Any] | None:
        """The object with this name; ``None`` where there is none.

        Raises:
            ClusterUnavailable: No usable answer.
        """
        try:
            return self._json("GET", served.path(namespace, name))
        except ClusterUnavailable as error:
            if error.answered == NOT_FOUND:
                return None
            raise

    def create(self, served: Served, namespace: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Make the object *body*, and what became of it.

        Raises:
            ClusterUnavailable: Not made; ``answered`` is 409 where there is one with its name.
        """
        return self._json("POST", served.path(namespace), body=body)

    def update(
        self, served: Served, namespace: str, name: str, body: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Put *body* in the place of the object *name*, and what became of it.

        A ``resourceVersion`` in *body* is that of the object that is replaced.

        Raises:
            ClusterUnavailable: Not replaced; ``answered`` is 409 where it changed meanwhile.
        """
        return self._json("PUT", served.path(namespace, name), body=body)

    def delete(self, served: Served, namespace: str, name: str) -> None:
        """Remove the object *name*, if it is there.

        Raises:
            ClusterUnavailable: Not removed.
        """
        try:
            self._json("DELETE", served.path(namespace, name))
        except ClusterUnavailable as error:
            if error.answered != NOT_FOUND:
                raise

    def _one_by_one(self, root: str, answer: Mapping[str, Any]) -> Iterator[Served]:
        """The kinds below *root*, of servers before Kubernetes 1.27."""
        if root == "/api":
            for version in answer.get("versions") or []:
                yield from self._of_version("", version)
            return
        for group in answer.get("groups") or []:
            preferred = group.get("preferredVersion", {}).get("version")
            versions = [one["version"] for one in group.get("versions") or []]
            for version in sorted(versions, key=lambda one: one != preferred):
                # One aggregated server that is away does not hide all others.
                with contextlib.suppress(ClusterUnavailable):
                    yield from self._of_version(group["name"], version)

    def _of_version(self, group: str, version: str) -> Iterator[Served]:
        path = f"/apis/{group}/{version}" if group else f"/api/{version}"
        for one in self._json("GET", path).get("resources") or []:
            if "/" not in one["name"]:
                yield Served(
                    group,
                    version,
                    one["kind"],
                    one["name"],
                    bool(one["namespaced"]),
                    frozenset(one["verbs"]),
                )

    def _json(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        *,
        body: Mapping[str, Any] | None = None,
        accept: str = "application/json",
    ) -> dict[str, Any]:
        response = self._send(method, path, query, body=body, accept=accept)
        try:
            raw = response.response.read()
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise _unreachable(path, error) from error
        finally:
            response.response.release_conn()
        return _object(raw, path)

    def _send(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        *,
        body: Mapping[str, Any] | None = None,
        accept: str = "application/json",
        read_seconds: float | None = None,
    ) -> RESTResponse:
        """Send a request; its answer has a good status and is not yet read."""
        stated = [(name, value) for name, value in (query or {}).items() if value]
        headers = {"Accept": accept}
        if body is not None:
            headers["Content-Type"] = "application/json"
        try:
            prepared = self._api.param_serialize(
                method, path, None, stated, headers, auth_settings=["BearerToken"]
            )
            response = self._api.call_api(
                method,
                prepared[1],
                prepared[2],
                body,
                _request_timeout=(_CONNECT_SECONDS, read_seconds or _READ_SECONDS),
            )
            if response.status >= 300:
                raw = response.response.read()
                response.response.release_conn()
                raise _refused(path, _status(raw), response.status, response.headers)
        except (
            urllib3.exceptions.HTTPError,
            official.ApiException,
            config.ConfigException,
            OSError,
        ) as error:
            raise _unreachable(path, error) from error
        return response


def patient(seconds: int) -> int:
    """About *seconds*, so that many who began together do not go on together."""
    return round(seconds * random.uniform(0.8, 1.2))  # noqa: S311 - no secret


def _aggregated(answer: Mapping[str, Any]) -> Iterator[Served]:
    for group in answer.get("items") or []:
        name = (group.get("metadata") or {}).get("name") or ""
        for version in group.get("versions") or []:
            for one in version.get("resources") or []:
                kind = one.get("responseKind") or {}
                if "kind" in kind:
                    yield Served(
                        name,
                        version["version"],
                        kind["kind"],
                        one["resource"],
                        one.get("scope") == "Namespaced",
                        frozenset(one.get("verbs") or ()),
                    )


def _lines(response: urllib3.BaseHTTPResponse) -> Iterator[bytes]:
    rest = b""
    for piece in response.stream(_PIECE_BYTES):
        *lines, rest = (rest + piece).split(b"\n")
        yield from filter(None, lines)


def _event(line: bytes, path: str) -> Event:
    value = _object(line, path)
    kind, found = value.get("type"), value.get("object")
    if not isinstance(kind, str) or not isinstance(found, dict):
        raise ClusterUnavailable(f"the API server's watch of `{path}` holds what is no event")
    return Event(kind, found)


def _object(raw: bytes, path: str) -> dict[str, Any]:
    try:
        value = jiter.from_json(raw, cache_mode="keys")
    except ValueError as error:
        raise ClusterUnavailable(f"the API server's answer to `{path}` is no JSON") from error
    if not isinstance(value, dict):
        raise ClusterUnavailable(f"the API server's answer to `{path}` is no object")
    return value


def _status(raw: bytes) -> dict[str, Any]:
    with contextlib.suppress(ClusterUnavailable):
        return _object(raw, "")
    return {}


def _code(status: Mapping[str, Any]) -> int:
    code = status.get("code")
    return code if isinstance(code, int) else 0


def _refused(
    path: str, status: Mapping[str, Any], code: int, headers: Mapping[str, str] | None = None
) -> ClusterUnavailable:
    said = str(status.get("message") or status.get("reason") or "without a reason")[:512]
    after = (headers or {}).get("Retry-After", "")
    return ClusterUnavailable(
        f"the API server answered `{path}` with {code}: {said}",
        answered=code,
        retry_after=int(after) if after.isascii() and after.isdigit() else 0,
    )


def _unreachable(path: str, error: Exception) -> ClusterUnavailable:
    return ClusterUnavailable(f"the API server did not answer `{path}`: {_first_line(error)}")


def _first_line(error: Exception) -> str:
    lines: Sequence[str] = str(error).splitlines()
    return (lines[0] if lines else type(error).__name__)[:512]
