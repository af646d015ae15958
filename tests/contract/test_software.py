"""Software chosen apart from the size, where a profile leaves the choice."""

from typing import Any

import pytest

from allotment.model.claims import Claim, Granted, Queued, Refused
from allotment.model.reasons import Rule
from allotment.record import allotments, offers
from allotment.record.offers import Place
from allotment_spawner.pages_home import home_view
from allotment_spawner.pages_launch import launch_view

CHOICES = [
    {"name": "stable", "title": "Stable", "image": "example.org/stable:1"},
    {"name": "newest", "title": "Newest", "environment": {"CHANNEL": "newest"}},
]


@pytest.fixture
def choosing(lab: Any) -> Any:
    """The laboratory, with a size that leaves a choice of software."""
    lab.profile("flexible", software=CHOICES)
    return lab


def promised(world: Any, allotment: str) -> object:
    with world.record.reading() as reading:
        return allotments.get(reading, allotment).terms.get("software")


@pytest.mark.promise("PROFILE-4")
def test_software_that_is_chosen_is_promised_with_the_size(choosing: Any) -> None:
    allotment = choosing.granted("ann", "flexible", software="newest")

    found = promised(choosing, allotment)

    assert isinstance(found, dict)
    assert (found["name"], found["environment"]) == ("newest", {"CHANNEL": "newest"})


@pytest.mark.promise("PROFILE-4")
def test_without_a_choice_the_first_software_is_promised(choosing: Any) -> None:
    allotment = choosing.granted("ann", "flexible")

    found = promised(choosing, allotment)

    assert isinstance(found, dict)
    assert found["name"] == "stable"


@pytest.mark.promise("PROFILE-4")
def test_what_a_profile_offers_later_does_not_change_what_was_promised(choosing: Any) -> None:
    allotment = choosing.granted("ann", "flexible", software="newest")

    choosing.profile("flexible", software=CHOICES[:1])

    found = promised(choosing, allotment)
    assert isinstance(found, dict)
    assert found["title"] == "Newest"


@pytest.mark.promise("PROFILE-4")
@pytest.mark.parametrize(
    ("profile", "message", "remedy"),
    [
        (
            "flexible",
            "The profile 'flexible' is not offered with the software 'own'.",
            "Choose one of: stable, newest.",
        ),
        (
            "cpu",
            "The profile 'cpu' leaves no choice of software.",
            "Launch it without naming software.",
        ),
    ],
)
def test_software_that_is_not_offered_is_refused_with_what_is(
    choosing: Any, profile: str, message: str, remedy: str
) -> None:
    outcome = choosing.claim("ann", profile, software="own")

    assert isinstance(outcome, Refused)
    reason = outcome.reasons[0]
    assert (reason.rule, reason.message, reason.remedy) == (Rule.SOFTWARE_OFFERED, message, remedy)


@pytest.mark.promise("PROFILE-4", "QUEUE-1")
def test_a_ticket_keeps_the_software_until_its_server_starts(choosing: Any) -> None:
    choosing.profile("one-gpu", devices=2, software=CHOICES)
    holder = choosing.granted("bob", "two-gpu")
    queued = choosing.claim("ann", "one-gpu", "train", software="newest", wait=True)
    assert isinstance(queued, Queued)

    choosing.end(holder)
    offered = offers.offer(
        choosing.record, queued.ticket.id, Place("a100", "A100", "n1"), choosing.later(seconds=1)
    )

    assert isinstance(offered, Granted)
    found = promised(choosing, offered.allotment.id)
    assert isinstance(found, dict)
    assert found["name"] == "newest"


@pytest.mark.promise("PROFILE-4", "SERVER-1")
def test_pages_offer_the_software_and_say_what_a_server_runs(choosing: Any) -> None:
    choosing.granted("ann", "flexible", "notes", software="newest")

    with choosing.record.reading() as reading:
        launching = launch_view(reading, Claim("hub", "ann", "notes", "flexible"), choosing.now)
        home = home_view(reading, "hub", "ann", (), choosing.now)

    assert [(one.title, one.chosen) for one in launching.software] == [
        ("Stable", False),
        ("Newest", True),
    ]
    assert [row.software for row in home.servers] == ["Newest"]
