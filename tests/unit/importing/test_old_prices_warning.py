"""Commands warn of old list prices only where something rests on them."""

from __future__ import annotations

from datetime import date

import pytest

from service.bundle.freshness import OldPrices
from service.bundle.values import Bundle
from service.commands import freshness as command
from service.model.base import Basis
from service.model.decision import DecidedCost, Decision


@pytest.fixture
def bundle(monkeypatch: pytest.MonkeyPatch) -> Bundle:
    """A bundle of which two vendors' prices are old."""

    def old(_: Bundle, today: date) -> list[OldPrices]:
        assert today >= date(2026, 1, 1)
        return [
            OldPrices("acme", "2025-01-01", 500, 180),
            OldPrices("bolt", "2025-02-01", 469, 180),
        ]

    monkeypatch.setattr(command, "old_prices", old)
    return Bundle.__new__(Bundle)


def _decision(vendor: str | None, basis: Basis | None) -> Decision:
    resource = type("Resource", (), {})()
    resource.vendor = vendor
    resource.cost = None if basis is None else DecidedCost(basis=basis)
    return Decision.model_construct(resources=(resource,))


def test_without_decisions_every_vendor_is_named(
    bundle: Bundle, capsys: pytest.CaptureFixture[str]
) -> None:
    command.warn_of_old_prices(bundle)

    first, second = capsys.readouterr().err.splitlines()
    assert first == (
        "portreeve: warning: the newest list price of `acme` is of 2025-01-01, more than 180 days"
        " ago; `portreeve catalog import` takes newer ones"
    )
    assert "`bolt`" in second


@pytest.mark.parametrize(
    ("vendor", "basis", "warnings"),
    [
        ("acme", Basis.LIST, 1),
        ("acme", Basis.LIST_OTHER_REGION, 1),
        ("acme", Basis.CONTRACT, 0),
        ("acme", None, 0),
        ("cube", Basis.LIST, 0),
        (None, Basis.INTERNAL_RATE, 0),
    ],
)
def test_with_decisions_only_where_they_rest_on_a_list_price(
    bundle: Bundle,
    capsys: pytest.CaptureFixture[str],
    vendor: str | None,
    basis: Basis | None,
    warnings: int,
) -> None:
    command.warn_of_old_prices(bundle, [_decision(vendor, basis)])

    assert len(capsys.readouterr().err.splitlines()) == warnings
