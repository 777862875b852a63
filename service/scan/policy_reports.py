"""Writes findings into the cluster, as reports that other tools show.

OpenReports (``openreports.io/v1alpha1``) or, where the cluster does not serve those, the reports of
the Kubernetes policy working group (``wgpolicyk8s.io/v1alpha2``): one report for each object with
findings, named after its uid. Labels say whose they are, so that the next scan replaces them and
removes those of objects without findings.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from service.errors import ClusterUnavailable
from service.model.finding import JudgedFinding, Mode
from service.report.scan import Scanned, Survey

if TYPE_CHECKING:
    from service.cluster.client import Page, Served

SOURCE = "portreeve"
OWNED_BY = "app.kubernetes.io/managed-by"
_CONFLICT = 409
_MOST_RESULTS = 100
_LONGEST_MESSAGE = 4096
_ATTEMPTS = 4


class Writer(Protocol):
    """What is asked of a cluster, such as by ``service.cluster.client.Client``."""

    def served(self) -> list[Served]:
        """Every kind that the server serves."""
        ...

    def page(
        self, served: Served, *, token: str = "", limit: int = ..., selector: str = ""
    ) -> Page:
        """A page of objects."""
        ...

    def read(self, served: Served, namespace: str, name: str) -> dict[str, Any] | None:
        """The object with this name."""
        ...

    def create(self, served: Served, namespace: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Make an object."""
        ...

    def update(
        self, served: Served, namespace: str, name: str, body: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Replace an object."""
        ...

    def delete(self, served: Served, namespace: str, name: str) -> None:
        """Remove an object."""
        ...


class _Form(NamedTuple):
    """One sort of reports: its group, its kinds, and whether a report names its source."""

    group: str
    version: str
    namespaced: str
    of_cluster: str
    names_source: bool


_FORMS = (
    _Form("openreports.io", "v1alpha1", "Report", "ClusterReport", names_source=True),
    _Form("wgpolicyk8s.io", "v1alpha2", "PolicyReport", "ClusterPolicyReport", names_source=False),
)


class Written(NamedTuple):
    """How many reports there are now, how many were removed, and of which sort they are."""

    api_version: str
    reports: int
    removed: int


def write_reports(cluster: Writer, survey: Survey, *, progress: Callable[[int], None]) -> Written:
    """Write a report for each object of *survey* with findings, and remove all others of ours.

    Nothing is removed where a kind of objects could not be read.

    Raises:
        ClusterUnavailable: The cluster serves no such reports, or one could not be written.
    """
    form, kinds = served_form(cluster)
    keep: set[tuple[str, str]] = set()
    for number, (item, report) in enumerate(_reports(survey, form), start=1):
        served = kinds[bool(item.namespace)]
        name = report["metadata"]["name"]
        _put(cluster, served, item.namespace, report)
        keep.add((item.namespace, name))
        progress(number)
    removed = 0
    if not survey.not_read:
        # What was not read may have the findings that it had.
        removed = sum(_remove_others(cluster, served, keep) for served in kinds.values())
    return Written(f"{form.group}/{form.version}", len(keep), removed)


def served_form(cluster: Writer) -> tuple[_Form, dict[bool, Served]]:
    """The sort of reports that *cluster* serves, and its two kinds by whether they are namespaced.

    Raises:
        ClusterUnavailable: It serves none.
    """
    found = {(one.group, one.version, one.kind): one for one in cluster.served()}
    for form in _FORMS:
        kinds = {
            is_namespaced: found[form.group, form.version, kind]
            for is_namespaced, kind in ((True, form.namespaced), (False, form.of_cluster))
            if (form.group, form.version, kind) in found
        }
        if len(kinds) == len((True, False)):
            return form, kinds
    names = " nor ".join(f"`{form.group}/{form.version}`" for form in _FORMS)
    raise ClusterUnavailable(
        f"the cluster serves neither {names}",
        hint="Install the CRDs of OpenReports, or leave out --policy-reports.",
    )


def _reports(survey: Survey, form: _Form) -> Iterator[tuple[Scanned, dict[str, Any]]]:
    moment = datetime.fromisoformat(survey.time)
    seconds = {"seconds": int(moment.timestamp()), "nanos": 0}
    for item in survey.objects:
        results = [_result(item, each, seconds) for each in item.findings if _is_told(each)]
        if results and item.uid:
            yield item, _report(survey, item, results, form)


def _is_told(finding: JudgedFinding) -> bool:
    return (
        finding.mode is not Mode.OBSERVE
        or finding.waived_by is not None
        or finding.baseline is not None
    )


def _report(
    survey: Survey, item: Scanned, results: list[dict[str, Any]], form: _Form
) -> dict[str, Any]:
    counts = Counter(result["result"] for result in results)
    scope = {
        "apiVersion": item.api_version,
        "kind": item.kind,
        "name": item.name,
        "uid": item.uid,
        **({"namespace": item.namespace} if item.namespace else {}),
    }
    report: dict[str, Any] = {
        "apiVersion": f"{form.group}/{form.version}",
        "kind": form.namespaced if item.namespace else form.of_cluster,
        "metadata": {
            "name": f"{SOURCE}-{item.uid}",
            **({"namespace": item.namespace} if item.namespace else {}),
            "labels": {OWNED_BY: SOURCE},
            "annotations": {
                "portreeve.dev/cluster": survey.cluster,
                "portreeve.dev/decision": item.decision_id,
                "portreeve.dev/bundle": survey.bundle.digest,
            },
            # Whoever deletes the object deletes the report.
            "ownerReferences": [
                {
                    "apiVersion": item.api_version,
                    "kind": item.kind,
                    "name": item.name,
                    "uid": item.uid,
                }
            ],
        },
        "scope": scope,
        "summary": {name: counts[name] for name in ("pass", "fail", "warn", "error", "skip")},
        "results": results[:_MOST_RESULTS],
    }
    if form.names_source:
        report["source"] = SOURCE
    return report


def _result(item: Scanned, finding: JudgedFinding, seconds: dict[str, int]) -> dict[str, Any]:
    properties = {"decision": item.decision_id}
    if finding.remedy:
        properties["remedy"] = finding.remedy[:_LONGEST_MESSAGE]
    if finding.waived_by is not None:
        result, properties["waivedBy"] = "skip", finding.waived_by
    elif finding.baseline is not None:
        result, properties["baselineUntil"] = "skip", finding.baseline.until
    elif item.failed:
        result = "error"
    else:
        result = "fail" if finding.mode is Mode.ENFORCE else "warn"
    return {
        "source": SOURCE,
        "policy": finding.code,
        "rule": finding.code,
        "category": finding.code.partition("-")[0],
        "severity": finding.severity.value,
        "result": result,
        "scored": result == "fail",
        "message": finding.message[:_LONGEST_MESSAGE],
        "timestamp": seconds,
        "properties": properties,
    }


def _put(cluster: Writer, served: Served, namespace: str, report: dict[str, Any]) -> None:
    """Make *report*, or put it in the place of the one with its name."""
    name = report["metadata"]["name"]
    for attempt in range(_ATTEMPTS):
        there = cluster.read(served, namespace, name)
        try:
            if there is None:
                cluster.create(served, namespace, report)
            else:
                version = there["metadata"]["resourceVersion"]
                metadata = {**report["metadata"], "resourceVersion": version}
                cluster.update(served, namespace, name, {**report, "metadata": metadata})
        except ClusterUnavailable as error:
            # Somebody else made or changed it between the two.
            if error.answered != _CONFLICT or attempt == _ATTEMPTS - 1:
                raise
        else:
            return


def _remove_others(cluster: Writer, served: Served, keep: set[tuple[str, str]]) -> int:
    """Remove reports of ours but those to *keep*; how many there were."""
    others: list[tuple[str, str]] = []
    token = ""
    while True:
        page = cluster.page(served, token=token, selector=f"{OWNED_BY}={SOURCE}")
        for document in page.items:
            metadata = document["metadata"]
            key = (metadata.get("namespace") or "", metadata["name"])
            if key not in keep:
                others.append(key)
        token = page.token
        if not token:
            break
    for namespace, name in others:
        cluster.delete(served, namespace, name)
    return len(others)
