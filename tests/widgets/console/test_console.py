"""The console as a whole: what is offered to whom, what arrives by itself, what happens when nobody answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

import example_platform
from allotment.model.profiles import Profile
from allotment.record import allotments, claims, events, profiles
from allotment_widgets.console import Console, console_notebook_path
from allotment_widgets.picture import Topic
from control_planes import Platform

OpenConsole = Callable[..., Any]
WAIT_SECONDS = 30.0


def test_the_rail_has_an_entry_for_each_panel_that_exists_and_no_other(
    open_console: OpenConsole,
) -> None:
    page = open_console()

    titles = [entry["title"] for entry in page.console._rail.entries]

    assert titles == [
        "Overview",
        "Pools and devices",
        "Nodes",
        "Servers",
        "Queue",
        "What would let in",
        "Profiles",
        "Instance types",
        "Software",
        "Sources",
        "Datasets",
        "Version targets",
        "Models",
        "Groups",
        "Users",
        "Homes",
        "Service accounts",
        "Sign-in",
        "Costs and usage",
        "Capacity plan",
        "Replay",
        "Health",
    ]


def test_the_console_says_whom_its_people_must_trust(open_console: OpenConsole) -> None:
    page = open_console()

    page.until(lambda: page.console._rail.foot)

    assert any("its people trust each other" in line for line in page.console._rail.foot)


@pytest.mark.promise("USER-7", "USER-8")
@pytest.mark.parametrize("panel", ["overview", "pools", "servers", "profiles", "groups"])
def test_a_reader_sees_every_panel_and_gets_no_button_that_changes_anything(
    open_console: OpenConsole, panel: str
) -> None:
    page = open_console("auditor", panel)

    assert page.buttons() == []


@pytest.mark.promise("USER-7")
def test_a_reader_may_look_at_a_user_and_change_nothing(open_console: OpenConsole) -> None:
    page = open_console("auditor", "users")
    page.select("Users", "erin")

    page.act("Users", "configure")
    page.sees("set for this person")

    assert page.buttons() == ["Close", "Look at…"]


@pytest.mark.promise("USER-7")
def test_whoever_may_not_see_the_platform_is_told_so(
    wire: Any, arrived: Any, platform: Platform, open_console: OpenConsole
) -> None:
    console = Console(platform.client("carla"))
    try:
        page = type(open_console())(wire, arrived, console)

        page.sees("carla may not see the platform.")

        assert console._rail.entries == []
    finally:
        console.close()


@pytest.mark.promise("ADMIN-2")
def test_a_change_made_elsewhere_arrives_and_selection_sort_and_filter_stay(
    open_console: OpenConsole, platform: Platform
) -> None:
    page = open_console(panel="servers")
    page.select("Servers", "hub~bob~training-7", "hub~mei~pretrain")
    grid = page.grid("Servers")
    grid.filter_text, grid.sort = "gpu", [["user", "ascending"]]

    platform.hub.stop("bob", "training-7")
    page.lacks_row("Servers", "hub~bob~training-7")

    assert grid.selected == ("hub~mei~pretrain",)
    assert (grid.filter_text, grid.sort) == ("gpu", [["user", "ascending"]])


@pytest.mark.promise("ADMIN-2")
def test_a_change_of_one_server_travels_as_a_change_of_one_row(
    open_console: OpenConsole, platform: Platform, wire: Any
) -> None:
    page = open_console(panel="servers")
    page.has_row("Servers", "hub~bob~training-7")
    before = len(wire.sent(page.grid("Servers")))

    platform.hub.stop("bob", "training-7")
    page.lacks_row("Servers", "hub~bob~training-7")

    sent = wire.sent(page.grid("Servers"))[before:]
    assert {message.kind for message in sent} == {"delta"}
    assert sum(len(message.rows()) for message in sent) <= 1


@pytest.mark.promise("ADMIN-2")
def test_what_running_servers_cost_by_now_sends_none_of_them_again(
    open_console: OpenConsole, platform: Platform, wire: Any
) -> None:
    page = open_console(panel="servers")
    page.has_row("Servers", "hub~bob~segmentation")
    before = len(wire.sent(page.grid("Servers")))

    page.console._desk.again(Topic.SERVERS)
    page.console._desk.again(Topic.DEVICES)
    platform.hub.stop("bob", "training-7")
    page.lacks_row("Servers", "hub~bob~training-7")

    sent = wire.sent(page.grid("Servers"))[before:]
    assert sum(len(message.rows()) for message in sent) <= 1


@pytest.mark.promise("ADMIN-2")
def test_a_report_of_a_server_shows_without_reading_anything_again(
    open_console: OpenConsole, platform: Platform
) -> None:
    page = open_console(panel="servers")
    page.has_row("Servers", "hub~bob~segmentation", use=93)

    example_platform.report_one(platform.record, platform.plane.use, "bob", "segmentation", 41)

    page.has_row("Servers", "hub~bob~segmentation", use=41)


def test_while_the_control_plane_is_away_the_console_says_so_and_recovers_by_itself(
    open_console: OpenConsole, platform: Platform
) -> None:
    page = open_console(panel="servers")
    page.has_row("Servers", "hub~bob~training-7")

    platform.stop()
    page.until(lambda: page.console._head.state == "away")
    page.sees("What is shown is from before; it is asked again by itself.")
    assert "hub~bob~training-7" in page.rows("Servers")
    platform.hub.stop("bob", "training-7")
    platform.start()

    page.lacks_row("Servers", "hub~bob~training-7")
    page.until(lambda: page.console._head.state == "live" and not page.console._head.trouble)


def test_an_action_while_the_control_plane_is_away_says_that_nothing_was_done(
    open_console: OpenConsole, platform: Platform
) -> None:
    page = open_console(panel="servers")
    page.select("Servers", "hub~bob~training-7")
    page.act("Servers", "stop")

    platform.stop()
    page.press("Stop 1 server")

    page.sees("Nothing is known to have changed; try again in a moment.")


def test_the_token_never_reaches_the_page(
    open_console: OpenConsole, platform: Platform, wire: Any
) -> None:
    page = open_console()
    page.has_row("Servers", "hub~bob~training-7")

    sent = json.dumps([each.published for each in wire.comms], default=repr)

    assert platform.hub.token("operator") not in sent


def test_what_comes_from_the_record_is_never_read_as_markup(
    open_console: OpenConsole, platform: Platform
) -> None:
    hostile = Profile(name="hostile", title="<script>alert(1)</script>", devices=0)
    with platform.record.writing("operator", datetime.now(UTC)) as writing:
        profiles.publish(writing, hostile, "profiles/hostile.yaml", "hostile")
    page = open_console(panel="profiles")

    page.select("Profiles", "hostile")
    page.sees("&lt;script&gt;alert(1)&lt;/script&gt;")

    assert "<script>" not in page.text()


def test_rights_that_change_change_what_is_offered(
    open_console: OpenConsole, platform: Platform
) -> None:
    page = open_console("auditor", "servers")
    assert page.buttons() == []

    operator = platform.client("operator")
    auditor = operator.users.get("auditor")
    operator.users.set_role("auditor", "operator", revision=auditor.revision)

    page.until(lambda: "Stop…" in page.buttons())


def test_a_link_of_an_alert_opens_its_panel_at_what_it_is_about(
    open_console: OpenConsole, wire: Any
) -> None:
    page = open_console()
    page.sees('data-go="pools" data-about="gpu-03"')

    wire.say(page.console._rail, kind="go", panel="pools", about="gpu-03")

    page.until(lambda: page.console._rail.current == "pools")
    page.until(lambda: page.grid("Devices").selected == ("gpu-03",))
    page.until(lambda: page.plots("Devices by pool").selected == ("gpu-03",))


def test_an_event_of_a_kind_that_this_version_does_not_know_has_everything_read_again(
    open_console: OpenConsole, platform: Platform
) -> None:
    page = open_console(panel="servers")
    page.has_row("Servers", "hub~bob~training-7")
    with platform.record.reading() as reading:
        before = events.latest_sequence(reading)

    with platform.record.writing("hub", datetime.now(UTC), configuration=False) as writing:
        writing.event("novelty.happened", "something")

    page.until(lambda: page.console._picture.overview.sequence > before)


def test_the_notebook_of_the_wheel_opens_the_console_with_one_cell() -> None:
    notebook = json.loads(console_notebook_path().read_text(encoding="utf-8"))

    sources = ["".join(cell["source"]) for cell in notebook["cells"]]

    assert sources == ["from allotment_widgets import operator_console\n\noperator_console()"]


def test_a_server_that_ends_is_no_longer_held_in_the_overview(
    open_console: OpenConsole, platform: Platform
) -> None:
    page = open_console()
    page.sees('<b class="">31 <small>65%</small></b>')
    with platform.record.reading() as reading:
        bob = next(
            one for one in allotments.active(reading, person="bob") if one.server == "training-7"
        )
    now = datetime.now(UTC)
    claims.mark_stopping(platform.record, bob.id, "", "bob", now)
    claims.release(platform.record, bob.id, "test", now)

    page.sees('<b class="">30 <small>62%</small></b>')


def test_a_console_whose_page_was_left_no_longer_follows_the_platform(
    open_console: OpenConsole, wire: Any
) -> None:
    page = open_console()
    thread = page.console._backend._thread
    assert thread.is_alive()

    wire.say(page.console._rail, kind="left")
    thread.join(WAIT_SECONDS)

    assert not thread.is_alive()
