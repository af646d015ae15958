"""Budgets, reservations and departments in a real hub: who is refused, and what is stopped when money ends."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

import hubs
from allotment.model.budgets import BudgetScope, BudgetTerms
from allotment.model.groups import Share
from allotment.model.profiles import Profile
from allotment.model.reservations import Reservation
from allotment.record import Writing, budgets, departments, groups, profiles, reservations
from allotment.work.budgets import watch_budgets
from allotment.work.endings import Endings
from allotment.work.hub_api import HubApi
from allotment.work.live_use import LiveUse
from hubs import HubUnderTest, until


@pytest.fixture(scope="module", autouse=True)
def priced(hub_of_module: HubUnderTest) -> None:
    """A profile that costs something, beside those of every hub."""
    profile = Profile.model_validate({"name": "priced", "title": "Priced", "price": "2.40"})
    hub_of_module.change(lambda writing: profiles.publish(writing, profile, "tests", "priced"))


def terms(amount: str, **more: Any) -> BudgetTerms:
    return BudgetTerms.model_validate({"amount": amount} | more)


def give(hub: HubUnderTest, person: str, wanted: BudgetTerms) -> None:
    hub.change(lambda writing: budgets.put(writing, BudgetScope.PERSON, person, wanted))


def take_away(hub: HubUnderTest, person: str) -> None:
    hub.change(lambda writing: budgets.remove(writing, BudgetScope.PERSON, person))


@pytest.mark.promise("MONEY-3")
def test_a_launch_that_cannot_pay_a_first_session_is_refused_by_rest(hub: HubUnderTest) -> None:
    give(hub, "ada", terms("1", minimum_session="1h"))

    refused = hub.launch("ada", "dear", profile="priced")
    free = hub.launch("ada", "free", profile="small")
    take_away(hub, "ada")

    assert refused.status_code == 403, refused.text
    assert "budget of 1.00 a month" in refused.json()["message"]
    assert not hub.active_in_hub("ada", "dear")
    assert free.is_success, free.text
    assert hub.launch("ada", "dear", profile="priced").is_success
    hub.ready("ada", "dear")
    hub.assert_in_step()


@pytest.mark.promise("MONEY-3", "IDLE-2")
def test_a_server_that_no_budget_pays_for_is_told_and_stopped_after_the_grace(
    hub: HubUnderTest,
) -> None:
    assert hub.launch("ben", "train", profile="priced").is_success
    hub.ready("ben", "train")
    give(hub, "ben", terms("0.000001", at_limit="stop", grace="10m"))
    hub_api = HubApi(hub.servers_see, hubs.ADMIN)
    endings = Endings(hub.record, hub_api, LiveUse(), "hub")

    assert "1 server to end" in watch_budgets(hub.record, hub.now())
    endings.round(hub.now())
    assert hub.active_in_hub("ben", "train")

    def ended() -> bool:
        endings.round(hub.now() + timedelta(minutes=11))
        return hub.latest("ben", "train").state == "released"

    until(ended, "the server to be stopped")
    endings.close()
    hub_api.close()
    take_away(hub, "ben")
    last = hub.latest("ben", "train")
    assert last.stop_cause == "budget"
    assert "is used up" in last.stop_reason


@pytest.mark.promise("QUEUE-8")
def test_devices_that_are_reserved_are_given_to_those_they_are_kept_for(hub: HubUnderTest) -> None:
    now = hub.now()
    kept = Reservation(
        "", "a100", 3, now - timedelta(hours=1), now + timedelta(hours=1), person="ben"
    )
    made: list[str] = []
    hub.change(lambda writing: made.append(reservations.create(writing, kept).id))

    refused = hub.launch("ada", "train", profile="two")
    granted = hub.launch("ben", "course", profile="two")
    hub.change(lambda writing: reservations.cancel(writing, made[0]))

    assert refused.status_code == 409, refused.text
    assert "are kept for ben in a100" in refused.json()["message"]
    assert granted.is_success, granted.text
    hub.ready("ben", "course")
    assert hub.launch("ada", "train", profile="two").is_success
    hub.ready("ada", "train")
    hub.assert_in_step()


@pytest.mark.promise("GROUP-6")
def test_a_departments_ceiling_binds_its_groups_together(hub: HubUnderTest) -> None:
    def bind(writing: Writing) -> None:
        departments.create(writing, "research", ceilings={"a100": 1})
        groups.edit(writing, "vision", department="research")

    def free(writing: Writing) -> None:
        groups.edit(writing, "vision", wanted=[Share("vision", "a100", 4, 4)], department="")
        departments.delete(writing, "research")

    hub.change(bind)
    first = hub.launch("ada", "one", profile="gpu")
    refused = hub.launch("ben", "two", profile="gpu")
    hub.change(free)

    assert first.is_success, first.text
    hub.ready("ada", "one")
    assert refused.status_code == 409, refused.text
    assert "The groups of department research may hold 1 device" in refused.json()["message"]
    assert hub.launch("ben", "two", profile="gpu").is_success
    hub.ready("ben", "two")
