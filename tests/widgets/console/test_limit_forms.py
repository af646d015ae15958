"""Limits of everybody and of a group: what is set, what that would do, and what binds a person then."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from allotment.model.limits import LimitKind, LimitScope
from control_planes import Platform

OpenConsole = Callable[..., Any]


def set_now(platform: Platform, scope: LimitScope, subject: str = "") -> dict[LimitKind, int]:
    found = platform.client("operator").limits.all(scope=scope, subject=subject)
    return {one.kind: one.value for one in found.items}


@pytest.mark.promise("LIMIT-1", "ADMIN-3")
def test_limits_of_everybody_are_shown_changed_and_taken_away(
    open_console: OpenConsole, platform: Platform
) -> None:
    page = open_console(panel="users")
    page.act("Users", "limits")
    page.sees("The narrowest limit binds")
    assert page.field("Devices at once").value == "8"
    page.fill("Devices at once", "9")
    page.fill("Running servers", "")
    page.fill("GiB of storage", "50")
    page.sees("Each person: at most 50 GiB of storage, where nothing narrower is set.")
    page.press("Save")
    page.sees("Limits were changed.")
    assert set_now(platform, LimitScope.PLATFORM) == {LimitKind.DEVICES: 9, LimitKind.STORAGE: 50}


@pytest.mark.promise("LIMIT-1", "ADMIN-3")
def test_a_groups_limit_says_who_holds_more_and_then_binds_its_people(
    open_console: OpenConsole, platform: Platform
) -> None:
    page = open_console(panel="groups")
    page.select("Groups", "vision")
    page.act("Groups", "limits")
    page.fill("Running servers", "1")
    page.sees("2 people hold more than that now.")
    page.press("Save")
    page.sees("Limits were changed. Each person in vision: at most 1 running servers")
    assert set_now(platform, LimitScope.GROUP, "vision") == {LimitKind.SERVERS: 1}
    carla = platform.client("operator").users.get("carla")
    bound = next(one for one in carla.limits or () if one.kind is LimitKind.SERVERS)
    assert (bound.value, bound.source) == (1, "group vision")


def test_what_is_no_number_cannot_be_saved(open_console: OpenConsole) -> None:
    page = open_console(panel="users")
    page.act("Users", "limits")
    page.fill("Devices at once", "many")
    page.sees("is no limit for devices at once. Write a whole number, or nothing.")
    page.until(lambda: page.button("Save", disabled=True))


@pytest.mark.promise("LIMIT-1")
def test_the_configuration_of_a_user_names_every_limit_and_where_it_comes_from(
    open_console: OpenConsole, platform: Platform
) -> None:
    platform.client("operator").limits.put(LimitScope.GROUP, "vision", LimitKind.STORAGE, 20)
    page = open_console(panel="users")
    page.select("Users", "erin")
    page.act("Users", "configure")
    page.sees("GiB of storage (vision)</td>")
    page.sees("<td>group vision</td>")
    page.sees("cloud instances at once (vision)</td>")
    assert page.field("Own limit: GiB of storage").placeholder.endswith("20, group vision")
