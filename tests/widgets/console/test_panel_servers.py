"""Servers: stopped with a reason that reaches their users, started again, and what one is about."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from allotment.model.claims import Claim, Granted
from allotment.model.endings import Cause
from allotment.record import allotments, claims, endings, extending, starts
from control_planes import Platform

OpenConsole = Callable[..., Any]


@pytest.mark.promise("ADMIN-3", "SERVER-4")
def test_stopping_says_first_what_will_end_and_what_becomes_free(
    open_console: OpenConsole,
) -> None:
    page = open_console(panel="servers")
    page.select("Servers", "hub~bob~training-7", "hub~mei~pretrain")

    page.act("Servers", "stop")

    page.sees("bob/training-7 and mei/pretrain end, with everything that runs there. Files stay.")
    page.sees("5 devices are free as soon as nothing of it is left.")


@pytest.mark.promise("ADMIN-3", "SERVER-4")
def test_several_servers_are_stopped_at_once_with_a_reason_that_their_users_read(
    open_console: OpenConsole, platform: Platform
) -> None:
    page = open_console(panel="servers")
    page.select("Servers", "hub~bob~training-7", "hub~mei~pretrain")
    page.act("Servers", "stop")

    page.fill("Why? Their users read it.", "Maintenance of dgx-3")
    page.press("Stop 2 servers")
    page.sees("2 servers are stopping.")
    page.lacks_row("Servers", "hub~mei~pretrain")

    with platform.record.reading() as reading:
        bob = allotments.latest(reading, "hub", "bob", "training-7")
        mei = allotments.latest(reading, "hub", "mei", "pretrain")
    assert [(one.stop_reason, one.stopped_by) for one in (bob, mei)] == [
        ("Maintenance of dgx-3", "operator")
    ] * 2


def test_nothing_is_stopped_before_it_is_confirmed(
    open_console: OpenConsole, platform: Platform
) -> None:
    page = open_console(panel="servers")
    page.select("Servers", "hub~bob~training-7")

    page.act("Servers", "stop")
    page.press("Cancel")
    page.until(lambda: "Stop 1 server" not in page.buttons())

    with platform.record.reading() as reading:
        bob = allotments.latest(reading, "hub", "bob", "training-7")
    assert bob is not None
    assert bob.state == "running"


@pytest.mark.promise("SERVER-4")
def test_a_stopped_server_is_started_again(open_console: OpenConsole) -> None:
    page = open_console(panel="servers")
    page.fill("Show", "stopped")
    page.select("Servers", "hub~carla~sweep-old")

    page.act("Servers", "start")
    page.press("Start 1 server again")

    page.sees("1 server is starting.")
    page.fill("Show", "active")
    page.has_row("Servers", "hub~carla~sweep-old", state="running")


@pytest.mark.promise("LIMIT-4")
def test_every_rule_that_stands_in_the_way_of_a_start_is_said_in_the_form(
    open_console: OpenConsole,
) -> None:
    page = open_console(panel="servers")
    page.fill("Show", "stopped")
    page.select("Servers", "hub~nora~ablation")

    page.act("Servers", "start")
    page.press("Start 1 server again")

    page.sees("nora/ablation: ")
    page.sees("h100")


def test_the_details_of_a_server_say_what_it_holds_and_how_its_devices_are_used(
    open_console: OpenConsole,
) -> None:
    page = open_console(panel="servers")

    page.select("Servers", "hub~bob~segmentation")

    page.sees("<h2>bob · segmentation</h2>")
    page.sees("93 % in use, 60 GiB of its memory")


@pytest.mark.promise("POOL-6")
def test_a_server_whose_device_ails_is_flagged_and_says_why(open_console: OpenConsole) -> None:
    page = open_console(panel="servers")

    page.has_row("Servers", "hub~jonas~vad", state="ailing")

    page.select("Servers", "hub~jonas~vad")
    page.sees("ECC: uncorrectable memory errors")


def test_a_server_in_which_nothing_has_run_for_half_an_hour_is_shown_as_idle(
    open_console: OpenConsole,
) -> None:
    page = open_console(panel="servers")

    page.has_row("Servers", "hub~bob~training-7", state="idle", use=0)


@pytest.mark.promise("IDLE-2", "IDLE-4")
def test_an_announced_end_and_a_server_that_is_left_alone_are_seen_in_their_rows(
    open_console: OpenConsole, platform: Platform
) -> None:
    page = open_console(panel="servers")
    with platform.record.reading() as reading:
        bob = allotments.latest(reading, "hub", "bob", "training-7")
        mei = allotments.latest(reading, "hub", "mei", "pretrain")
    assert bob is not None
    assert mei is not None
    now = platform.plane.now()
    with platform.record.writing("endings", now) as writing:
        words = "The group nlp wants its devices back."
        endings.say(writing, bob.id, Cause.RECLAIM, now + timedelta(minutes=5), words)
    with platform.record.writing("mei", now) as writing:
        extending.leave_alone(writing, mei, now + timedelta(hours=2), "Overnight.")

    def state(server: str) -> object:
        return page.rows("Servers").get(server, {}).get("state")

    page.until(lambda: state("hub~bob~training-7") == "ending")
    page.until(lambda: state("hub~mei~pretrain") == "kept")

    ends, kept = (page.rows("Servers")[f"hub~{one}"] for one in ("bob~training-7", "mei~pretrain"))
    assert ends["cause"] == "Devices taken back"
    assert words in ends["why"]
    assert "mei asked that it be left alone until" in kept["why"]


@pytest.mark.promise("SERVER-4", "QUEUE-1")
def test_what_a_server_waits_for_while_it_starts_is_seen_in_its_row(
    open_console: OpenConsole, platform: Platform
) -> None:
    page = open_console(panel="servers")
    now = platform.plane.now()
    outcome = claims.admit(platform.record, Claim("hub", "priya", "queued", "minimal"), now)
    assert isinstance(outcome, Granted)
    words = "It waits for Kueue's admission in the queue vision-queue. Kueue: 1 more needed."

    starts.note_wait(platform.record, outcome.allotment.id, words, now)

    page.until(lambda: page.rows("Servers").get("hub~priya~queued", {}).get("cause") == words)
    page.has_row("Servers", "hub~priya~queued", state="starting", why=words)
