"""The chart on the wire: points, gaps, and what is kept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from allotment_widgets import Chart, Series

START = datetime(2026, 11, 22, 12, tzinfo=UTC)


def minutes(*numbers: int) -> list[datetime]:
    return [START + timedelta(minutes=number) for number in numbers]


@pytest.fixture
def chart(wire: Any) -> Chart:
    """Two points in a page that has just opened; ten minutes are kept."""
    series = [Series("held", "Held", kind="area"), Series("capacity", "Capacity", kind="limit")]
    chart = Chart(series, title="Held", unit="devices", keep=timedelta(minutes=10))
    wire.say(chart, kind="ready")
    chart.replace(minutes(0, 1), {"held": [3, None], "capacity": [8, 8]})
    return chart


def test_a_gap_stays_a_gap(wire: Any, chart: Chart) -> None:
    assert wire.last(chart).column("held") == [3, None]


def test_points_that_are_appended_travel_alone(wire: Any, chart: Chart) -> None:
    before = wire.last(chart)
    chart.append(minutes(2), {"held": [4]})
    sent = wire.last(chart)
    assert sent.kind == "append"
    assert sent.content["base"] == before.content["revision"]
    assert sent.column("time") == [(START + timedelta(minutes=2)).timestamp()]
    assert sent.column("capacity") == [None]


def test_points_older_than_what_is_kept_are_dropped(wire: Any, chart: Chart) -> None:
    chart.append(minutes(5, 11), {"held": [5, 6]})
    wire.say(chart, kind="ready")
    assert wire.last(chart).column("time") == [time.timestamp() for time in minutes(1, 5, 11)]
    assert wire.last(chart).column("held") == [None, 5, 6]


def test_other_series_begin_without_points(wire: Any, chart: Chart) -> None:
    chart.show_series([Series("vision", "vision", kind="stacked", colour=3)])
    assert wire.last(chart).content["count"] == 0
    chart.replace(minutes(0), {"vision": [2]})
    assert wire.last(chart).column("vision") == [2]


@pytest.mark.parametrize(
    ("times", "values", "problem"),
    [
        (minutes(1, 1), {"held": [1, 2]}, "Times must rise"),
        (minutes(2, 3), {"held": [1]}, "'held' has 1 values for 2 times"),
        (minutes(2), {"other": [1]}, r"No series \['other'\]"),
    ],
)
def test_points_that_do_not_fit_are_refused(
    chart: Chart, times: Any, values: Any, problem: str
) -> None:
    with pytest.raises(ValueError, match=problem):
        chart.replace(times, values)


def test_a_point_that_is_not_after_the_last_is_refused(wire: Any, chart: Chart) -> None:
    with pytest.raises(ValueError, match="Times must rise"):
        chart.append(minutes(1), {"held": [1]})
    wire.say(chart, kind="ready")
    assert wire.last(chart).content["count"] == 2


@pytest.mark.parametrize(("colour", "named"), [("", "quiet"), (4, "4"), ("idle", "idle")])
def test_a_series_names_its_colour(colour: Any, named: str) -> None:
    assert Series("a", "A", kind="limit", colour=colour).spec()["colour"] == named


def test_a_colour_outside_the_look_is_refused() -> None:
    with pytest.raises(ValueError, match="no colour '#f00'"):
        Series("a", "A", colour="#f00")
