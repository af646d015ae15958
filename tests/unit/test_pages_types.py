"""Instance types and storage on the launch and home pages."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from allotment.model.claims import Claim, Granted
from allotment.model.instance_types import InstanceType
from allotment.model.limits import LimitKind, LimitScope
from allotment.model.profiles import Profile
from allotment.record import (
    Record,
    claims,
    instance_types,
    limits,
    open_record,
    people,
    profiles,
    storage,
)
from allotment_spawner.pages_home import home_view
from allotment_spawner.pages_launch import Card, LaunchView, Readiness, launch_view

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def record(tmp_path: Path) -> Iterator[Record]:
    """Two profiles of one type of which there may be one, and one without; olga operates."""
    opened = open_record(f"sqlite:///{tmp_path}/record.sqlite", migrate=True)
    with opened.writing("olga", NOW) as writing:
        people.onboard(writing, ["ada", "ben"])
        people.onboard(writing, ["olga"], role="operator")
        for profile in (
            Profile(name="cloud", title="Cloud", instance_type="g5.xlarge"),
            Profile(name="local", title="Local"),
            Profile(name="tidy", title="Tidy up", cleans_up=True),
        ):
            profiles.publish(writing, profile, f"{profile.name}.yaml", "0" * 64)
        instance_types.create(writing, InstanceType("g5.xlarge", price=Decimal("1.258"), most=1))
    yield opened
    opened.close()


def launch(record: Record, person: str) -> LaunchView:
    with record.reading() as reading:
        return launch_view(reading, Claim("hub", person, "", ""), NOW)


def cards(record: Record, person: str) -> dict[str, Card]:
    return {card.profile.name: card for card in launch(record, person).cards}


def start(record: Record, person: str, profile: str) -> None:
    assert isinstance(claims.admit(record, Claim("hub", person, "one", profile), NOW), Granted)


@pytest.mark.promise("MONEY-1", "TYPE-1")
def test_a_card_shows_the_price_of_its_instance_type(record: Record) -> None:
    assert cards(record, "ada")["cloud"].price == "1.258 / h"


@pytest.mark.promise("TYPE-2")
def test_at_its_limit_a_type_vanishes_from_the_launch_page(record: Record) -> None:
    start(record, "ben", "cloud")
    assert set(cards(record, "ada")) == {"local", "tidy"}


@pytest.mark.promise("TYPE-2")
def test_operators_see_what_vanished_and_why(record: Record) -> None:
    start(record, "ben", "cloud")
    card = cards(record, "olga")["cloud"]
    assert (card.readiness, card.headline) == (Readiness.NO, "Instance type at its limit")
    assert "1 of 1 (typed in)" in card.reasons[0].message


@pytest.mark.promise("PROFILE-5")
def test_a_disabled_type_vanishes_too(record: Record) -> None:
    with record.writing("olga", NOW) as writing:
        instance_types.edit(writing, InstanceType("g5.xlarge", enabled=False))
    assert "cloud" not in cards(record, "ada")
    assert cards(record, "olga")["cloud"].headline == "Instance type disabled"


@pytest.mark.promise("LIMIT-1", "LIMIT-5")
def test_storage_and_instances_are_shown_where_they_are_limited(record: Record) -> None:
    with record.reading() as reading:
        before = {meter.key for meter in home_view(reading, "hub", "ada", (), NOW).meters}
    assert not {"storage", "instances"} & before
    with record.writing("olga", NOW) as writing:
        limits.put(writing, LimitScope.PLATFORM, "", LimitKind.STORAGE, 4)
        limits.put(writing, LimitScope.PERSON, "ada", LimitKind.INSTANCES, 2)
        storage.measured(writing, "hub", "ada", 7 << 29, complete=True)
    start(record, "ada", "cloud")
    meters = {meter.key: meter for meter in launch(record, "ada").meters}
    assert (meters["storage"].words, meters["storage"].tone) == ("4 of 4", "at-limit")
    assert (meters["instances"].words, meters["instances"].source) == (
        "1 of 2",
        "Set for this person",
    )


@pytest.mark.promise("LIMIT-5")
def test_over_the_limit_of_storage_only_the_profile_that_cleans_up_can_start(
    record: Record,
) -> None:
    with record.writing("olga", NOW) as writing:
        limits.put(writing, LimitScope.PLATFORM, "", LimitKind.STORAGE, 4)
        storage.measured(writing, "hub", "ada", 5 << 30, complete=True)
    shown = cards(record, "ada")
    assert (shown["local"].readiness, shown["local"].headline) == (
        Readiness.NO,
        "Over your limit of storage",
    )
    assert "Launch tidy" in shown["local"].reasons[0].remedy
    assert shown["tidy"].readiness is Readiness.NOW
