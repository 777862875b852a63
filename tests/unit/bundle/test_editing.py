"""An entry is added to a list, and nothing else in the file changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from service.bundle.editing import add_entry, appended
from service.bundle.reading import parse_yaml
from service.errors import BundleRefused

ENTRY = {"id": "a: b", "match": {"cluster": "c", "namespace": "v-*"}, "expires": "2026-12-31"}


@pytest.mark.parametrize(
    "text",
    [
        "modes:\n",
        "modes: []",
        "modes: [] # none yet\nother: 1\n",
        "modes: null\n",
        "# first\nmodes:\n  # why\n  - code: X # c\n    mode: warn\n\n# then\nother: 1\n",
        "modes:\n- code: X\n  text: |\n    one\n    two\n\nother: 1\n",
        "modes:\n    - code: {a: 1,\n        b: 2}\n    # end\n",
        "other: 1\nmodes:\n  - a: >-\n      x\n      y",
        "modes:\n  - a: b\n  - c:\nz: 1\n",
        "modes:\n  - a:\n      - 1\n      - [2,\n         3]\n",
    ],
)
def test_an_entry_is_appended_and_the_rest_stays(text: str) -> None:
    before, after = parse_yaml(text, what="a"), appended(text, "modes", ENTRY, what="a")

    assert parse_yaml(after, what="a") == {**before, "modes": [*(before["modes"] or []), ENTRY]}
    for line in text.splitlines():
        assert line.partition("modes:")[0] in after
    assert [part for part in text.splitlines() if part.startswith("#")] == [
        part for part in after.splitlines() if part.startswith("#")
    ]


@pytest.mark.parametrize("value", ["true", "null", "12", "1.5", " a", "a #b", "[", "é\n", ""])
def test_a_text_stays_the_text_that_it_is(value: str) -> None:
    after = appended("modes:\n", "modes", {"reason": value}, what="a")

    assert parse_yaml(after, what="a") == {"modes": [{"reason": value}]}


@pytest.mark.parametrize("text", ["modes: [{a: 1}]\n", "modes: 3\n", "modes: {a: 1}\n"])
def test_what_is_no_list_of_lines_is_left_alone(text: str) -> None:
    with pytest.raises(BundleRefused, match="a, line 1: `modes` is no list that can be added to"):
        appended(text, "modes", ENTRY, what="a")


def test_a_file_without_the_list_keeps_what_it_states(tmp_path: Path) -> None:
    path = tmp_path / "org" / "modes.yaml"
    path.parent.mkdir()
    path.write_text("# ours\nposture: warn\n")

    assert add_entry(tmp_path, "modes", {"mode": "warn"}, [{"mode": "observe"}]) == path
    assert path.read_text() == (
        "# ours\nposture: warn\n\nmodes:\n"
        "  # Taken over from the bundle that this one extends.\n"
        "  - mode: observe\n  - mode: warn\n"
    )


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "org").write_text("a file")

    with pytest.raises(BundleRefused, match="cannot be written"):
        add_entry(tmp_path, "modes", ENTRY, [])
