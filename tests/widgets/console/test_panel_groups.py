"""Groups: made, edited with the consequences said before, deleted or refused; who is in them, who leads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from allotment.client import ANY
from allotment.model.groups import Mode
from control_planes import Platform

OpenConsole = Callable[..., Any]


@pytest.mark.promise("GROUP-1", "GROUP-4", "ADMIN-3")
def test_a_group_is_made_with_a_share_and_tags(
    open_console: OpenConsole, platform: Platform
) -> None:
    page = open_console(panel="groups")
    page.act("Groups", "new")
    page.fill("Name", "climate")
    page.fill("Tags", "department=research, project=storms")
    page.fill("Pool", "l4")
    page.fill("Guaranteed devices", 2)
    page.sees("It gets a share in pool l4: 2 guaranteed, at most 2.")

    page.press("Create group")
    page.has_row("Groups", "climate", held=[0, 2])

    group = platform.client("operator").groups.get("climate")
    assert group.tags == {"department": "research", "project": "storms"}
    assert [(one.pool, one.guaranteed, one.ceiling) for one in group.shares] == [("l4", 2, 2)]


@pytest.mark.promise("GROUP-5")
def test_lowering_a_share_below_what_is_used_says_which_servers_are_then_over(
    open_console: OpenConsole, platform: Platform
) -> None:
    page = open_console(panel="groups")
    page.select("Groups", "vision")
    page.act("Groups", "edit")

    page.fill("Guaranteed devices", 3)

    page.sees("Pool a100: 3 guaranteed, at most 8 (was 8 guaranteed, at most 8).")
    page.sees("vision holds 6 devices in a100 and would be guaranteed 3")
    page.sees('aria-label="Servers concerned"')
    page.sees("runs on, over what is allowed")
    page.sees("<b>in all</b>")
    assert platform.client("operator").groups.get("vision").shares[0].guaranteed == 8


@pytest.mark.promise("GROUP-4")
def test_a_group_with_people_and_a_share_cannot_be_deleted_and_both_are_said(
    open_console: OpenConsole,
) -> None:
    page = open_console(panel="groups")
    page.select("Groups", "speech")
    page.act("Groups", "delete")

    page.press("Delete speech")

    page.sees('<div class="reasons" role="alert"><ul>')
    assert page.text().count("<li>", page.text().index('class="reasons"')) >= 2


def test_guaranteeing_more_than_a_pool_has_is_refused_in_the_form(
    open_console: OpenConsole,
) -> None:
    page = open_console(panel="groups")
    page.select("Groups", "course")
    page.act("Groups", "edit")
    page.fill("Guaranteed devices", 40)

    page.sees("l4 has 8 devices; guarantees of 40 would be given out")
    page.press("Save")
    page.sees("l4 has 8 devices; guarantees of 40 would be given out")


@pytest.mark.promise("USER-3")
def test_a_member_is_made_lead_and_plain_again(
    open_console: OpenConsole, platform: Platform
) -> None:
    page = open_console(panel="groups")
    page.select("Groups", "speech")
    page.select("Members of speech", "kim")

    page.act("Members of speech", "lead")
    page.has_row("Members of speech", "kim", lead=1)
    assert platform.client("operator").groups.get("speech").leads == ("kim",)
    page.act("Members of speech", "plain")
    page.has_row("Members of speech", "kim", lead=0)

    assert platform.client("operator").groups.get("speech").leads == ()


@pytest.mark.promise("GROUP-2")
def test_only_people_without_a_group_are_offered_in_strict_mode(
    open_console: OpenConsole,
) -> None:
    page = open_console(panel="groups")
    page.select("Groups", "speech")

    page.act("Members of speech", "add")
    page.until(lambda: "Add" in page.buttons())

    assert page.field("People")._options_labels == ("auditor", "operator")


def test_people_are_put_into_a_group_and_taken_out(
    open_console: OpenConsole, platform: Platform
) -> None:
    page = open_console(panel="groups")
    page.select("Groups", "speech")
    page.act("Members of speech", "add")
    page.fill("People", ["auditor"])
    page.press("Add")
    page.has_row("Members of speech", "auditor", origin="the console")

    page.select("Members of speech", "auditor")
    page.act("Members of speech", "remove")
    page.press("Take 1 person out")
    page.lacks_row("Members of speech", "auditor")

    assert platform.client("operator").users.get("auditor").memberships == ()


def test_a_tag_that_is_none_is_said_before_anything_is_sent(open_console: OpenConsole) -> None:
    page = open_console(panel="groups")
    page.select("Groups", "speech")
    page.act("Groups", "edit")
    page.fill("Tags", "department")

    page.press("Save")

    page.sees("&#x27;department&#x27; is no tag. Write tags as name=value, …")


@pytest.mark.promise("GROUP-3", "ADMIN-3")
def test_flexible_mode_is_chosen_and_a_group_then_gets_shares_in_two_pools(
    open_console: OpenConsole, platform: Platform
) -> None:
    page = open_console(panel="groups")
    page.act("Groups", "platform")
    page.fill("Mode", "flexible")
    page.sees("Groups can get shares in several pools")
    page.press("Save")
    page.sees("The platform is in flexible mode")
    page.until(lambda: page.console._picture.about.mode == "flexible")

    page.select("Groups", "vision")
    page.act("Groups", "edit")

    page.until(lambda: "Another pool" in page.buttons())
    assert platform.client("operator").about().mode == "flexible"


def test_strict_mode_is_refused_in_the_form_with_who_stands_in_its_way(
    open_console: OpenConsole, platform: Platform
) -> None:
    operator = platform.client("operator")
    operator.choose(revision=ANY, mode=Mode.FLEXIBLE)
    operator.groups.put_member("speech", "erin")
    operator.groups.put_member("course", "erin")
    page = open_console(panel="groups")
    page.until(lambda: page.console._picture.about.mode == "flexible")
    page.act("Groups", "platform")
    page.fill("Mode", "strict")

    page.press("Save")

    page.sees("Strict mode cannot be chosen while erin is in several groups.")


@pytest.mark.promise("GROUP-6", "ADMIN-3")
def test_a_department_is_made_and_a_group_joins_it(
    open_console: OpenConsole, platform: Platform
) -> None:
    page = open_console(panel="groups")
    page.act("Departments", "new")
    page.fill("Name", "research")
    page.fill("Ceilings of all its groups together", "a100=7")
    page.sees("Its groups hold at most 7 devices of pool a100 together.")
    page.press("Create department")
    page.has_row("Departments", "research")

    page.select("Groups", "vision")
    page.act("Groups", "edit")
    page.fill("Department", "research")
    page.sees("It is in department research")
    page.press("Save")

    page.has_row("Departments", "research", groups="vision")
    department = platform.client("operator").departments.get("research")
    assert (department.groups, department.ceilings[0].ceiling) == (("vision",), 7)


def test_a_ceiling_that_is_none_is_refused_in_the_form(open_console: OpenConsole) -> None:
    page = open_console(panel="groups")
    page.act("Departments", "new")
    page.fill("Name", "research")
    page.fill("Ceilings of all its groups together", "a100 seven")

    page.press("Create department")

    page.sees("is no ceiling.")
