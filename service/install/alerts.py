"""Alerts for Prometheus: what the API server and the kubelet know about the webhooks.

The metrics are theirs (Kubernetes docs, "Kubernetes Metrics Reference"; kube-state-metrics docs,
"Deployment Metrics"), because whoever is away cannot tell.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from service.install.options import Options
from service.install.workload import LABELS

ALERTS = """\
Needs the Prometheus operator, whose Prometheus has to select this object, and the metrics of the
API server; the last two alerts need those of kube-state-metrics and of the kubelet."""

_OURS = r'name=~".+\\.portreeve\\.dev"'
_LEAST_FREE_PERCENT = 10
_SLOW_SECONDS = 2


class _Alert(NamedTuple):
    """One alert: how long its expression must hold, and what a person reads."""

    name: str
    expression: str
    minutes: int
    severity: str
    summary: str
    description: str


def rule(options: Options) -> dict[str, Any]:
    """The PrometheusRule of an installation."""
    group = {"name": "portreeve", "rules": [_written(alert) for alert in _alerts(options)]}
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": "portreeve", "namespace": options.namespace, "labels": LABELS},
        "spec": {"groups": [group]},
    }


def _written(alert: _Alert) -> dict[str, Any]:
    written: dict[str, Any] = {"alert": alert.name, "expr": alert.expression}
    if alert.minutes:
        written["for"] = f"{alert.minutes}m"
    words = {"summary": alert.summary, "description": alert.description}
    return {**written, "labels": {"severity": alert.severity}, "annotations": words}


def _alerts(options: Options) -> tuple[_Alert, ...]:
    here = f'namespace="{options.namespace}"'
    volume = f'{here}, persistentvolumeclaim="portreeve"'
    return (
        _Alert(
            "PortreeveUndecidedAdmitted",
            f"sum by (name) (increase(apiserver_admission_webhook_fail_open_count{{{_OURS}}}[10m]))"
            " > 0",
            0,
            "warning",
            "Objects were admitted that Portreeve was not asked about",
            "The API server could not call {{ $labels.name }}, and admitted what it would have "
            "asked about. The decision log has no record of it.",
        ),
        _Alert(
            "PortreeveNotReached",
            "sum by (name) (increase(apiserver_admission_webhook_rejection_count"
            f'{{{_OURS}, error_type="calling_webhook_error"}}[10m])) > 0',
            0,
            "critical",
            "Objects were refused because Portreeve could not be called",
            "The API server could not call {{ $labels.name }}, and refused what may take "
            "accelerators. See /readyz, the certificate, and the network policy.",
        ),
        _Alert(
            "PortreeveUndecidedRefused",
            "sum by (name) (increase(apiserver_admission_webhook_rejection_count"
            f'{{{_OURS}, error_type="no_error", rejection_code="503"}}[10m])) > 0',
            5,
            "critical",
            "Portreeve answers, and cannot decide",
            "{{ $labels.name }} refuses with 503: the policy engine or the decision log does not "
            "work. /readyz says which; the service's log says why.",
        ),
        _Alert(
            "PortreeveSlow",
            "histogram_quantile(0.99, sum by (name, le) (rate("
            f"apiserver_admission_webhook_admission_duration_seconds_bucket{{{_OURS}}}[10m]))) "
            f"> {_SLOW_SECONDS}",
            10,
            "warning",
            "Creating what takes accelerators has become slow",
            f"One call of {{{{ $labels.name }}}} in a hundred takes longer than {_SLOW_SECONDS} s; "
            "after timeoutSeconds it counts as failed.",
        ),
        _Alert(
            "PortreeveAway",
            f'kube_deployment_status_replicas_available{{{here}, deployment="portreeve"}} == 0',
            5,
            "critical",
            "No pod of Portreeve can take requests",
            "docs/kubernetes.md says what happens meanwhile, and what to do in an emergency.",
        ),
        _Alert(
            "PortreeveLogVolumeFull",
            f"100 * kubelet_volume_stats_available_bytes{{{volume}}} < {_LEAST_FREE_PERCENT} * "
            f"kubelet_volume_stats_capacity_bytes{{{volume}}}",
            15,
            "warning",
            "The volume of the decision log is almost full",
            f"Less than {_LEAST_FREE_PERCENT} % is free. Without a record there is no answer but a "
            "refusal.",
        ),
    )
