"""How long a home is kept that nobody uses."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from allotment.model.homes import Home, HomeTerms
from allotment.rules.keeping import Keeping, Turn, keeping

DAY = timedelta(days=1)
LEFT = datetime(2026, 3, 1, tzinfo=UTC)
TERMS = HomeTerms(keep=90 * DAY, warn=14 * DAY)
STAY, WARN, END = Turn.STAY, Turn.WARN, Turn.END


def home(**said: datetime | None) -> Home:
    return Home("hub", "ann", "ann", **({"unused_since": LEFT} | said))  # type: ignore[arg-type] - times only


@pytest.mark.promise("SERVER-10")
@pytest.mark.parametrize(
    ("said", "days", "turn", "ends"),
    [
        ({"unused_since": None}, 500, STAY, None),
        ({}, 1, STAY, 90),
        ({}, 76, WARN, 90),
        # Nobody was there to warn in time: the end waits for the warning.
        ({}, 400, WARN, 414),
        ({"warned_at": 76, "ends_at": 90}, 89, STAY, 90),
        ({"warned_at": 76, "ends_at": 90}, 90, END, 90),
        ({"warned_at": 400, "ends_at": 414}, 413, STAY, 414),
        # An operator keeps it: what was announced counts no more.
        ({"warned_at": 76, "ends_at": 90, "keep_until": 200}, 100, STAY, 200),
        ({"keep_until": 200}, 186, WARN, 200),
        ({"keep_until": 20}, 30, STAY, 90),
    ],
)
def test_a_home_is_warned_of_in_time_and_ends_when_it_was_said(
    said: dict[str, int | None], days: int, turn: Turn, ends: int | None
) -> None:
    at = {key: None if value is None else LEFT + value * DAY for key, value in said.items()}
    found = keeping(home(**at), TERMS, LEFT + days * DAY)
    assert found == Keeping(turn, None if ends is None else LEFT + ends * DAY)


@pytest.mark.promise("SERVER-10")
def test_settings_that_keep_homes_for_less_shorten_no_warning() -> None:
    told = home(warned_at=LEFT + 76 * DAY, ends_at=LEFT + 90 * DAY)
    shorter = HomeTerms(keep=DAY, warn=DAY)
    assert keeping(told, shorter, LEFT + 80 * DAY).turn is STAY
    assert keeping(told, shorter, LEFT + 90 * DAY).turn is END


@pytest.mark.promise("SERVER-10")
def test_without_a_time_homes_are_kept_for_ever() -> None:
    assert keeping(home(), HomeTerms(), LEFT + 9999 * DAY) == Keeping(STAY)
