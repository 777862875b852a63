import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.report.text import columns, paint, plain, wants_colour


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@given(st.text())
def test_nothing_that_steers_a_terminal_is_left(text: str) -> None:
    shown = plain(text)

    assert "\x1b" not in shown
    assert "\x9b" not in shown
    assert "\r" not in shown
    assert "\n" not in shown
    assert "\u202e" not in shown


def test_ordinary_text_is_left_as_it_is() -> None:
    text = "Deployment prod/lama-70b größer"

    assert plain(text) is text


def test_colour_is_for_terminals_that_want_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")

    assert wants_colour(_Terminal())
    assert not wants_colour(io.StringIO())

    monkeypatch.setenv("NO_COLOR", "1")
    assert not wants_colour(_Terminal())


def test_paint_leaves_text_alone_without_colour() -> None:
    assert paint("deny", "red", on=False) == "deny"
    assert paint("deny", "red", on=True) == "\x1b[31mdeny\x1b[0m"


def test_columns_are_aligned() -> None:
    assert columns([("a", "bb"), ("ccc", "d")]) == "a    bb\nccc  d\n"
    assert columns([]) == ""
