"""A profile that was replaced: a refused launch and the pages of its users point to its successor."""

from __future__ import annotations

from typing import Any

import pytest

from allotment.model.claims import Claim, Refused
from allotment.record import page_facts, profiles
from allotment_spawner.pages_home import home_view
from allotment_spawner.pages_launch import launch_view


@pytest.fixture
def replaced(lab: Any) -> Any:
    """The profile old, which the profile gpu replaces; bob runs a server of it."""
    lab.profile("old", devices=1, successor="gpu", successor_message="Newer drivers.")
    lab.granted("bob", "old", "work")
    return lab


def disable(lab: Any, name: str) -> None:
    with lab.write() as writing:
        profiles.set_enabled(writing, name, enabled=False)


@pytest.mark.promise("PROFILE-5", "PROFILE-6")
def test_a_launch_of_a_disabled_profile_is_refused_with_its_successor_as_remedy(
    replaced: Any,
) -> None:
    disable(replaced, "old")

    outcome = replaced.claim("ann", "old")

    assert isinstance(outcome, Refused)
    (reason,) = outcome.reasons
    assert reason.rule == "profile.visible"
    assert reason.remedy == "Launch 'gpu' instead. Newer drivers."
    assert reason.details == ("gpu",)


@pytest.mark.promise("PROFILE-3", "PROFILE-6")
def test_who_could_not_see_the_old_one_is_told_nothing_of_it(lab: Any) -> None:
    lab.profile("secret", visible_to={"people": ["bob"]}, successor="gpu")
    disable(lab, "secret")

    outcome = lab.claim("ann", "secret")

    assert isinstance(outcome, Refused)
    assert outcome.reasons[0].remedy.startswith("Choose one of")


@pytest.mark.promise("PROFILE-6")
@pytest.mark.parametrize("enabled", [True, False])
def test_the_home_page_of_its_users_says_what_replaces_it(replaced: Any, enabled: bool) -> None:
    if not enabled:
        disable(replaced, "old")
    with replaced.record.reading() as reading:
        (row,) = home_view(reading, "hub", "bob", [], replaced.now).servers

    assert row.successor is not None
    assert row.successor.sentence == "Use Gpu instead. Newer drivers."


@pytest.mark.promise("PROFILE-6")
def test_the_launch_page_says_it_on_the_card_while_it_is_offered(replaced: Any) -> None:
    with replaced.record.reading() as reading:
        view = launch_view(reading, Claim("hub", "ann", "", ""), replaced.now)
    said = {card.profile.name: card.successor for card in view.cards}

    assert said["gpu"] is None
    assert said["old"] is not None
    disable(replaced, "old")
    with replaced.record.reading() as reading:
        names = [one.name for one in page_facts.read(reading, "ann", replaced.now).visible()]
    assert "old" not in names


@pytest.mark.promise("PROFILE-5")
def test_a_server_that_runs_keeps_the_terms_of_a_disabled_profile(replaced: Any) -> None:
    disable(replaced, "old")
    with replaced.record.reading() as reading:
        (held,) = page_facts.read(reading, "bob", replaced.now).active

    assert held.terms["profile"]["name"] == "old"
