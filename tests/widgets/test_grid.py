"""The grid on the wire: what travels, and what a page's words do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from allotment_widgets import Action, Column, Grid, Plot, State

COLUMNS = [
    Column("user", "User"),
    Column("use", "Use", kind="percent"),
    Column("since", "Since", kind="since"),
    Column("state", "State", kind="state", states={"running": State("Running", "ok")}),
]
ROWS = [
    {"id": "a", "user": "ann", "use": 12, "since": 100.0, "state": "running"},
    {"id": "b", "user": "bob", "use": None, "since": 200.0, "state": "idle"},
    {"id": "c", "user": "bob", "use": 93, "since": 300.0, "state": "running"},
]


@pytest.fixture
def grid(wire: Any) -> Grid:
    """Three servers, in a page that has just opened."""
    grid = Grid(
        COLUMNS,
        title="Servers",
        actions=[Action("stop", "Stop…"), Action("new", "New", needs="none")],
    )
    wire.say(grid, kind="ready")
    grid.replace(ROWS)
    return grid


def test_nothing_is_sent_before_a_page_asks(wire: Any) -> None:
    grid = Grid(COLUMNS)
    grid.replace(ROWS)
    grid.update([{"id": "a", "use": 13}])
    assert wire.sent(grid) == []


def test_a_page_that_asks_before_there_are_rows_gets_them_with_the_first_replace(
    wire: Any, grid: Grid
) -> None:
    assert [message.kind for message in wire.sent(grid)] == ["snapshot"]
    assert list(wire.last(grid).rows()) == ["a", "b", "c"]


def test_a_reloaded_page_gets_everything_again_with_what_is_selected(wire: Any, grid: Grid) -> None:
    grid.update([{"id": "a", "use": 50}], removed_ids=["b"])
    wire.say(grid, kind="selection", ids=["c"])
    wire.say(grid, kind="ready")
    sent = wire.last(grid)
    assert sent.kind == "snapshot"
    assert sent.content["selected"] == ["c"]
    assert {name: row["use"] for name, row in sent.rows().items()} == {"a": 50, "c": 93}


def test_a_delta_carries_only_the_cells_that_differ(wire: Any, grid: Grid) -> None:
    grid.update([{"id": "a", "user": "ann", "use": 13}, {"id": "b", "state": "running"}, ROWS[2]])
    sent = wire.last(grid)
    assert sent.kind == "delta"
    assert sent.rows() == {"a": {"use": 13}, "b": {"state": "running"}}


def test_deltas_name_the_revision_they_build_on(wire: Any, grid: Grid) -> None:
    grid.update([{"id": "a", "use": 1}])
    grid.update([{"id": "a", "use": 2}])
    snapshot, first, second = wire.sent(grid)
    assert first.content["base"] == snapshot.content["revision"]
    assert second.content["base"] == first.content["revision"]


def test_a_change_that_changes_nothing_is_not_sent(wire: Any, grid: Grid) -> None:
    grid.update(ROWS)
    grid.replace(ROWS)
    assert len(wire.sent(grid)) == 1


def test_a_full_list_that_differs_little_travels_as_a_delta(wire: Any, grid: Grid) -> None:
    grid.replace([ROWS[0], ROWS[1] | {"use": 7}, ROWS[2]])
    assert wire.last(grid).kind == "delta"
    assert wire.last(grid).rows() == {"b": {"use": 7}}


def test_a_full_list_in_another_order_travels_as_a_snapshot(wire: Any, grid: Grid) -> None:
    grid.replace(list(reversed(ROWS)))
    assert wire.last(grid).kind == "snapshot"
    assert list(wire.last(grid).rows()) == ["c", "b", "a"]


def test_rows_that_a_full_list_lacks_are_gone(wire: Any, grid: Grid) -> None:
    grid.replace(ROWS[:2])
    assert wire.last(grid).content["removed"] == ["c"]


def test_a_row_that_comes_by_delta_is_added(wire: Any, grid: Grid) -> None:
    grid.update([{"id": "d", "user": "dee", "use": 4, "since": 1.0, "state": "running"}])
    assert wire.last(grid).rows()["d"]["user"] == "dee"


@pytest.mark.parametrize(
    ("kind", "value", "travels"),
    [
        ("text", "<b>&", "<b>&"),
        ("text", ["a", "b"], "a, b"),
        ("text", None, None),
        ("number", 2.5, 2.5),
        ("number", None, None),
        ("number", 100_000, 100_000),
        ("number", -3_000_000_000, -3_000_000_000),
        ("money", Decimal("21.68"), 21.68),
        ("duration", timedelta(minutes=2), 120),
        ("since", datetime(2026, 11, 22, 12, tzinfo=UTC), 1795348800),
        ("yesno", True, 1),
        ("meter", (3, None), [3, None]),
        (
            "devices",
            [Plot(id="g", title="dgx-1 gpu-3", state="held", colour=2, borrowed=True)],
            [["dgx-1 gpu-3", "held", 2, 1]],
        ),
    ],
)
def test_a_value_of_each_kind_arrives_as_it_was(
    wire: Any, kind: Any, value: object, travels: object
) -> None:
    grid = Grid([Column("it", "It", kind=kind)])
    wire.say(grid, kind="ready")
    grid.replace([{"id": "x", "it": value}])
    assert wire.last(grid).rows()["x"]["it"] == travels


@pytest.mark.parametrize("count", [3, 400, 70_000])
def test_texts_that_repeat_travel_once(wire: Any, count: int) -> None:
    grid = Grid([Column("group", "Group")])
    wire.say(grid, kind="ready")
    rows = [
        {"id": str(n), "group": None if n == 0 else f"group-{n % (count // 3 + 1)}"}
        for n in range(count)
    ]
    grid.replace(rows)
    assert [row["group"] for row in wire.last(grid).rows().values()] == [
        row["group"] for row in rows
    ]


def test_a_time_without_a_zone_is_refused_with_its_column_named(grid: Grid) -> None:
    with pytest.raises(ValueError, match=r"'since' cannot be .*: a time needs a time zone"):
        grid.update([{"id": "a", "since": datetime(2026, 1, 1)}])  # noqa: DTZ001 - the point


def test_a_row_without_an_id_is_refused(grid: Grid) -> None:
    with pytest.raises(ValueError, match="A row without 'id'"):
        grid.replace([{"user": "ann"}])


def test_what_is_refused_changes_nothing(wire: Any, grid: Grid) -> None:
    with pytest.raises(ValueError, match="'use' cannot be"):
        grid.update([{"id": "a", "use": 1}, {"id": "b", "use": "much"}])
    wire.say(grid, kind="ready")
    assert wire.last(grid).rows()["a"]["use"] == 12


def test_a_selection_in_the_page_is_told_once(wire: Any, grid: Grid, heard: Any) -> None:
    grid.on_select(heard)
    wire.say(grid, kind="selection", ids=["c", "a"])
    wire.say(grid, kind="selection", ids=["c", "a"])
    assert heard.calls == [(("c", "a"),)]
    assert grid.selected == ("c", "a")


def test_a_row_that_goes_is_no_longer_selected(wire: Any, grid: Grid, heard: Any) -> None:
    wire.say(grid, kind="selection", ids=["a", "b"])
    grid.on_select(heard)
    grid.update([], removed_ids=["a"])
    assert heard.calls == [(("b",),)]


def test_a_page_cannot_select_or_open_what_is_not_there(wire: Any, grid: Grid, heard: Any) -> None:
    grid.on_activate(heard)
    wire.say(grid, kind="selection", ids=["a", "nobody"])
    wire.say(grid, kind="activate", id="nobody")
    assert grid.selected == ("a",)
    assert heard.calls == []


def test_opening_a_row_is_told(wire: Any, grid: Grid, heard: Any) -> None:
    grid.on_activate(heard)
    wire.say(grid, kind="activate", id="b")
    assert heard.calls == [("b",)]


def test_selecting_from_python_reaches_the_page(wire: Any, grid: Grid) -> None:
    grid.select(["b", "nobody"])
    assert wire.last(grid).content == {"kind": "select", "ids": ["b"]}


def test_an_action_is_told_with_the_selected_rows(wire: Any, grid: Grid, heard: Any) -> None:
    grid.on_action(heard)
    wire.say(grid, kind="selection", ids=["b"])
    wire.say(grid, kind="action", action="stop", ids=["a"])
    assert heard.calls == [("stop", ("b",))]


@pytest.mark.parametrize("action", ["stop", "unknown"])
def test_an_action_without_what_it_needs_is_not_taken(
    wire: Any, grid: Grid, heard: Any, action: str
) -> None:
    grid.on_action(heard)
    wire.say(grid, kind="action", action=action, ids=["a"])
    assert heard.calls == []


def test_an_action_that_needs_nothing_is_taken_without_a_selection(
    wire: Any, grid: Grid, heard: Any
) -> None:
    grid.on_action(heard)
    wire.say(grid, kind="action", action="new", ids=[])
    assert heard.calls == [("new", ())]


def test_the_shared_script_does_not_travel_with_each_widget(wire: Any) -> None:
    grids = [Grid(COLUMNS) for _ in range(3)]
    assert all(len(wire.opened_with(grid)["_esm"]) < 2_000 for grid in grids)


def test_the_shared_script_is_sent_to_who_asks(wire: Any, grid: Grid) -> None:
    wire.say(grid, kind="script")
    sent = wire.last(grid)
    assert sent.content == {"kind": "script", "digest": grid.digest}
    assert sent.buffers[0].startswith(b"\x1f\x8b")


@pytest.mark.promise("ADMIN-2")
def test_a_delta_of_a_hundred_rows_is_small(wire: Any) -> None:
    keys = [f"column-{number}" for number in range(12)]
    grid = Grid([Column(key, key) for key in keys])
    wire.say(grid, kind="ready")
    rows = [
        {"id": f"person-{n}/server-{n}"} | dict.fromkeys(keys, f"value {n}") for n in range(1_000)
    ]
    grid.replace(rows)
    grid.update(row | {"column-3": "Stopping", "column-7": n} for n, row in enumerate(rows[:100]))
    assert wire.last(grid).size < 20_000


def test_a_column_of_no_known_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="no kind 'colour'"):
        Column("a", "A", kind="colour")  # type: ignore[arg-type]  # the point


@pytest.mark.usefixtures("wire")
def test_marking_rows_by_a_column_that_has_no_states_is_refused() -> None:
    with pytest.raises(ValueError, match="row_tone names a column of kind state"):
        Grid(COLUMNS, row_tone="user")
