"""`portreeve waiver` writes what the next build accepts, and refuses what it would not."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from service.bundle.build import build
from service.bundle.granting import grant
from service.cli import main
from service.errors import BundleRefused

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
STATED = {
    "code": "GPU-901",
    "match": {"cluster": "prod-eu"},
    "owner": "vision",
    "reason": "launch: week 3",
    "approver": "platform",
    "expires": "2026-12-31",
}


def _options(project: Path, **changes: str) -> list[str]:
    day = (datetime.now(UTC) + timedelta(days=30)).date().isoformat()
    stated = {
        "code": "gpu-901",
        "match": "cluster=prod-*",
        "owner": "vision",
        "reason": "launch: week 3",
        "approver": "platform",
        "expires": day,
        "bundle": str(project),
        **changes,
    }
    return ["waiver", "add", *(f"--{name}={value}" for name, value in stated.items())]


def test_a_waiver_is_written_and_listed(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(_options(project)) == 0
    said = capsys.readouterr().out
    assert re.match(r"W-\d{4}-001: GPU-901 is waived in cluster prod-\* until ", said)

    [waiver] = build(project).org.waivers
    assert (waiver.code, waiver.match.cluster) == ("GPU-901", "prod-*")
    assert waiver.reason == "launch: week 3"

    assert main(["waiver", "list", "--bundle", str(project)]) == 0
    head, row = capsys.readouterr().out.splitlines()
    assert head.split() == ["ID", "CODE", "WHERE", "UNTIL", "LEFT", "OWNER", "APPROVER", "REASON"]
    assert row.startswith(waiver.id)
    assert "30 d" in row


def test_the_second_waiver_leaves_the_first_and_its_comments_alone(project: Path) -> None:
    path = project / "org" / "waivers.yaml"
    grant(project, STATED, now=NOW)
    path.write_text("# Reviewed monthly.\n" + path.read_text() + "# The end.\n")

    waiver, written = grant(project, STATED, now=NOW)

    assert (waiver.id, written) == ("W-2026-002", path)
    assert [item.id for item in build(project).org.waivers] == ["W-2026-001", "W-2026-002"]
    text = path.read_text()
    assert text.startswith("# Reviewed monthly.\nwaivers:\n  - id: W-2026-001\n")
    assert text.endswith("    expires: 2026-12-31\n# The end.\n")


def test_waivers_of_the_extended_bundle_are_taken_over(project: Path) -> None:
    grant(project, STATED, now=NOW)
    mine = project.parent / "mine"
    mine.mkdir()
    (mine / "bundle.yaml").write_text('name: mine\nrevision: "1"\nextends: toy\n')

    grant(mine, {**STATED, "id": "own"}, now=NOW)

    assert [item.id for item in build(mine).org.waivers] == ["W-2026-001", "own"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"code": "GPU-999"}, "`GPU-999` at `/waivers/0/code` is no code of this bundle"),
        ({"code": "WVR-001"}, "`WVR-001` at `/waivers/0/code` is no code of this bundle"),
        ({"code": "SYS-LOG"}, "`SYS-LOG` is an error of Portreeve's own, which nothing waives"),
        ({"expires": "2026-11-22"}, "would end on `2026-11-22`, which is over"),
        ({"expires": "2026-11-23T11:59:59Z"}, "which is over"),
        ({"expires": "2027-02-22"}, "would end on `2027-02-22`, more than 90 days ahead"),
        ({"expires": "soon"}, "the waiver: `soon` at `/expires`: "),
        ({"match": {}}, "one selector at least is expected"),
        ({"approver": "vision"}, "somebody other than the owner is expected"),
    ],
)
def test_a_waiver_that_may_not_be_granted_is_refused(
    project: Path, changes: dict[str, object], said: str
) -> None:
    with pytest.raises(BundleRefused, match=re.escape(said)):
        grant(project, {**STATED, **changes}, now=NOW)

    assert not (project / "org" / "waivers.yaml").exists()


def test_the_organisation_says_how_far_ahead_a_waiver_may_end(project: Path) -> None:
    grant(project, {**STATED, "expires": "2027-02-21"}, now=NOW)
    (project / "org" / "more.yaml").write_text("waiver_days: 7\n")

    with pytest.raises(BundleRefused, match="more than 7 days ahead") as caught:
        grant(project, {**STATED, "expires": "2026-12-01"}, now=NOW)

    assert caught.value.hint.startswith("The last day is 2026-11-30;")


def test_an_id_is_used_once(project: Path) -> None:
    grant(project, {**STATED, "id": "a"}, now=NOW)

    with pytest.raises(BundleRefused, match="`waivers` has `a` twice"):
        grant(project, {**STATED, "id": "a"}, now=NOW)


def test_a_selector_that_is_a_label_is_refused(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(_options(project, match="portreeve.dev/team=vision")) == 2
    assert "Names are cluster, namespace, account, project, workspace, team, environment." in (
        capsys.readouterr().err
    )


def test_a_list_says_which_are_over(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    past = {**STATED, "id": "old", "expires": "2020-01-01"}
    grant(project, past, now=datetime(2019, 12, 1, tzinfo=UTC))
    main(_options(project, id="new"))
    capsys.readouterr()

    main(["waiver", "list", "--bundle", str(project), "--expired", "--format", "json"])

    assert [(item["id"], item["expired"]) for item in json.loads(capsys.readouterr().out)] == [
        ("old", True)
    ]
    main(["waiver", "list", "--bundle", str(project)])
    assert "expired" in capsys.readouterr().out


def test_no_waivers_are_said_to_be_none(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for option, said in (((), "no waivers\n"), (("--expired",), "no waivers have expired\n")):
        main(["waiver", "list", "--bundle", str(project), *option])
        assert capsys.readouterr().out == said


JOB = """\
apiVersion: batch/v1
kind: Job
metadata: {name: train, namespace: vision}
spec:
  template:
    spec:
      containers:
        - {name: a, image: b, resources: {limits: {nvidia.com/gpu: 8}}}
"""


def test_a_waiver_holds_where_requests_are_checked(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "org" / "limits.yaml").write_text(
        "limits: {accelerators_per_resource: {default: 4}}\n"
    )
    (tmp_path / "job.yaml").write_text(JOB)
    check = ["check", "--bundle", str(project), "--scope", "cluster=prod-eu"]
    check += ["--record", str(tmp_path / "record.jsonl"), str(tmp_path / "job.yaml")]

    assert main(check) == 1
    main(_options(project))
    capsys.readouterr()

    assert main(check) == 0
    said = capsys.readouterr().out
    assert "allowed" in said
    assert "  waived  GPU-901: `Job vision/train` takes 8; 4 are allowed\n" in said
    assert "by platform, owner vision: launch: week 3 (W-" in said
    assert main([*check, "--format", "json"]) == 0
    [decision] = json.loads(capsys.readouterr().out)
    assert decision["findings"][0]["waiver"]["approver"] == "platform"
