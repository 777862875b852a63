"""Write the Kubernetes cases anew.

``python tests/contract/rewrite_kubernetes.py`` writes what the recorded requests are normalised to.
Cases with manifests instead hold several objects that name one another.
With ``--record`` a real API server first writes the requests: each case's object is sent to it, and
what it asks its webhook is kept; names of cases after it leave the others as they are. That needs
``make tools``, etcd and kubectl.
"""

from __future__ import annotations

import base64
import http.server
import json
import ssl
import sys
import tempfile
import threading
import uuid
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
CASES = Path(__file__).parent / "kubernetes"
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "support")]

from adapters.kubernetes.normalise import (  # noqa: E402  # found by the path above
    normalise_manifests,
    normalise_review,
)
from service.intake.documents import read_yaml_documents  # noqa: E402
from service.model.base import Scope  # noqa: E402
from service.model.request import Request  # noqa: E402

_VOLATILE: dict[str, Any] = {
    "creationTimestamp": "2026-01-01T00:00:00Z",
    "deletionTimestamp": "2026-01-01T00:00:00Z",
    "time": "2026-01-01T00:00:00Z",
    "resourceVersion": "1",
}


def main() -> None:
    if "--record" in sys.argv:
        _record(sys.argv[sys.argv.index("--record") + 1 :])
    for path in sorted(CASES.glob("*/manifests.yaml")):
        _write(path.with_name("normalised.json"), _shown(manifests(path)))
    for path in sorted(CASES.glob("*/request.json")):
        review = json.loads(path.read_text())
        request = normalise_review(review, cluster="prod-eu", caller="contract")
        _write(path.with_name("normalised.json"), _shown(request))


def manifests(path: Path) -> Request:
    """The request to apply the manifests of a case."""
    documents = read_yaml_documents(path.read_bytes(), limit=1 << 20, what=path.name)
    scope = Scope(cluster="prod-eu")
    return normalise_manifests(documents, scope=scope, caller="contract", key=path.parent.name)


def _shown(request: Request) -> Any:
    return json.loads(request.model_dump_json(exclude_defaults=True))


def _record(names: list[str]) -> None:
    from cluster import cluster, self_signed, webhook_credentials  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        certificate, key = self_signed(folder)
        server, reviews = _recorder(certificate, key)
        admission = webhook_credentials(folder, f"127.0.0.1:{server.server_port}", "recorder")
        with cluster(folder, admission) as running:
            cases = [
                case
                for case in sorted(CASES.glob("*/case.yaml"))
                if not names or case.parent.name in names
            ]
            for case in cases:
                stated = yaml.safe_load(case.read_text())
                space = stated["object"]["metadata"]["namespace"]
                running.kubectl("create", "namespace", space)
                for label, value in stated.get("namespace_labels", {}).items():
                    running.kubectl("label", "namespace", space, f"{label}={value}")
            running.kubectl("create", "-f", "-", stdin=json.dumps(_runtime_class()))
            groups = _define(running, [yaml.safe_load(case.read_text()) for case in cases])
            running.apply(_webhook(server.server_port, certificate, groups))
            _wait(running, reviews)
            for case in cases:
                reviews.clear()
                _play(running, yaml.safe_load(case.read_text()), reviews)
                asked = _settled(reviews[-1], case.parent.name)
                _write(case.with_name("request.json"), asked)
        server.shutdown()


def _wait(running: Any, reviews: list[Any]) -> None:
    """The API server learns of a new configuration a moment after it was stored."""
    probe = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "p"}}
    for _ in range(200):
        running.kubectl("create", "--dry-run=server", "-f", "-", stdin=json.dumps(probe))
        if reviews:
            return
    raise SystemExit("the webhook never took effect")


def _play(running: Any, stated: dict[str, Any], reviews: list[Any]) -> None:
    action, document = stated["action"], json.dumps(stated["object"])
    meta, kind = stated["object"]["metadata"], stated["object"]["kind"].lower()
    named = ("-n", meta["namespace"], kind, meta.get("name", ""))
    if action == "dry-run":
        _do(running, "create", "--dry-run=server", "-f", "-", stdin=document)
        return
    _do(running, "create", "-f", "-", stdin=document)
    if action.startswith("update"):
        if action == "update-while-deleted":
            _do(running, "delete", "--wait=false", *named)
        reviews.clear()
        _do(running, "replace", "-f", "-", stdin=json.dumps(_changed(running, stated, named)))
    elif action == "debug":
        reviews.clear()
        live = json.loads(_do(running, "get", *named, "-o", "json"))
        live["spec"]["ephemeralContainers"] = stated["ephemeral"]
        path = f"/api/v1/namespaces/{meta['namespace']}/pods/{meta['name']}/ephemeralcontainers"
        _do(running, "replace", "--raw", path, "-f", "-", stdin=json.dumps(live))
    elif action == "scale":
        reviews.clear()
        _do(running, "scale", "--replicas=7", *named)
    if "name" in meta and action != "update-while-deleted":
        kept = list(reviews)
        reviews.clear()
        _do(running, "delete", "--wait=false", *named)
        if action != "delete":
            reviews[:] = kept


def _changed(running: Any, stated: dict[str, Any], named: tuple[str, ...]) -> dict[str, Any]:
    changed: dict[str, Any] = stated["changed"]
    live = json.loads(_do(running, "get", *named, "-o", "json"))
    if "deletionTimestamp" in live["metadata"]:
        changed["metadata"]["finalizers"] = live["metadata"]["finalizers"]
    return changed


def _do(running: Any, *arguments: str, stdin: str = "") -> str:
    done = running.kubectl(*arguments, stdin=stdin)
    if done.returncode != 0:
        raise SystemExit(f"{arguments}: {done.stderr}")
    return str(done.stdout)


def _recorder(certificate: Path, key: Path) -> tuple[http.server.HTTPServer, list[Any]]:
    reviews: list[Any] = []

    class Recorder(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            review = json.loads(self.rfile.read(int(self.headers["content-length"])))
            reviews.append(review)
            response = {"uid": review["request"]["uid"], "allowed": True}
            body = json.dumps({**review, "request": None, "response": response}).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None: ...

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Recorder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server, reviews


def _define(running: Any, cases: list[dict[str, Any]]) -> list[str]:
    """Define the kinds of the cases that the API server does not have, and name their groups."""
    found = {(case["object"]["apiVersion"], case["object"]["kind"]) for case in cases}
    foreign = sorted((version, kind) for version, kind in found if _is_foreign(version))
    for version, kind in foreign:
        running.apply(_definition(version, kind))
    if foreign:
        _do(running, "wait", "--for=condition=Established", "--all", "crd")
    return sorted({version.partition("/")[0] for version, _ in foreign})


def _is_foreign(version: str) -> bool:
    return "." in version.partition("/")[0] and ".k8s.io/" not in version.replace(".x-k8s.io", "")


def _definition(version: str, kind: str) -> dict[str, Any]:
    """A definition that takes any object of the kind."""
    group, _, name = version.partition("/")
    plural = f"{kind.lower()}s"
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    served = {"name": name, "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": f"{plural}.{group}",
            # The API server keeps kinds below its own domain to who had them approved.
            "annotations": {"api-approved.kubernetes.io": "unapproved, for a test"},
        },
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"kind": kind, "plural": plural, "singular": kind.lower()},
            "versions": [served],
        },
    }


def _webhook(port: int, certificate: Path, groups: list[str]) -> dict[str, Any]:
    rule = {
        "apiGroups": ["", "apps", "autoscaling", "batch", "resource.k8s.io", *groups],
        "apiVersions": ["*"],
        "resources": ["*/*"],
        "operations": ["*"],
    }
    bundle = base64.b64encode(certificate.read_bytes()).decode()
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": "recorder"},
        "webhooks": [
            {
                "name": "record.portreeve.dev",
                "clientConfig": {"url": f"https://127.0.0.1:{port}/", "caBundle": bundle},
                "rules": [rule],
                "failurePolicy": "Ignore",
                "sideEffects": "None",
                "admissionReviewVersions": ["v1"],
            }
        ],
    }


def _runtime_class() -> dict[str, Any]:
    return {
        "apiVersion": "node.k8s.io/v1",
        "kind": "RuntimeClass",
        "metadata": {"name": "nvidia"},
        "handler": "nvidia",
    }


def _settled(value: Any, case: str, key: str = "") -> Any:
    """*value* without what differs from one recording to the next."""
    if key == "uid" and isinstance(value, str):
        return str(uuid.uuid5(uuid.NAMESPACE_URL, case))
    if key in _VOLATILE and value is not None:
        return _VOLATILE[key]
    if isinstance(value, dict):
        return {name: _settled(item, case, name) for name, item in value.items()}
    if isinstance(value, list):
        return [_settled(item, case) for item in value]
    return value


def _write(path: Path, document: Any) -> None:
    path.write_text(json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
