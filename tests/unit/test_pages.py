"""What the pages say, computed from a record: cards, meters, rows, whom to ask."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from allotment.model.budgets import PLATFORM, BudgetScope, BudgetTerms
from allotment.model.claims import Claim, Granted
from allotment.model.devices import DeviceOrigin, DeviceSpec, Isolation
from allotment.model.endings import Cause
from allotment.model.groups import Mode, Origin, Share
from allotment.model.limits import LimitKind, LimitScope
from allotment.model.money import price_words
from allotment.model.profiles import Profile
from allotment.model.reasons import Rule
from allotment.record import (
    Record,
    Writing,
    budgets,
    claims,
    devices,
    endings,
    groups,
    limits,
    memberships,
    open_record,
    people,
    platform,
    pools,
    profiles,
)
from allotment_spawner.pages_home import HomeView, home_view
from allotment_spawner.pages_launch import Card, LaunchView, Readiness, launch_view
from allotment_spawner.pages_pieces import SQUARES, Meter, Plot, Plots

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
Change = Callable[[Writing], object]


def device(number: int, **fields: Any) -> DeviceSpec:
    return DeviceSpec(
        f"gpu-{number}",
        "dgx-1",
        "A100",
        80 << 30,
        f"GPU-{number}",
        **{"origin": DeviceOrigin.SETTINGS} | fields,
    )


@pytest.fixture
def record(tmp_path: Path) -> Any:
    """Three devices in pool a100 for group vision (ada, ben); dan is in no group, olga operates."""
    opened = open_record(f"sqlite:///{tmp_path}/record.sqlite", migrate=True)
    with opened.writing("olga", NOW) as writing:
        devices.observe(writing, [device(n) for n in range(3)], DeviceOrigin.SETTINGS)
        pools.create(writing, "a100", [f"gpu-{n}" for n in range(3)])
        groups.create(
            writing, "vision", title="Machine vision", wanted=[Share("vision", "a100", 2, 2)]
        )
        people.onboard(writing, ["ada", "ben"], group="vision")
        people.onboard(writing, ["dan"])
        people.onboard(writing, ["olga"], role="operator")
        limits.put(writing, LimitScope.PLATFORM, "", LimitKind.DEVICES, 2)
    publish(opened, name="small", title="Small", cpu=2, memory="8GiB", price=0.18)
    publish(opened, name="gpu", title="One GPU", devices=1, price=2.4)
    publish(opened, name="four", title="Four GPUs", devices=4)
    publish(opened, name="operator-console", title="Operator console")
    yield opened
    opened.close()


def change(record: Record, what: Change) -> None:
    with record.writing("olga", NOW) as writing:
        what(writing)


def publish(record: Record, **fields: Any) -> None:
    profile = Profile.model_validate(fields)
    change(record, lambda w: profiles.publish(w, profile, f"{profile.name}.yaml", str(fields)))


def start(record: Record, person: str, profile: str, server: str, **fields: Any) -> str:
    outcome = claims.admit(record, Claim("hub", person, server, profile, **fields), NOW)
    assert isinstance(outcome, Granted), outcome
    claims.mark_running(record, outcome.allotment.id, NOW + timedelta(seconds=5))
    return outcome.allotment.id


def stop(record: Record, allotment: str, reason: str, by: str) -> None:
    claims.mark_stopping(record, allotment, reason, by, NOW + timedelta(minutes=1))
    claims.release(record, allotment, "no process is left", NOW + timedelta(minutes=2))


def launch(
    record: Record, person: str, server: str = "", profile: str = "", group: str | None = None
) -> LaunchView:
    with record.reading() as reading:
        return launch_view(reading, Claim("hub", person, server, profile, group), NOW)


def home(record: Record, person: str, *known: tuple[str, str]) -> HomeView:
    with record.reading() as reading:
        return home_view(reading, "hub", person, known, NOW)


def card(view: LaunchView, name: str) -> Card:
    return next(card for card in view.cards if card.profile.name == name)


@pytest.mark.promise("SERVER-1")
def test_a_card_that_can_start_says_what_it_takes_what_is_free_and_its_price(
    record: Record,
) -> None:
    shown = card(launch(record, "ada"), "gpu")
    assert (shown.readiness, shown.headline, shown.price) == (Readiness.NOW, "3 free", "2.40 / h")
    assert shown.spec == "1 \N{MULTIPLICATION SIGN} A100"
    assert shown.plots
    assert shown.plots.sentence == "3 devices in a100: 1 that this would take, 2 free."


@pytest.mark.promise("SERVER-1", "LIMIT-4")
def test_a_card_that_cannot_start_says_all_reasons(record: Record) -> None:
    shown = card(launch(record, "ada"), "four")
    assert shown.readiness is Readiness.NO
    assert [reason.rule for reason in shown.reasons] == [Rule.LIMIT_DEVICES, Rule.SHARE_GUARANTEE]


@pytest.mark.promise("SERVER-1")
def test_a_card_for_which_only_devices_are_missing_says_who_holds_them(record: Record) -> None:
    start(record, "ben", "gpu", "one")
    start(record, "ben", "gpu", "two")
    shown = card(launch(record, "ada"), "gpu")
    assert (shown.readiness, shown.headline) == (Readiness.FULL, "Your group's share is used up")
    assert "ben holds 1 device with one since 2026-03-01 12:00 UTC." in shown.reasons[0].details


@pytest.mark.promise("GROUP-3", "SERVER-1")
def test_the_cards_are_judged_for_the_group_that_is_chosen_to_pay(record: Record) -> None:
    def join_another(writing: Writing) -> None:
        platform.set_mode(writing, Mode.FLEXIBLE)
        groups.create(writing, "archive")
        memberships.add(writing, "ada", "archive", Origin.CONSOLE)

    change(record, join_another)
    assert launch(record, "ada").group == "archive"
    assert card(launch(record, "ada", group="archive"), "gpu").readiness is not Readiness.NOW
    chosen = launch(record, "ada", group="vision")
    assert card(chosen, "gpu").readiness is Readiness.NOW
    assert [meter.label for meter in chosen.meters if meter.key == "share"] == ["vision in a100"]
    assert launch(record, "ada", group="nobodys").group == "archive"


def test_the_console_is_no_card(record: Record) -> None:
    assert "operator-console" not in {card.profile.name for card in launch(record, "olga").cards}


@pytest.mark.promise("PROFILE-3")
def test_somebody_with_nothing_to_launch_is_told_whom_to_ask(record: Record) -> None:
    change(record, lambda w: [profiles.retire(w, name) for name in ("small", "gpu", "four")])
    view = launch(record, "dan")
    assert (view.cards, view.ask) == ((), ("olga",))


def test_the_card_used_last_is_chosen_where_it_can_start_and_one_asked_for_goes_before(
    record: Record,
) -> None:
    stop(record, start(record, "ada", "gpu", "one"), "", "ada")
    assert launch(record, "ada").chosen == "gpu"
    assert launch(record, "ada", profile="small").chosen == "small"
    assert launch(record, "ada", profile="<script>").chosen == "gpu"


@pytest.mark.promise("LIMIT-1")
def test_a_meter_says_what_binds_and_where_it_comes_from(record: Record) -> None:
    change(record, lambda w: limits.put(w, LimitScope.PERSON, "ada", LimitKind.DEVICES, 1))
    start(record, "ada", "gpu", "one")
    meter = next(meter for meter in launch(record, "ada").meters if meter.key == "devices")
    assert (meter.words, meter.source, meter.tone) == ("1 of 1", "Set for this person", "at-limit")


@pytest.mark.parametrize(
    ("used", "limit", "tone", "percent"),
    [
        (0, 4, "", 0),
        (3, 4, "", 75),
        (4, 5, "near", 80),
        (5, 5, "at-limit", 100),
        (6, 5, "at-limit", 100),
        (2, 0, "at-limit", 100),
        (0, 0, "at-limit", 0),
        (7, None, "", 0),
    ],
)
def test_a_meter_changes_its_tone_at_four_fifths_and_at_the_limit(
    used: int, limit: int | None, tone: str, percent: float
) -> None:
    meter = Meter("devices", "Devices", used, limit, "")
    assert (meter.tone, meter.percent) == (tone, percent)


def test_many_devices_are_one_bar_whose_parts_fill_it() -> None:
    plots = Plots("a100", "A100", ((Plot.MINE, 3), (Plot.OTHER, 47), (Plot.FREE, SQUARES)))
    assert not plots.as_squares
    assert sum(width for _, _, width in plots.segments) == pytest.approx(100, abs=0.01)


@pytest.mark.promise("POOL-7")
def test_how_a_device_is_shared_and_that_it_is_simulated_is_said_on_its_card(
    record: Record,
) -> None:
    simulated = DeviceSpec(
        "sim-0",
        "here",
        "Simulated GPU",
        1 << 30,
        "sim-0",
        DeviceOrigin.SIMULATED,
        Isolation.TIME_SLICE,
    )
    change(record, lambda w: devices.observe(w, [simulated], DeviceOrigin.SIMULATED))
    view = launch(record, "dan")
    plots = card(view, "gpu").plots
    assert plots
    assert [word for word, _ in plots.labels] == ["Simulated", "Time slice"]
    assert "Time slice: memory is shared with others." in view.labels


@pytest.mark.parametrize(
    ("price", "words"), [("2.4", "2.40"), ("0.185", "0.185"), ("1204", "1,204.00"), ("0", "0.00")]
)
@pytest.mark.promise("MONEY-1")
def test_a_price_has_two_decimals_or_as_many_as_it_needs(price: str, words: str) -> None:
    profile = Profile.model_validate({"name": "p", "title": "P", "price": price})
    assert profile.price is not None
    assert price_words(profile.price) == words


@pytest.mark.promise("SERVER-2")
def test_home_shows_each_server_with_size_state_since_and_devices(record: Record) -> None:
    start(record, "ada", "gpu", "cells", display_name="Cell counting", note="Third try")
    (row,) = home(record, "ada").servers
    assert (row.title, row.note, row.size, row.state) == (
        "Cell counting",
        "Third try",
        "One GPU",
        "running",
    )
    assert row.since == NOW + timedelta(seconds=5)
    assert [held.id for held in row.devices] == ["gpu-0"]
    assert row.price == "2.40 / h"


@pytest.mark.promise("MONEY-1", "SERVER-2")
def test_home_shows_what_a_server_costs_so_far_and_what_it_cost_in_all(record: Record) -> None:
    allotment = start(record, "ada", "gpu", "cells")
    waiting = claims.admit(record, Claim("hub", "ada", "next", "gpu"), NOW)
    assert isinstance(waiting, Granted)

    def costs(now: datetime) -> dict[str, str]:
        with record.reading() as reading:
            return {row.name: row.cost for row in home_view(reading, "hub", "ada", (), now).servers}

    hour = NOW + timedelta(seconds=5, hours=1, minutes=30)
    assert costs(hour) == {"cells": "3.60 so far", "next": ""}

    claims.mark_stopping(record, allotment, "", "ada", hour)
    claims.release(record, allotment, "no process is left", hour)
    assert costs(hour + timedelta(days=1)) == {"cells": "3.60 in all", "next": ""}


@pytest.mark.promise("MONEY-3", "MONEY-4", "SERVER-2")
def test_home_and_launch_show_the_budgets_that_pay(record: Record) -> None:
    start(record, "ada", "gpu", "cells")
    for scope, subject, amount in (
        (BudgetScope.GROUP, "vision", 4),
        (BudgetScope.PERSON, "ada", 2),
    ):
        terms = BudgetTerms(amount=Decimal(amount))
        change(record, lambda w, s=scope, n=subject, t=terms: budgets.put(w, s, n, t))
    later = NOW + timedelta(seconds=5, minutes=45)
    with record.reading() as reading:
        shown = home_view(reading, "hub", "ada", (), later).budgets
        launching = launch_view(reading, Claim("hub", "ada", "", "", None), later).budgets

    assert [(one.label, one.words, one.percent, one.tone) for one in shown] == [
        ("Budget of group vision, a month", "1.80 of 4.00", 45, ""),
        ("Your budget, a month", "1.80 of 2.00", 90, "near"),
    ]
    assert shown[1].ends == later + timedelta(minutes=5)
    assert launching == shown


@pytest.mark.promise("LIMIT-1")
def test_home_and_launch_say_which_of_a_persons_budgets_binds_and_where_it_is_from(
    record: Record,
) -> None:
    start(record, "ada", "gpu", "cells")
    for scope, subject, source in (
        (BudgetScope.EVERYBODY, PLATFORM, "the platform's default"),
        (BudgetScope.MEMBERS, "vision", "group vision"),
        (BudgetScope.PERSON, "ada", "set for this person"),
    ):
        terms = BudgetTerms(amount=Decimal(9))
        change(record, lambda w, s=scope, n=subject, t=terms: budgets.put(w, s, n, t))
        with record.reading() as reading:
            (shown,) = home_view(reading, "hub", "ada", (), NOW).budgets
            (launching,) = launch_view(reading, Claim("hub", "ada", "", "", None), NOW).budgets
        assert shown.label == "Your budget, a month"
        assert shown.source == f"At the limit nothing new starts ({source})"
        assert launching == shown


@pytest.mark.promise("SERVER-4")
def test_home_says_why_a_server_was_stopped_by_somebody_else(record: Record) -> None:
    stop(record, start(record, "ada", "gpu", "cells"), "dgx-1 is taken down for repair.", "olga")
    (row,) = home(record, "ada").servers
    assert (row.state_words, row.reason, row.devices) == (
        "Stopped",
        "dgx-1 is taken down for repair.",
        (),
    )


@pytest.mark.promise("IDLE-2")
def test_home_says_when_a_server_is_stopped_why_and_how_to_put_that_off(record: Record) -> None:
    allotment = start(record, "ada", "gpu", "cells")
    stop_at = NOW + timedelta(minutes=15)
    change(
        record, lambda w: endings.say(w, allotment, Cause.IDLE, stop_at, "Idle since 11:00 UTC.")
    )
    (row,) = home(record, "ada").servers
    assert row.ending is not None
    assert (row.ending.stop_at, row.ending.message) == (stop_at, "Idle since 11:00 UTC.")
    assert row.ending.extend == "Extend by 60 minutes"


@pytest.mark.promise("IDLE-2", "QUEUE-4")
def test_home_offers_no_button_for_an_end_that_cannot_be_put_off(record: Record) -> None:
    allotment = start(record, "ada", "gpu", "cells")
    stop_at = NOW + timedelta(minutes=5)
    change(record, lambda w: endings.say(w, allotment, Cause.RECLAIM, stop_at, "Taken back."))
    (row,) = home(record, "ada").servers
    assert row.ending is not None
    assert row.ending.extend == ""


@pytest.mark.promise("IDLE-2")
def test_home_says_of_a_stopped_server_what_the_cause_was(record: Record) -> None:
    allotment = start(record, "ada", "gpu", "cells")
    claims.mark_stopping(
        record, allotment, "Idle since 11:00 UTC.", "endings", NOW, cause=Cause.IDLE
    )
    claims.release(record, allotment, "no process is left", NOW + timedelta(minutes=2))
    (row,) = home(record, "ada").servers
    assert (row.state_words, row.reason) == ("Stopped: idle", "Idle since 11:00 UTC.")


@pytest.mark.promise("IDLE-3")
def test_a_card_says_when_its_servers_end_by_themselves(record: Record) -> None:
    view = launch(record, "ada")
    assert card(view, "gpu").profile.ending_words == "Stops when nothing runs in it for 60 minutes."
    assert card(view, "small").profile.ending_words == ""


def test_home_does_not_repeat_that_a_stopped_server_was_stopped(record: Record) -> None:
    stop(record, start(record, "ada", "gpu", "cells"), "It was stopped.", "hub")
    (row,) = home(record, "ada").servers
    assert row.reason == ""


@pytest.mark.promise("POOL-6")
def test_home_flags_a_running_server_whose_device_fell_ill(record: Record) -> None:
    start(record, "ada", "gpu", "cells")
    ill = device(0, healthy=False, health_note="ECC")
    change(record, lambda w: devices.observe(w, [ill, device(1), device(2)], DeviceOrigin.SETTINGS))
    (row,) = home(record, "ada").servers
    assert (row.state, row.ailing) == ("running", ("gpu-0 is unhealthy (ECC)",))


def test_home_lists_a_server_that_was_made_and_never_launched(record: Record) -> None:
    view = home(record, "ada", ("", ""), ("empty", "Empty one"))
    assert [(row.title, row.state_words) for row in view.servers] == [
        ("Empty one", "Never launched")
    ]


@pytest.mark.promise("LIMIT-3")
def test_home_counts_only_what_holds_and_says_the_groups_share(record: Record) -> None:
    stop(record, start(record, "ada", "gpu", "old"), "", "ada")
    start(record, "ben", "gpu", "his")
    words = {meter.label: meter.words for meter in home(record, "ada").meters}
    assert words["Your devices"] == "0 of 2"
    assert words["vision in a100"] == "1 of 2"


@pytest.mark.promise("USER-5")
def test_home_offers_the_console_to_who_may_use_it_and_hides_its_server_from_the_list(
    record: Record,
) -> None:
    start(record, "olga", "operator-console", "console")
    view = home(record, "olga")
    assert view.may_use_console
    assert view.console
    assert (view.servers, view.console.state) == ((), "running")
    assert not home(record, "ada").may_use_console
    change(record, lambda writing: memberships.set_lead(writing, "ada", "vision", lead=True))
    assert home(record, "ada").may_use_console
