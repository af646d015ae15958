"""Reservations are read and written in the platform's time zone."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from allotment.model.documents import Reservation
from allotment.model.refusals import Refusal
from allotment_widgets.panels.reservation_forms import read_time, reservation_row

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.promise("QUEUE-8")
def test_a_reservation_is_shown_in_the_platforms_time_also_across_daylight_saving() -> None:
    one = Reservation(
        id="1",
        pool="a100",
        devices=2,
        group="vision",
        begins_at=datetime(2026, 3, 28, 8, tzinfo=UTC),
        ends_at=datetime(2026, 3, 30, 8, tzinfo=UTC),
        revision=1,
    )

    row = reservation_row(one, BERLIN)

    assert (row["begins"], row["ends"]) == ("2026-03-28 09:00", "2026-03-30 10:00")
    assert row["zone"] == "In the platform's time zone, Europe/Berlin"


@pytest.mark.promise("QUEUE-8")
def test_a_time_that_is_typed_is_the_platforms() -> None:
    assert read_time("From", "2026-07-01 09:00", BERLIN) == datetime(2026, 7, 1, 7, tzinfo=UTC)
    with pytest.raises(Refusal, match="Write a time in Europe/Berlin"):
        read_time("From", "tomorrow", BERLIN)
