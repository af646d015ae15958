"""Users: on-boarded, configured, moved, removed; and refused with every reason."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from allotment_widgets.picture import Changed, Topic
from control_planes import Platform

OpenConsole = Callable[..., Any]


def configured(open_console: OpenConsole, person: str) -> Any:
    page = open_console(panel="users")
    page.select("Users", person)
    page.act("Users", "configure")
    page.until(lambda: "Make a link for a new password" in page.buttons())
    return page


@pytest.mark.promise("USER-2", "ADMIN-3")
def test_two_people_are_on_boarded_at_once_into_a_group(
    open_console: OpenConsole, platform: Platform
) -> None:
    page = open_console(panel="users")
    page.act("Users", "onboard")
    page.fill("Names, one a line", "ada\ngrace-h")
    page.fill("Group", "vision")
    page.sees("2 people can sign in and launch, in group vision, with the role data-scientist")

    page.press("On-board 2")
    page.has_row("Users", "grace-h", role="data-scientist")

    ada = platform.client("operator").users.get("ada")
    assert [one.group for one in ada.memberships] == ["vision"]


@pytest.mark.promise("USER-2", "ADMIN-3")
def test_the_default_group_is_chosen_in_the_console_and_preselected_for_new_people(
    open_console: OpenConsole, platform: Platform
) -> None:
    page = open_console(panel="groups")
    page.act("Groups", "platform")
    page.fill("Group of new people", "speech")
    page.sees("Group speech is chosen already where people are on-boarded. Nobody is moved.")
    page.press("Save")
    page.sees("new people are proposed group speech")
    page.until(lambda: platform.client("operator").about().default_group == "speech")

    page.open("users")
    page.until(lambda: page.console._picture.about.default_group == "speech")
    page.act("Users", "onboard")

    page.fill("Names, one a line", "ada")

    page.sees("1 person can sign in and launch, in group speech")


def test_a_name_that_is_none_is_refused_in_the_form_and_nobody_is_on_boarded(
    open_console: OpenConsole, platform: Platform
) -> None:
    page = open_console(panel="users")
    page.act("Users", "onboard")
    page.fill("Names, one a line", "ada, Not_A_Name!")

    page.press("On-board 2")

    page.sees('<div class="reasons" role="alert">')
    assert "ada" not in {one.name for one in platform.client("operator").users.all().items}


@pytest.mark.promise("LIMIT-1")
def test_the_view_of_a_user_says_which_limit_binds_and_where_it_comes_from(
    open_console: OpenConsole,
) -> None:
    page = configured(open_console, "erin")

    page.sees("set for this person")
    page.sees("the platform&#x27;s default")
    page.sees("1 server, 1 device.")


@pytest.mark.promise("LIMIT-1", "ADMIN-3")
def test_a_limit_of_a_persons_own_is_set_and_taken_away(
    open_console: OpenConsole, platform: Platform
) -> None:
    page = configured(open_console, "erin")
    page.fill("Own limit: running servers", "1")
    page.fill("Own limit: devices at once", "")
    page.sees("erin: at most 1 running servers, of their own (now 4, the platform&#x27;s default).")

    page.press("Save")
    page.until(lambda: page.console._head.said)

    limits = {str(one.kind): one for one in platform.client("operator").users.get("erin").limits}
    assert (limits["servers"].value, limits["servers"].source) == (1, "set for this person")
    assert limits["devices"].source == "the platform's default"


@pytest.mark.promise("LIMIT-1", "GROUP-5")
def test_a_limit_below_what_somebody_holds_is_said_before_it_is_saved(
    open_console: OpenConsole, platform: Platform
) -> None:
    page = open_console(panel="users")
    page.select("Users", "bob")
    page.act("Users", "configure")
    page.fill("Own limit: running servers", "0")

    page.sees("bob holds more than that now. Nothing of theirs is stopped")
    page.sees('aria-label="People concerned"')
    assert platform.client("operator").limits.all(scope="person", subject="bob").items == ()


def test_a_limit_that_is_no_number_is_said_in_words(open_console: OpenConsole) -> None:
    page = configured(open_console, "erin")
    page.fill("Own limit: running servers", "many")

    page.press("Save")

    page.sees("&#x27;many&#x27; is no limit for running servers.")


@pytest.mark.promise("USER-3")
def test_a_user_is_promoted_and_moved_in_one_go(
    open_console: OpenConsole, platform: Platform
) -> None:
    page = configured(open_console, "kim")
    page.fill("Role", "reader")
    page.fill("Group", "nlp")
    page.sees("kim gets the role reader (was data-scientist)")
    page.sees("kim leaves speech. kim joins nlp. Servers that run stay charged")

    page.press("Save")
    page.has_row("Users", "kim", role="reader", groups="nlp")

    kim = platform.client("operator").users.get("kim")
    assert (kim.role, [one.group for one in kim.memberships]) == ("reader", ["nlp"])


@pytest.mark.promise("USER-1")
def test_the_last_operator_cannot_be_downgraded_and_the_form_says_why(
    open_console: OpenConsole, platform: Platform
) -> None:
    page = configured(open_console, "operator")
    page.fill("Role", "data-scientist")

    page.press("Save")

    page.sees("operator")
    page.until(lambda: 'class="reasons"' in page.text())
    assert platform.client("operator").users.get("operator").role == "operator"


def test_a_link_for_a_new_password_is_shown_once(open_console: OpenConsole) -> None:
    page = configured(open_console, "erin")

    page.press("Make a link for a new password")
    page.sees("reset-password?token=")
    page.press("Cancel")
    page.until(lambda: "reset-password?token=" not in page.text())
    page.act("Users", "configure")
    page.until(lambda: "Make a link for a new password" in page.buttons())

    assert "reset-password?token=" not in page.text()


@pytest.mark.promise("USER-6")
def test_removing_people_of_whom_one_has_a_running_server_is_refused_and_all_stay(
    open_console: OpenConsole, platform: Platform
) -> None:
    page = open_console(panel="users")
    page.select("Users", "student-4", "kim")
    page.act("Users", "delete")
    page.sees("kim has running servers, which stands in the way.")

    page.press("Remove 2 people")

    page.until(lambda: 'class="reasons"' in page.text())
    assert platform.client("operator").users.get("student-4").name == "student-4"


@pytest.mark.promise("USER-6")
def test_several_people_are_removed_at_once(open_console: OpenConsole, platform: Platform) -> None:
    page = open_console(panel="users")
    page.select("Users", "student-4", "auditor")
    page.act("Users", "delete")

    page.press("Remove 2 people")
    page.lacks_row("Users", "auditor")

    names = {one.name for one in platform.client("operator").users.all().items}
    assert names.isdisjoint({"student-4", "auditor"})


def test_people_are_moved_together(open_console: OpenConsole) -> None:
    page = open_console(panel="users")
    page.select("Users", "ines", "jonas")
    page.act("Users", "move")
    page.fill("To group", "nlp")
    page.sees("ines and jonas leave speech.")

    page.press("Move")

    page.has_row("Users", "jonas", groups="nlp")
    page.has_row("Users", "ines", groups="nlp")


@pytest.mark.promise("ADMIN-2")
def test_the_view_of_a_user_says_what_they_hold_as_soon_as_it_is_known(
    open_console: OpenConsole,
) -> None:
    page = configured(open_console, "erin")
    page.sees("1 server, 1 device.")
    servers = page.console._picture.servers
    erins = next(one for one in servers.values() if one.person == "erin")

    def gone() -> None:
        del servers[erins.id]
        page.console.changed(Changed.all_of([Topic.SERVERS]))

    page.console._backend.soon(gone)

    page.sees("Nothing: no server runs.")
