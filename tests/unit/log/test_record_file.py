import json
from pathlib import Path

import pytest

from service.errors import LogUnavailable
from service.log.entry import Entry
from service.log.record_file import RecordFile
from service.model.decision import BundleRef, Decision
from service.model.request import Actor

_DECISION = Decision(
    decision_id="d-1",
    time="2026-01-01T00:00:00.000Z",
    outcome="allow",
    cause="none",
    enforcement_point="terraform",
    binding="advisory",
    caller="local",
    actor=Actor(),
    request_digest="sha256:0",
    context_digest="sha256:0",
    bundle=BundleRef(name="b", revision="1", digest="sha256:0"),
    engine="none",
    duration_ms=0,
)


async def test_records_are_lines_that_are_added(tmp_path: Path) -> None:
    path = tmp_path / "plan.record.jsonl"
    for _ in range(2):
        log = RecordFile(path)
        assert await log.ready()
        kept = await log.record(Entry(_DECISION, request=b'{"key":"k"}'))
        await log.close()
        assert kept == _DECISION

    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["decision"]["decision_id"] for line in lines] == ["d-1", "d-1"]
    assert lines[0]["request"] == {"key": "k"}
    assert lines[0]["context"] is None


def test_a_file_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LogUnavailable, match="cannot be written: no such file or directory"):
        RecordFile(tmp_path / "absent" / "record.jsonl")


async def test_a_full_disk_is_a_refusal() -> None:
    log = RecordFile(Path("/dev/full"))

    with pytest.raises(LogUnavailable, match="no space left on device"):
        await log.record(Entry(_DECISION))

    await log.close()
    assert not await log.ready()
