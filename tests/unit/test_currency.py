"""Money is written in the platform's currency, everywhere and by every program."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest

from allotment.model import currency
from allotment.model.budgets import BudgetTerms
from allotment.model.currency import Currency
from allotment.model.money import money_words, price_words
from allotment.model.refusals import SettingsInvalid
from allotment.settings import parse_settings
from allotment_widgets.columns import Column
from allotment_widgets.grid import Grid


@pytest.fixture(autouse=True)
def unsaid() -> Iterator[None]:
    """Let the other tests write money as before."""
    yield
    currency.write_money_in(Currency())


@pytest.mark.promise("MONEY-1")
@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("", "1,204.50"),
        ("currency: EUR", "€ 1,204.50"),
        ("currency: CHF", "CHF 1,204.50"),
        ("currency: {code: EUR, sign: Eur}", "Eur 1,204.50"),
        ("currency: {code: XXX, sign: credits}", "credits 1,204.50"),
    ],
)
def test_sums_and_prices_are_written_as_the_settings_say(said: str, words: str) -> None:
    currency.write_money_in(parse_settings(said).money)

    assert money_words(Decimal("1204.5")) == words
    assert price_words(Decimal("1204.5")) == words


@pytest.mark.promise("MONEY-1")
@pytest.mark.parametrize(
    "said", ["currency: euro", "currency: {code: eur}", "currency: {code: EUR, sign: '1€'}"]
)
def test_what_is_no_currency_is_refused_with_what_is(said: str) -> None:
    with pytest.raises(SettingsInvalid, match="currency"):
        parse_settings(said)


@pytest.mark.promise("MONEY-3")
def test_budgets_speak_of_the_currency() -> None:
    currency.write_money_in(Currency.of("USD"))

    assert "$ 450.00" in BudgetTerms(amount=Decimal(450)).words


@pytest.mark.promise("MONEY-1")
def test_a_program_asks_for_the_currency_when_it_first_writes_money_and_only_then() -> None:
    asked: list[str] = []

    def ask() -> Currency:
        asked.append("asked")
        return Currency.of("GBP")

    currency.learn_from(ask)
    before = list(asked)
    words = [money_words(Decimal(1)), money_words(Decimal(2))]

    assert (before, words, asked) == ([], ["£ 1.00", "£ 2.00"], ["asked"])


@pytest.mark.promise("MONEY-2", "ADMIN-1")
def test_the_consoles_tables_have_the_sign_in_columns_of_money() -> None:
    currency.write_money_in(Currency.of("EUR"))

    grid = Grid([Column("name", "Name"), Column("cost", "Cost", kind="money")])

    assert [each["unit"] for each in grid.columns] == ["", "€"]
