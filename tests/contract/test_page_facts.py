"""One person's pages read the record once: the rules then say of every profile what they say of its claim."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import pytest

from allotment.model.claims import Claim
from allotment.model.devices import DeviceOrigin, DeviceSpec
from allotment.model.groups import Mode, Origin, Share
from allotment.model.limits import LimitKind, LimitScope
from allotment.record import (
    claim_facts,
    devices,
    groups,
    limits,
    memberships,
    page_facts,
    platform,
    profiles,
)
from allotment.record.page_facts import PersonFacts
from allotment.rules.standing import Standing
from allotment_spawner.pages_pieces import Plot, drawn_plots


def in_order(standing: Standing) -> Standing:
    """The same standing, with what has no order of its own sorted."""
    limits_of = sorted(standing.limits, key=lambda limit: (limit.scope, limit.subject, limit.kind))
    shares = sorted(standing.shares, key=lambda facts: (facts.share.group, facts.share.pool))
    return replace(standing, limits=tuple(limits_of), shares=tuple(shares))


def read(world: Any, person: str) -> PersonFacts:
    with world.record.reading() as reading:
        return page_facts.read(reading, person, world.now)


@pytest.fixture
def busy(lab: Any) -> Any:
    """Two groups, a shared default pool of two models, running, stopped and refused servers, limits of all kinds."""
    lab.devices(3, prefix="box", node="n2", model="L40S")
    with lab.write() as writing:
        platform.set_mode(writing, Mode.FLEXIBLE)
        groups.create(writing, "nlp", wanted=[Share("nlp", "default", 1, 2)])
        memberships.add(writing, "bob", "nlp", Origin.CONSOLE)
        limits.put(writing, LimitScope.PLATFORM, "", LimitKind.DEVICES, 2)
        limits.put(writing, LimitScope.GROUP, "nlp", LimitKind.SERVERS, 1)
        limits.put(writing, LimitScope.PERSON, "ann", LimitKind.SERVERS_EXISTING, 2)
    lab.profile("l40s", devices=1, pool={"model": "L40S"})
    lab.profile("hidden", visible_to={"people": ["zoe"]})
    lab.granted("ann", "gpu", "first")
    lab.granted("bob", "cpu", "elsewhere", group="nlp", hub="other")
    lab.end(lab.granted("ann", "cpu", "old"))
    return lab


@pytest.mark.promise("OPS-9", "SERVER-1", "LIMIT-4")
def test_every_profile_of_a_page_is_judged_by_the_same_facts_as_its_claim(busy: Any) -> None:
    people = ("ann", "bob", "zoe", "olga", "nobody")
    choices = itertools.product(("", "first", "old", "new", "console"), (None, "vision", "nlp"))
    for person, (server, group) in itertools.product(people, choices):
        facts = read(busy, person)
        for profile in facts.visible():
            claim = Claim("hub", person, server, profile.name, group)
            with busy.record.reading() as reading:
                alone = claim_facts.read(reading, claim, busy.now).standing
            assert in_order(facts.standing(profile, claim)) == in_order(alone), (claim, profile)


@pytest.mark.promise("PROFILE-3")
def test_a_page_knows_no_profile_that_is_hidden_disabled_or_withdrawn(busy: Any) -> None:
    with busy.write() as writing:
        profiles.set_enabled(writing, "cpu", enabled=False)
        profiles.retire(writing, "gpu")
    seen = {profile.name for profile in read(busy, "ann").visible()}
    assert seen == {"two-gpu", "l40s"}


@pytest.mark.promise("POOL-1")
def test_the_plots_of_a_pool_count_each_device_once(busy: Any) -> None:
    busy.granted("bob", "gpu", "his", group="vision")
    facts = read(busy, "ann")
    pool = next(pool for pool in facts.pools if pool.pool == "a100")
    assert dict(drawn_plots(facts, pool).numbers) == {
        Plot.MINE: 1,
        Plot.GROUP: 1,
        Plot.OTHER: 0,
        Plot.WANTED: 0,
        Plot.FREE: 0,
        Plot.UNHEALTHY: 0,
    }


@pytest.mark.promise("POOL-6")
def test_a_device_that_fell_ill_is_out_of_use_when_free_and_named_to_its_holder_when_held(
    busy: Any,
) -> None:
    specs = [
        DeviceSpec(
            f"gpu-{n}",
            "n1",
            "A100",
            80 << 30,
            f"GPU-gpu-{n}",
            DeviceOrigin.SETTINGS,
            healthy=False,
            health_note="ECC",
        )
        for n in range(2)
    ]
    with busy.write() as writing:
        devices.observe(writing, specs, DeviceOrigin.SETTINGS)
    facts = read(busy, "ann")
    pool = next(pool for pool in facts.pools if pool.pool == "a100")
    drawn = dict(drawn_plots(facts, pool).numbers)
    assert (drawn[Plot.MINE], drawn[Plot.UNHEALTHY], drawn[Plot.FREE]) == (1, 1, 0)
    assert list(facts.ailing.values()) == [("gpu-0 is unhealthy (ECC)",)]


def test_a_membership_that_has_ended_gives_nothing_on_a_page(busy: Any) -> None:
    with busy.write() as writing:
        memberships.add(writing, "ann", "vision", Origin.CONSOLE, until=busy.now)
    facts = read(busy, "ann")
    assert (facts.groups, facts.shares) == ((), ())
    assert {pool.pool for pool in facts.pools} == {"default"}


def test_somebody_unknown_has_facts_too_and_may_nothing(busy: Any) -> None:
    facts = read(busy, "nobody")
    assert (facts.known, facts.onboarded, facts.permissions) == (False, False, frozenset())
