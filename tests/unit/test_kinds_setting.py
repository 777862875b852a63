"""The setting ``kubernetes_kinds_file`` adds kinds to those that a process understands."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.kubernetes.kinds import in_use, shipped, use
from service.app import use_kinds
from service.errors import SettingsRefused
from service.settings import read_settings

OWN = "kinds: [{group: example.org, kind: Farm, takes: nothing, source: our documentation}]"


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    yield
    use(None)


def test_a_file_adds_kinds_and_no_file_means_the_shipped_ones(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(OWN)

    use_kinds(read_settings(kubernetes_kinds_file=path))
    added = in_use().find("example.org", "Farm")
    use_kinds(read_settings())

    assert added is not None
    assert in_use() is shipped()


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsRefused, match="`kubernetes_kinds_file` is"):
        use_kinds(read_settings(kubernetes_kinds_file=tmp_path / "none.yaml"))


def test_a_file_that_is_no_table_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text("kinds: 1")

    with pytest.raises(SettingsRefused, match=r"`kinds` of `own\.yaml` is no list"):
        use_kinds(read_settings(kubernetes_kinds_file=path))
