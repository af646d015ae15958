"""Lifetimes, putting ends off, and leaving servers alone: the rules as tables."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allotment.model.endings import Cause, Ending
from allotment.model.idleness import ExtendRule, IdleRule, duration_words
from allotment.model.profiles import Profile
from allotment.rules.ending import (
    judge_extension,
    judge_keep,
    lifetime_stop,
    may_put_off,
    put_off,
)

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
RULE = ExtendRule()


def ending(cause: Cause, extended: int = 0, minutes: int = 15) -> Ending:
    stop_at = NOW + timedelta(minutes=minutes)
    return Ending("e", "a", cause, NOW, stop_at, "Idle.", extended)


def profile(**keys: Any) -> Profile:
    document = {"name": "one", "title": "One"} | keys
    return Profile.model_validate_json(json.dumps(document), strict=True)


@pytest.mark.promise("IDLE-2")
@pytest.mark.parametrize(
    ("cause", "extended", "rule", "may"),
    [
        (Cause.IDLE, 0, RULE, True),
        (Cause.IDLE_DEVICES, 2, RULE, True),
        (Cause.LIFETIME, 2, RULE, True),
        (Cause.IDLE, 3, RULE, False),
        (Cause.IDLE, 0, None, False),
        (Cause.RECLAIM, 0, RULE, False),
        (Cause.BUDGET, 0, RULE, False),
        (Cause.STOPPED, 0, RULE, False),
    ],
)
def test_who_may_put_what_off(
    cause: Cause, extended: int, rule: ExtendRule | None, may: bool
) -> None:
    one = ending(cause, extended)
    assert may_put_off(one, rule) is may
    assert (judge_extension([one], rule) is None) is may


@pytest.mark.promise("IDLE-2")
def test_the_refusal_to_put_an_end_off_says_the_limit_and_what_is_used() -> None:
    reason = judge_extension([ending(Cause.LIFETIME, 3)], RULE)
    assert reason is not None
    assert (reason.rule, reason.limit, reason.used, reason.asked) == ("ending.extend", 3, 3, 1)
    assert reason.message == "The end of this server was put off 3 times already."


def test_of_several_ends_one_that_can_be_put_off_is_enough() -> None:
    both = [ending(Cause.RECLAIM, minutes=5), ending(Cause.IDLE)]
    assert judge_extension(both, RULE) is None


def test_without_an_announced_end_there_is_nothing_to_put_off() -> None:
    reason = judge_extension([], RULE)
    assert reason is not None
    assert "nothing to put off" in reason.message


@given(st.integers(-600, 600), st.integers(1, 600))
def test_an_end_is_put_off_from_its_own_time_and_never_into_the_past(minutes: int, by: int) -> None:
    one, rule = ending(Cause.IDLE, minutes=minutes), ExtendRule(by=timedelta(minutes=by))
    assert put_off(one, rule, NOW) == max(one.stop_at, NOW) + rule.by


@pytest.mark.promise("IDLE-1")
@pytest.mark.parametrize(
    ("minutes", "said"),
    [
        (0, None),
        (12 * 60 - 16, None),
        (12 * 60 - 15, timedelta(hours=12)),
        (12 * 60 + 30, timedelta(hours=12, minutes=45)),  # said late: the whole notice is left
    ],
)
def test_a_lifetime_is_told_a_quarter_of_an_hour_before(
    minutes: int, said: timedelta | None
) -> None:
    stop = lifetime_stop(12 * HOUR, NOW, NOW + timedelta(minutes=minutes))
    assert stop == (None if said is None else NOW + said)


@given(st.integers(4, 10**6), st.integers(0, 2 * 10**6))
def test_a_lifetime_is_never_cut_short_nor_its_notice(lifetime: int, age: int) -> None:
    life, now = timedelta(seconds=lifetime), NOW + timedelta(seconds=age)
    stop = lifetime_stop(life, NOW, now)
    if stop is not None:
        assert stop >= NOW + life
        assert stop - now >= min(timedelta(minutes=15), life / 4) or now < NOW + life


@pytest.mark.promise("IDLE-4")
@pytest.mark.parametrize(
    ("rule", "hours", "refused"),
    [
        (IdleRule(), 12, False),
        (IdleRule(), 12.5, True),
        (IdleRule(), -1, True),
        (IdleRule(keep=timedelta(0)), 1, True),
        (None, 1, True),
    ],
)
def test_how_long_a_server_may_be_left_alone(
    rule: IdleRule | None, hours: float, refused: bool
) -> None:
    assert (judge_keep(rule, NOW + hours * HOUR, NOW) is not None) is refused


@pytest.mark.promise("IDLE-3")
def test_a_profile_with_devices_gives_them_back_by_default_and_others_run_on() -> None:
    with_devices, without = profile(devices=1), profile()
    assert with_devices.idle is not None
    assert with_devices.idle.warned_after == timedelta(minutes=45)
    assert with_devices.idle.after == timedelta(minutes=60)
    assert without.idle is None
    assert with_devices.lifetime is without.lifetime is None


@pytest.mark.promise("IDLE-3")
@pytest.mark.parametrize("word", ["off", False])
def test_idleness_can_be_switched_off(word: object) -> None:
    assert profile(devices=2, idle=word).idle is None


def test_what_a_profile_says_survives_being_kept_and_read_again() -> None:
    one = profile(devices=1, idle={"after": "2h"}, lifetime="12h", extend="off")
    assert Profile.model_validate(one.model_dump(mode="json")) == one
    assert profile(devices=1, idle="off") == Profile.model_validate(
        profile(devices=1, idle="off").model_dump(mode="json")
    )


def test_the_rules_of_ends_leave_the_other_keys_of_a_profile_as_they_were() -> None:
    one = profile(devices=1, priority="low", visible_to={"people": ["ben"]}, price=2.4)
    assert one.visible_to is not None
    assert (one.priority, one.visible_to.people) == ("low", ("ben",))


def test_a_profile_says_its_ends_in_one_sentence() -> None:
    assert profile().ending_words == ""
    assert profile(devices=1, lifetime="12h").ending_words == (
        "Stops when nothing runs in it for 60 minutes, and 12 hours after its start."
    )


@pytest.mark.parametrize(
    ("duration", "words"),
    [
        (timedelta(seconds=1), "1 second"),
        (timedelta(seconds=90), "90 seconds"),
        (timedelta(minutes=60), "60 minutes"),
        (timedelta(minutes=90), "90 minutes"),
        (timedelta(hours=12), "12 hours"),
        (timedelta(hours=24), "24 hours"),
        (timedelta(days=3), "3 days"),
    ],
)
def test_durations_are_said_as_people_say_them(duration: timedelta, words: str) -> None:
    assert duration_words(duration) == words
