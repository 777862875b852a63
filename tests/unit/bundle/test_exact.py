"""Decimal text becomes exact integers, and nothing else does."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.bundle import exact
from service.model.base import LARGEST_EXACT

MICROS = st.integers(min_value=0, max_value=LARGEST_EXACT)


@given(MICROS)
def test_a_price_survives_the_way_to_micros_unchanged(amount: int) -> None:
    text = format(Decimal(amount).scaleb(-6), "f")

    assert exact.micros(exact.decimal(text)) == amount


@given(MICROS, st.integers(min_value=0, max_value=8))
def test_trailing_zeros_change_nothing(amount: int, zeros: int) -> None:
    text = format(Decimal(amount).scaleb(-6), "f")
    padded = text + "0" * zeros if "." in text else f"{text}.{'0' * zeros}".rstrip(".")

    assert exact.decimal(padded) == exact.decimal(text)


@given(st.decimals(min_value=0, max_value=10**9, places=9))
def test_a_price_with_more_than_six_decimals_is_refused_and_never_rounded(price: Decimal) -> None:
    expected = price * 10**6
    value = exact.decimal(format(price, "f"))

    if expected == int(expected):
        assert exact.micros(value) == int(expected)
    else:
        with pytest.raises(ValueError, match=r"."):
            exact.micros(value)


@pytest.mark.parametrize(
    "text",
    ["", "-1", "+1", "1e3", "1_000", "1,5", ".5", "5.", "NaN", "inf", " 1", "1 ", "0x1", "\u0661"],
)
def test_what_python_would_read_leniently_is_no_number(text: str) -> None:
    with pytest.raises(ValueError, match=r"^" + (r".*")):
        exact.decimal(text)


def test_a_number_of_any_length_is_not_read() -> None:
    with pytest.raises(ValueError, match="1111"):
        exact.decimal("1" * 5000)


@pytest.mark.parametrize(
    ("value", "whole"),
    [("0", 0), ("0.49", 0), ("0.5", 1), ("1.5", 2), ("2.5", 3), ("53.7", 54)],
)
def test_a_half_is_rounded_up(value: str, whole: int) -> None:
    assert exact.rounded(exact.decimal(value)) == whole


@given(MICROS, st.integers(min_value=1, max_value=128))
def test_a_share_of_a_price_is_never_shown_lower_than_it_is(amount: int, count: int) -> None:
    each = exact.divided_up(amount, Fraction(count))

    assert each * count >= amount
    assert (each - 1) * count < amount


@pytest.mark.parametrize(("value", "text"), [("0.03", "0.03"), ("60", "60.00"), ("7.5", "7.50")])
def test_a_bound_is_shown_with_two_decimals(value: str, text: str) -> None:
    assert exact.shown(exact.decimal(value)) == text
