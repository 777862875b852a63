"""Findings as reports in the cluster, replaced and removed by the next scan."""

from __future__ import annotations

from typing import Any

import pytest

from service.cluster.client import Served
from service.errors import ClusterUnavailable
from service.model.base import Role
from service.model.decision import BundleRef, Cause, DecidedResource, Outcome
from service.model.finding import BaselineTerms, JudgedFinding, Mode, Severity
from service.report.scan import NotRead, Scanned, Survey
from service.scan.policy_reports import write_reports

OPEN = ("openreports.io", "v1alpha1", "Report", "ClusterReport")
GROUP = ("wgpolicyk8s.io", "v1alpha2", "PolicyReport", "ClusterPolicyReport")


def served(group: str, version: str, kind: str, *, is_namespaced: bool) -> Served:
    plural = f"{kind.lower()}s"
    return Served(group, version, kind, plural, is_namespaced, frozenset({"list", "create"}))


def serve(cluster: Any, *forms: tuple[str, str, str, str]) -> None:
    cluster.kinds = [
        served(group, version, kind, is_namespaced=index == 0)
        for group, version, *kinds in forms
        for index, kind in enumerate(kinds)
    ]


def finding(code: str = "GPU-001", mode: Mode = Mode.ENFORCE, **fields: Any) -> JudgedFinding:
    return JudgedFinding(
        code=code,
        mode=mode,
        severity=Severity.HIGH,
        title="t",
        message="`a` takes 9",
        remedy="Lower the count.",
        **fields,
    )


def scanned(name: str, *findings: JudgedFinding, namespace: str = "n", **fields: Any) -> Scanned:
    stated: dict[str, Any] = {
        "api_version": "apps/v1",
        "kind": "Deployment",
        "namespace": namespace,
        "name": name,
        "uid": f"uid-of-{name}",
        "address": f"Deployment n/{name}",
        "decision_id": "D-1",
        "outcome": Outcome.DENY,
        "cause": Cause.POLICY,
        "findings": findings,
    }
    return Scanned.model_validate({**stated, **fields})


def survey(*objects: Scanned) -> Survey:
    return Survey(
        cluster="prod-eu",
        time="2026-11-24T12:00:00.000Z",
        bundle=BundleRef(name="example", revision="1", digest="sha256:00"),
        objects=objects,
    )


def write(cluster: Any, *objects: Scanned) -> Any:
    return write_reports(cluster, survey(*objects), progress=lambda _: None)


def test_an_object_with_findings_has_a_report_that_names_it(recorded: Any) -> None:
    serve(recorded, GROUP, OPEN)

    written = write(recorded, scanned("a", finding()), scanned("b"))

    assert written == ("openreports.io/v1alpha1", 1, 0)
    report = recorded.objects["Report", "n", "portreeve-uid-of-a"]
    assert report["apiVersion"] == "openreports.io/v1alpha1"
    assert report["source"] == "portreeve"
    assert report["metadata"]["labels"] == {"app.kubernetes.io/managed-by": "portreeve"}
    assert report["scope"] == {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "namespace": "n",
        "name": "a",
        "uid": "uid-of-a",
    }
    assert report["metadata"]["ownerReferences"][0]["uid"] == "uid-of-a"
    assert report["summary"] == {"pass": 0, "fail": 1, "warn": 0, "error": 0, "skip": 0}
    [result] = report["results"]
    assert (result["policy"], result["result"], result["severity"]) == ("GPU-001", "fail", "high")
    assert result["message"] == "`a` takes 9"
    assert result["timestamp"] == {"seconds": 1795521600, "nanos": 0}
    assert result["properties"] == {"decision": "D-1", "remedy": "Lower the count."}


@pytest.mark.parametrize(
    ("found", "result"),
    [
        (finding(mode=Mode.WARN), "warn"),
        (finding(waived_by="W-1"), "skip"),
        (
            finding(
                mode=Mode.OBSERVE,
                baseline=BaselineTerms(until="2026-12-31", instead_of=Mode.ENFORCE),
            ),
            "skip",
        ),
    ],
)
def test_what_does_not_refuse_is_told_as_what_it_is(
    recorded: Any, found: JudgedFinding, result: str
) -> None:
    serve(recorded, GROUP)

    write(recorded, scanned("a", found, finding(mode=Mode.OBSERVE)))

    report = recorded.objects["PolicyReport", "n", "portreeve-uid-of-a"]
    assert "source" not in report
    assert [one["result"] for one in report["results"]] == [result]
    assert report["results"][0]["scored"] is False


def test_what_could_not_be_decided_is_an_error(recorded: Any) -> None:
    serve(recorded, OPEN)

    write(recorded, scanned("a", finding("SYS-DEADLINE"), cause=Cause.ERROR))

    report = recorded.objects["Report", "n", "portreeve-uid-of-a"]
    assert report["summary"]["error"] == 1


def test_objects_of_the_cluster_have_reports_of_the_cluster(recorded: Any) -> None:
    serve(recorded, OPEN)
    pool = DecidedResource(
        address="NodePool a", subject="s", kind="NodePool", role=Role.CAPACITY, change="create"
    )

    write(recorded, scanned("a", finding(), namespace="", resource=pool))

    report = recorded.objects["ClusterReport", "", "portreeve-uid-of-a"]
    assert "namespace" not in report["metadata"]
    assert "namespace" not in report["scope"]


def test_the_next_scan_replaces_reports_and_removes_those_of_others(recorded: Any) -> None:
    serve(recorded, OPEN)
    write(recorded, scanned("a", finding()), scanned("b", finding()))
    foreign = {"metadata": {"name": "x", "namespace": "n", "labels": {}}}
    recorded.objects["Report", "n", "x"] = foreign

    written = write(recorded, scanned("a", finding("GPU-002")), scanned("b"))

    assert written == ("openreports.io/v1alpha1", 1, 1)
    assert set(recorded.objects) == {("Report", "n", "portreeve-uid-of-a"), ("Report", "n", "x")}
    report = recorded.objects["Report", "n", "portreeve-uid-of-a"]
    assert report["results"][0]["policy"] == "GPU-002"


def test_reports_of_what_was_not_read_stay(recorded: Any) -> None:
    serve(recorded, OPEN)
    write(recorded, scanned("a", finding()), scanned("b", finding()))
    partial = survey(scanned("a", finding())).model_copy(
        update={"not_read": (NotRead(kind="jobs.batch", why="forbidden"),)}
    )

    written = write_reports(recorded, partial, progress=lambda _: None)

    assert written == ("openreports.io/v1alpha1", 1, 0)
    assert ("Report", "n", "portreeve-uid-of-b") in recorded.objects


def test_who_writes_at_the_same_time_is_not_overwritten_unseen(
    recorded: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve(recorded, OPEN)
    reads = iter([True, False])
    read = recorded.read

    def late(*key: Any) -> Any:
        return None if next(reads) else read(*key)

    recorded.objects["Report", "n", "portreeve-uid-of-a"] = {
        "metadata": {"name": "portreeve-uid-of-a", "resourceVersion": "7"}
    }
    monkeypatch.setattr(recorded, "read", late)

    write(recorded, scanned("a", finding()))

    report = recorded.objects["Report", "n", "portreeve-uid-of-a"]
    assert report["metadata"]["resourceVersion"] == "71"


def test_a_report_that_cannot_be_written_is_an_error(
    recorded: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve(recorded, OPEN)

    def refuse(*_: Any) -> Any:
        raise ClusterUnavailable("reports is forbidden", answered=403)

    monkeypatch.setattr(recorded, "create", refuse)
    with pytest.raises(ClusterUnavailable, match="forbidden"):
        write(recorded, scanned("a", finding()))


def test_a_cluster_without_such_reports_is_told_of(recorded: Any) -> None:
    serve(recorded)

    with pytest.raises(ClusterUnavailable, match="serves neither `openreports"):
        write(recorded, scanned("a", finding()))
