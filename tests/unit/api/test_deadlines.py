import pytest

from service.api.deadlines import deadline, seconds_of
from service.errors import RequestRefused


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("10s", 10), ("500ms", 0.5), ("1m30s", 90), ("1h", 3600), ("1.5s", 1.5)],
)
def test_durations_are_read_as_go_writes_them(text: str, seconds: float) -> None:
    assert seconds_of(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["10", "s", "-1s", "ten", "10s ", "1d", "1s;"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(RequestRefused, match="a duration such as `10s` is expected"):
        seconds_of(text)


def test_a_margin_is_kept_for_the_way_back() -> None:
    assert deadline("5s", default=10, margin=0.5) == pytest.approx(4.5)


def test_a_caller_cannot_ask_for_more_than_the_service_grants() -> None:
    assert deadline("60s", default=10, margin=0.5) == pytest.approx(9.5)


def test_a_short_timeout_still_leaves_time_to_decide() -> None:
    assert deadline("400ms", default=10, margin=0.5) == pytest.approx(0.2)
    assert deadline("1ms", default=10, margin=0.5) == pytest.approx(0.05)
