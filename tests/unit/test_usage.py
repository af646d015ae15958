"""Use is exact: whatever it is split by, no second is lost or counted twice."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from allotment.model.money import (
    HOUR,
    MILLION,
    Use,
    charge_of,
    cost_of,
    money,
    money_words,
    price_in_millionths,
)
from allotment.record.columns import to_stored
from allotment.rules.usage import (
    Charged,
    by_day,
    by_month,
    first_instant,
    local_date,
    tally,
    uncut,
)

# Clocks that change by an hour, by half an hour, at midnight, over a whole day, and not at all.
ZONES = [
    ZoneInfo(name)
    for name in (
        "UTC",
        "Europe/Berlin",
        "America/New_York",
        "Australia/Lord_Howe",
        "America/Sao_Paulo",
        "America/Havana",
        "Pacific/Apia",
        "Asia/Kathmandu",
    )
]
QUARTER = 900 * MILLION
"""In these years every clock change of these zones falls on a quarter of an hour of UTC."""


def at(text: str) -> int:
    return to_stored(datetime.fromisoformat(text).replace(tzinfo=UTC))


zones = st.sampled_from(ZONES)
# Around clock changes: Samoa's lost day, Brazil's midnights, both changes of the year 2026.
days = st.sampled_from(
    [
        at(text)
        for text in (
            "2011-12-29",
            "2017-10-14",
            "2018-02-16",
            "2026-03-07",
            "2026-03-28",
            "2026-04-04",
            "2026-10-24",
            "2026-10-31",
            "2026-12-30",
        )
    ]
)
instants = st.builds(
    lambda day, offset: day + offset, days, st.integers(0, 4 * 86_400 * MILLION - 1)
)


def slowly_by_date(begin: int, end: int, zone: ZoneInfo) -> Counter[str]:
    """The obvious way: look at the clock on the wall in every quarter of an hour."""
    found: Counter[str] = Counter()
    while begin < end:
        until = min(end, (begin // QUARTER + 1) * QUARTER)
        here = datetime.fromtimestamp(begin // MILLION, UTC).astimezone(zone)
        found[here.date().isoformat()] += until - begin
        begin = until
    return found


@pytest.mark.promise("MONEY-2")
@given(zones, instants, st.integers(1, 12 * 24 * HOUR))
def test_days_are_those_that_the_clock_on_the_wall_shows(
    zone: ZoneInfo, begin: int, length: int
) -> None:
    end = begin + length
    found = Counter(dict(by_day(begin, end, zone).parts(begin, end)))

    assert found == slowly_by_date(begin, end, zone)


@pytest.mark.promise("MONEY-2")
@given(zones, instants, instants)
def test_months_are_the_sums_of_their_days(zone: ZoneInfo, one: int, other: int) -> None:
    begin, end = sorted((one, other))
    if begin == end:
        return
    months: Counter[str] = Counter()
    for day, span in by_day(begin, end, zone).parts(begin, end):
        months[day[:7]] += span

    assert months == Counter(dict(by_month(begin, end, zone).parts(begin, end)))


spans = st.builds(
    lambda one, other, devices, price, who: Charged(
        min(one, other), max(one, other), devices, price, who
    ),
    instants,
    instants,
    st.integers(0, 8),
    st.sampled_from([0, 1, 185_000, 2_400_000]),
    st.sampled_from([("ann",), ("bob",)]),
)


@pytest.mark.promise("MONEY-2")
@given(zones, st.lists(spans, max_size=8), instants, instants)
@example(ZONES[1], [], at("2026-03-29"), at("2026-03-30"))
def test_parts_add_up_to_the_whole(
    zone: ZoneInfo, charged: list[Charged], one: int, other: int
) -> None:
    begin, end = min(one, other), max(one, other) + 1
    whole = tally(charged, begin, end, uncut(begin))
    daily = tally(charged, begin, end, by_day(begin, end, zone))

    for who in ("ann", "bob"):
        parts = sum((use for key, use in daily.items() if key[0] == who), Use())
        total = whole.get((who, ""), Use())
        assert (parts.time, parts.device_time, parts.charge) == (
            total.time,
            total.device_time,
            total.charge,
        )


@pytest.mark.promise("MONEY-2")
@given(st.lists(spans, max_size=6), instants, instants, instants)
def test_a_period_that_is_cut_in_two_loses_nothing(
    charged: list[Charged], one: int, two: int, three: int
) -> None:
    begin, middle, end = sorted((one, two, three))
    parts = Use()
    for start, stop in ((begin, middle), (middle, end)):
        parts = sum(tally(charged, start, stop, uncut(start)).values(), parts)
    whole = sum(tally(charged, begin, end, uncut(begin)).values(), Use())

    assert (parts.time, parts.device_time, parts.charge) == (
        whole.time,
        whole.device_time,
        whole.charge,
    )


@pytest.mark.promise("MONEY-2")
@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Berlin", date(2026, 3, 29), 23),
        ("Europe/Berlin", date(2026, 10, 25), 25),
        ("Australia/Lord_Howe", date(2026, 4, 5), 24.5),
        ("America/Sao_Paulo", date(2017, 10, 15), 23),
        ("Pacific/Apia", date(2011, 12, 30), 0),
        ("UTC", date(2026, 3, 29), 24),
    ],
)
def test_a_day_is_as_long_as_it_was(zone: str, day: date, hours: float) -> None:
    here = ZoneInfo(zone)
    length = first_instant(day + timedelta(days=1), here) - first_instant(day, here)

    assert length == hours * HOUR


def test_the_repeated_half_hour_before_an_old_midnight_is_counted_to_the_new_day() -> None:
    toronto = ZoneInfo("America/Toronto")  # in 1919 its clocks skipped from 23:30 to 00:30
    instant = first_instant(date(1919, 3, 31), toronto)

    assert local_date(instant, toronto) == date(1919, 3, 31)
    assert local_date(instant - 1, toronto) == date(1919, 3, 30)


@pytest.mark.promise("MONEY-1")
def test_prices_and_costs_are_decimal_and_exact() -> None:
    assert price_in_millionths("0.185") == 185_000
    assert price_in_millionths(None) == 0
    assert cost_of(Decimal("2.40"), timedelta(minutes=90)) == Decimal("3.600000")
    assert cost_of(Decimal("2.40"), timedelta(seconds=1)) == Decimal("0.000667")
    assert cost_of(Decimal("2.40"), timedelta(seconds=-1)) == 0
    assert cost_of(None, timedelta(hours=1)) is None
    assert money(charge_of(Decimal("1204.5"))) == Decimal("1204.5")
    assert money_words(Decimal("1204.5")) == "1,204.50"


def test_a_session_is_counted_once_in_each_part_that_it_touches() -> None:
    night = Charged(at("2026-03-01T23:00:00"), at("2026-03-02T01:00:00"), 2, 1_000_000, ("ann",))
    begin, end = at("2026-03-01"), at("2026-03-03")
    found = tally([night], begin, end, by_day(begin, end, ZONES[0]))

    assert {key[1]: use.sessions for key, use in found.items()} == {
        "2026-03-01": 1,
        "2026-03-02": 1,
    }
    assert found["ann", "2026-03-01"].device_hours == 2
    assert found["ann", "2026-03-01"].cost == 1
