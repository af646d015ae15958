"""What pages say of waiting."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from allotment.rules.eta import Estimate
from allotment_spawner.pages_waiting import estimate_words, nth

AT = datetime(2026, 11, 22, 22, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("position", "words"),
    [
        (1, "first"),
        (3, "third"),
        (4, "4th"),
        (11, "11th"),
        (12, "12th"),
        (21, "21st"),
        (102, "102nd"),
        (113, "113th"),
    ],
)
def test_a_place_is_said_as_people_say_it(position: int, words: str) -> None:
    assert nth(position) == words


@pytest.mark.promise("QUEUE-1")
def test_an_estimate_is_said_with_its_confidence() -> None:
    words = estimate_words(Estimate(1, AT, AT.replace(hour=23)))
    assert words == "It starts by 22 Nov 22:05 UTC with 50 %, by 22 Nov 23:05 UTC with 90 %."
    assert estimate_words(Estimate(1, AT, None)) == "It starts by 22 Nov 22:05 UTC with 50 %."


def test_nothing_is_said_where_nobody_can_say() -> None:
    assert estimate_words(Estimate(1, None, None)) == ""
    assert estimate_words(None) == ""
