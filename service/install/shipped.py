"""What stands under ``deploy/``: the same manifests for kustomize, Helm, and to read.

``python -m service.install.shipped`` writes it; ``--check`` fails where it differs.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from difflib import SequenceMatcher
from pathlib import Path

from service.install.manifests import documents, written
from service.install.options import Component, FailurePolicy, Options
from service.pipeline import VERSION

_ROOT = Path(__file__).resolve().parents[2] / "deploy"
_CLUSTER = "prod-eu"
_GENERATED = "# Written by `python -m service.install.shipped`; docs/kubernetes.md says more.\n"
_WEBHOOKS = (Component.VALIDATING, Component.MUTATING)
_CHART = "helm/portreeve"

# Words that stand for what a chart's values say; no manifest has them for any other reason.
_NAMESPACE = "namespace-of-the-release"
_NAMED = "cluster-of-the-values"
_IMAGE = "image-of-the-values"
_BUNDLE = "bundle-of-the-values"
_EXEMPT = "exempt-of-the-values"
_TIMEOUT = 29
_CA = "ca-of-the-values"


def files() -> dict[str, str]:
    """The generated files below ``deploy/``, and what they hold."""
    base = Options(_CLUSTER)
    chart = Options(
        cluster=_NAMED,
        namespace=_NAMESPACE,
        timeout=_TIMEOUT,
        ca_bundle=_CA,
        image=_IMAGE,
        bundle=_BUNDLE,
        exempt=(_EXEMPT,),
    )
    return {
        "kubernetes/webhook.yaml": _GENERATED + _stream(base, (Component.VALIDATING,)),
        "kustomize/base/installation.yaml": _GENERATED + _stream(base, _installation()),
        "kustomize/base/webhooks.yaml": _GENERATED + _stream(base, (Component.VALIDATING,)),
        "kustomize/base/kustomization.yaml": _KUSTOMIZATION,
        "kustomize/mutating/kustomization.yaml": _COMPONENT,
        "kustomize/mutating/webhooks.yaml": _GENERATED + _stream(base, (Component.MUTATING,)),
        "kustomize/rotation/kustomization.yaml": _ROTATION,
        "kustomize/rotation/rotation.yaml": _GENERATED + _stream(base, (Component.ROTATION,)),
        "kustomize/alerts/kustomization.yaml": _ALERTS,
        "kustomize/alerts/prometheusrule.yaml": _GENERATED
        + _stream(base, (Component.PROMETHEUSRULE,)),
        f"{_CHART}/Chart.yaml": _CHART_YAML,
        f"{_CHART}/values.yaml": _VALUES,
        f"{_CHART}/values.schema.json": _SCHEMA,
        f"{_CHART}/templates/installation.yaml": _templated(
            _either(chart, _of_release()), ".Values.install"
        ),
        f"{_CHART}/templates/validating.yaml": _templated(
            _stream(chart, (Component.VALIDATING,)), ""
        ),
        f"{_CHART}/templates/mutating.yaml": _templated(
            _stream(chart, (Component.MUTATING,)), ".Values.mutating"
        ),
        f"{_CHART}/templates/certificate.yaml": _templated(
            _stream(chart, (Component.CERTIFICATE,)), ".Values.certManager"
        ),
        f"{_CHART}/templates/rotation.yaml": _templated(
            _stream(chart, (Component.ROTATION,)), ".Values.rotation"
        ),
        f"{_CHART}/templates/prometheusrule.yaml": _templated(
            _literal(_stream(chart, (Component.PROMETHEUSRULE,))), ".Values.alerts"
        ),
    }


def _installation() -> tuple[Component, ...]:
    left_out = {
        *_WEBHOOKS,
        Component.CERTIFICATE,
        Component.ROTATION,
        Component.PROMETHEUSRULE,
    }
    return tuple(part for part in Component if part not in left_out)


def _of_release() -> tuple[Component, ...]:
    """Helm makes the namespace itself, or finds it."""
    return tuple(part for part in _installation() if part is not Component.NAMESPACE)


def _stream(options: Options, components: tuple[Component, ...]) -> str:
    chosen = options._replace(components=components)
    return "".join(written(document) for document in documents(chosen))


def _either(options: Options, components: tuple[Component, ...]) -> str:
    """The manifests for a cluster that is watched and for one that is not: a value says which."""
    without = _stream(options, components).splitlines(keepends=True)
    watching = _stream(options._replace(watch=True), components).splitlines(keepends=True)
    lines: list[str] = []
    matcher = SequenceMatcher(None, without, watching, autojunk=False)
    for change, start, end, first, last in matcher.get_opcodes():
        if change == "equal":
            lines += without[start:end]
            continue
        if first != last:
            lines += ["{{- if .Values.watch }}\n", *watching[first:last]]
            lines += ["{{- else }}\n", *without[start:end]] if start != end else []
        else:
            lines += ["{{- if not .Values.watch }}\n", *without[start:end]]
        lines.append("{{- end }}\n")
    return "".join(lines)


def _literal(text: str) -> str:
    """*text*, whose own braces are for Prometheus and not for Helm."""
    return re.sub(r"{{(.*?)}}", r"{{ `{{\1}}` }}", text)


def _templated(text: str, condition: str) -> str:
    """*text* as a template of the chart, which is rendered if *condition* holds."""
    body = "".join(_lines(text))
    if condition:
        body = f"{{{{- if {condition} }}}}\n{body}{{{{- end }}}}\n"
    return "{{- /* Written by `python -m service.install.shipped`. */}}\n" + body


def _lines(text: str) -> Iterator[str]:
    is_configuration = False
    for line in text.splitlines(keepends=True):
        indent = line[: len(line) - len(line.lstrip())]
        word = line.strip()
        if word == f"- {_EXEMPT}":
            yield f"{indent}{{{{- range .Values.exemptNamespaces }}}}\n"
            yield f"{indent}- {{{{ . }}}}\n{indent}{{{{- end }}}}\n"
        elif word == f"caBundle: {_CA}":
            yield f"{indent}{{{{- with .Values.caBundle }}}}\n"
            yield f"{indent}caBundle: {{{{ . }}}}\n{indent}{{{{- end }}}}\n"
        elif word == f"failurePolicy: {FailurePolicy.FAIL.value}":
            yield f"{indent}failurePolicy: {{{{ .Values.failurePolicy }}}}\n"
        elif word == f"timeoutSeconds: {_TIMEOUT}":
            yield f"{indent}timeoutSeconds: {{{{ .Values.timeoutSeconds }}}}\n"
        elif line == "  name: portreeve\n" and is_configuration:
            yield line
            yield _INJECTED
        else:
            yield _values(line)
            is_configuration = is_configuration or line.endswith("WebhookConfiguration\n")


_INJECTED = """\
  {{- if .Values.certManager }}
  annotations:
    cert-manager.io/inject-ca-from: {{ .Release.Namespace }}/portreeve
  {{- end }}
"""


def _values(line: str) -> str:
    return (
        line.replace(_NAMESPACE, "{{ .Release.Namespace }}")
        .replace(_NAMED, "{{ .Values.cluster }}")
        .replace(_IMAGE, "{{ .Values.image }}")
        .replace(_BUNDLE, "{{ .Values.bundle }}")
    )


def main() -> int:
    """Write the files, or check them."""
    outdated = [
        name
        for name, content in files().items()
        if not (_ROOT / name).exists() or (_ROOT / name).read_text(encoding="utf-8") != content
    ]
    if "--check" in sys.argv[1:]:
        for name in outdated:
            print(f"deploy/{name} is out of date: python -m service.install.shipped")
        return 1 if outdated else 0
    for name in outdated:
        (_ROOT / name).parent.mkdir(parents=True, exist_ok=True)
        (_ROOT / name).write_text(files()[name], encoding="utf-8")
    return 0


_KUSTOMIZATION = """\
# A base for an overlay of your own, which states at least:
#   - the cluster's name in the webhooks' paths (here `prod-eu`),
#   - the image,
#   - the CA in each `clientConfig.caBundle`, or cert-manager's annotation
#     `cert-manager.io/inject-ca-from` on the configuration.
# `portreeve kubernetes manifests` writes the same with those filled in.
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources:
- installation.yaml
- webhooks.yaml
"""
_COMPONENT = """\
# Adds the mutating webhooks to an overlay: `components: [../mutating]`.
apiVersion: kustomize.config.k8s.io/v1alpha1
kind: Component
resources:
- webhooks.yaml
"""
_ROTATION = """\
# Adds what keeps the certificate where no cert-manager does: `components: [../rotation]`.
apiVersion: kustomize.config.k8s.io/v1alpha1
kind: Component
resources:
- rotation.yaml
"""
_ALERTS = """\
# Adds alerts for the Prometheus operator: `components: [../alerts]`.
apiVersion: kustomize.config.k8s.io/v1alpha1
kind: Component
resources:
- prometheusrule.yaml
"""
_CHART_YAML = f"""\
apiVersion: v2
name: portreeve
description: Policy-as-code governance for AI infrastructure, as an admission webhook.
type: application
version: {VERSION}
appVersion: {VERSION}
kubeVersion: ">=1.30.0-0"
"""
_VALUES = f"""\
# What decisions call this cluster; it stands in the webhooks' paths. There is no default.
cluster: ""
image: portreeve:{VERSION}
# What `portreeve serve --bundle` takes: a shipped bundle, or a path in the image.
bundle: default
# While the service cannot be asked: Fail refuses what may take accelerators, Ignore admits it.
failurePolicy: Fail
timeoutSeconds: 10
# The CA of the service's certificate, as base64 of PEM; empty with certManager and with rotation.
caBundle: ""
# Have cert-manager make and renew the certificate, and write the CA into the webhooks.
certManager: false
# The same without cert-manager, by a pod of our own; one of the two at most.
rotation: false
# More namespaces whose objects are never sent; kube-system and the release's own never are.
exemptNamespaces: []
# The webhooks that add to objects.
mutating: false
# Alerts for the Prometheus operator.
alerts: false
# Let the service read the cluster, for what objects say only by the name of another: a ClusterRole
# to list and watch, a token in its pod, and the way to the API server in the NetworkPolicy.
watch: false
# Whether the service runs in this cluster: false leaves everything out but the webhooks.
install: true
"""
_SCHEMA = """\
{
  "$schema": "http://json-schema.org/draft-07/schema#",
  "type": "object",
  "additionalProperties": false,
  "required": ["cluster"],
  "properties": {
    "cluster": {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{0,252}$"},
    "image": {"type": "string", "minLength": 1},
    "bundle": {"type": "string", "minLength": 1},
    "failurePolicy": {"enum": ["Fail", "Ignore"]},
    "timeoutSeconds": {"type": "integer", "minimum": 1, "maximum": 30},
    "caBundle": {"type": "string", "pattern": "^[A-Za-z0-9+/]*=*$"},
    "certManager": {"type": "boolean"},
    "rotation": {"type": "boolean"},
    "exemptNamespaces": {
      "type": "array",
      "items": {"type": "string", "pattern": "^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$"}
    },
    "mutating": {"type": "boolean"},
    "alerts": {"type": "boolean"},
    "watch": {"type": "boolean"},
    "install": {"type": "boolean"},
    "global": {"type": "object"}
  },
  "not": {
    "required": ["certManager", "rotation"],
    "properties": {"certManager": {"const": true}, "rotation": {"const": true}}
  }
}
"""


if __name__ == "__main__":
    sys.exit(main())
