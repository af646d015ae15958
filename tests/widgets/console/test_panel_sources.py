"""Sources: what was proven of them, registered by a form, accepted, disabled, revoked, deleted, looked into."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from allotment.model.claims import Claim, Granted
from allotment.record import claims, sources
from control_planes import Platform
from example_data import add_data

OpenConsole = Callable[..., Any]
SOURCES = "Sources"


@pytest.fixture
def data(platform: Platform) -> Platform:
    """The example platform with sources and datasets."""
    add_data(platform.record, datetime.now(UTC))
    return platform


@pytest.mark.promise("DATA-2", "DATA-3")
@pytest.mark.usefixtures("data")
def test_every_source_says_whether_its_users_could_write_and_since_when_that_is_known(
    open_console: OpenConsole,
) -> None:
    page = open_console(panel="sources")
    page.has_row(SOURCES, "warehouse", proof="read-only", state="enabled", ends="soon")
    page.has_row(SOURCES, "lake", audience="everyone", datasets=3, ends_words="Within 15 minutes")
    page.has_row(SOURCES, "crm", proof="accepted", ends="never")
    page.has_row(SOURCES, "sensors", proof="unproven", state="unusable")
    page.has_row(SOURCES, "archive", proof="read-only", state="disabled")
    page.sees("crm is used though it is not proven read-only: operator accepted that.")
    page.sees("sensors: nobody can use it before it is proven read-only.")


@pytest.mark.promise("DATA-2", "DATA-5")
@pytest.mark.usefixtures("data")
def test_the_chosen_source_says_what_was_tried_and_of_its_secrets_only_that_they_are_kept(
    open_console: OpenConsole,
) -> None:
    page = open_console(panel="sources")
    page.select(SOURCES, "warehouse")
    page.sees("db.example.com")
    page.sees("12 min ago</time>")
    page.sees("<li>insert into sales.orders: refused</li>")
    page.sees("<th scope=row>Password</th><td>kept, encrypted</td>")
    page.select(SOURCES, "crm")
    page.sees("Its users could write: insert into crm.contact; create temporary tables.")
    page.sees("Its users can read the password of the registered account.")


@pytest.mark.promise("DATA-2")
def test_accepting_names_what_users_could_write_and_marks_the_source(
    open_console: OpenConsole, data: Platform
) -> None:
    page = open_console(panel="sources")
    page.select(SOURCES, "sensors")
    page.act(SOURCES, "accept")
    page.sees("It could not be proven: The store did not answer within ten seconds.")
    page.press("Accept the risk")
    page.has_row(SOURCES, "sensors", proof="accepted", state="enabled")
    with data.record.reading() as reading:
        assert sources.get(reading, "sensors").accepted_by == "operator"


@pytest.mark.promise("DATA-7")
def test_disabling_and_revoking_say_what_becomes_of_servers_and_datasets(
    open_console: OpenConsole, data: Platform
) -> None:
    page = open_console(panel="sources")
    page.select(SOURCES, "lake")
    page.act(SOURCES, "disable")
    page.sees("Revoke takes it from them too, at once.")
    page.press("Disable")
    page.has_row(SOURCES, "lake", state="disabled")
    page.act(SOURCES, "revoke")
    page.sees(
        "clicks, patients and sales, read through it, can none of them be loaded from then on."
    )
    page.press("Revoke lake")
    page.has_row(SOURCES, "lake", state="revoked")
    with data.record.reading() as reading:
        assert sources.get(reading, "lake").revoked_at is not None


@pytest.mark.promise("PROFILE-5", "DATA-7")
def test_revoking_names_the_servers_that_lose_the_source(
    open_console: OpenConsole, data: Platform
) -> None:
    claim = Claim("hub", "carla", "report", "minimal")
    assert isinstance(claims.admit(data.record, claim, datetime.now(UTC)), Granted)
    page = open_console(panel="sources")
    page.select(SOURCES, "warehouse")
    page.act(SOURCES, "disable")
    page.sees("1 server that holds it keeps it until it stops: carla/report.")
    page.press("Cancel")
    page.act(SOURCES, "revoke")
    page.sees("1 server loses it at once: carla/report.")


def test_a_source_through_which_datasets_are_read_is_not_deleted_another_is(
    open_console: OpenConsole, data: Platform
) -> None:
    page = open_console(panel="sources")
    page.select(SOURCES, "lake")
    page.act(SOURCES, "delete")
    page.sees("It cannot be deleted now: clicks, patients and sales are read through it.")
    page.select(SOURCES, "archive")
    page.act(SOURCES, "delete")
    page.press("Delete")
    page.lacks_row(SOURCES, "archive")
    with data.record.reading() as reading:
        assert "archive" not in {each.name for each in sources.all_sources(reading)}


@pytest.mark.promise("DATA-1", "DATA-5")
def test_the_form_asks_what_the_chosen_kind_needs_explains_it_and_forgets_the_secret(
    open_console: OpenConsole, data: Platform
) -> None:
    page = open_console(panel="sources")
    page.has_row(SOURCES, "lake")
    page.act(SOURCES, "add")
    page.sees("Still needed: Name")
    page.fill("Kind", "postgresql")
    page.sees("Name or address of the server.")
    page.fill("Account for servers", "registered")
    page.until(lambda: "Role of readers" not in labels(page))
    for label, text in (("Name", "stock"), ("Host", "localhost"), ("Database", "stock")):
        page.fill(label, text)
    page.fill("Account", "reader")
    page.sees("Still needed: Password.")
    secret = page.field("Password")
    page.fill("Password", "never-shown")
    page.fill("Groups", ["vision"])
    page.sees("Who may use it: group vision.")
    page.press("Add")
    page.has_row(SOURCES, "stock", proof="unproven", state="unusable", audience="group vision")
    page.until(lambda: not secret.value)
    with data.record.reading() as reading:
        made = sources.get(reading, "stock")
    assert (made.fields["host"], made.fields["accounts"], made.secrets) == (
        "localhost",
        "registered",
        ("password",),
    )


@pytest.mark.promise("DATA-5")
def test_a_changed_address_asks_for_its_secret_anew_and_a_title_alone_does_not(
    open_console: OpenConsole, data: Platform
) -> None:
    page = open_console(panel="sources")
    page.select(SOURCES, "warehouse")
    page.act(SOURCES, "change")
    page.sees("Nothing is changed yet.")
    page.fill("Host", "elsewhere.example.com")
    page.press("Save")
    page.sees("Host changed, so Password must be entered again.")
    page.fill("Host", "db.example.com")
    page.fill("Title", "Warehouse, nightly")
    page.sees("It is changed at once.")
    page.press("Save")
    page.sees("warehouse was changed.")
    with data.record.reading() as reading:
        found = sources.get(reading, "warehouse")
    assert (found.title, found.usable) == ("Warehouse, nightly", True)


@pytest.mark.promise("DATA-4")
@pytest.mark.usefixtures("data")
def test_a_test_that_fails_says_why_where_it_was_asked(open_console: OpenConsole) -> None:
    page = open_console(panel="sources")
    page.select(SOURCES, "warehouse")
    page.act(SOURCES, "test")
    page.until(lambda: page.console._head.tone == "bad" and "warehouse" in page.console._head.said)


@pytest.mark.promise("USER-7", "DATA-1")
@pytest.mark.usefixtures("data")
def test_a_reader_sees_every_source_and_is_offered_no_change(open_console: OpenConsole) -> None:
    page = open_console("auditor", panel="sources")
    page.has_row(SOURCES, "warehouse", audience="group nlp, group vision")
    page.select(SOURCES, "warehouse")
    page.sees("db.example.com")
    assert page.buttons() == []


def test_without_sources_the_panel_says_what_comes_next(open_console: OpenConsole) -> None:
    page = open_console(panel="sources")
    page.until(lambda: page.rows(SOURCES) == {})
    assert "Press Add" in page.grid(SOURCES).empty


def labels(page: Any) -> set[str]:
    """What the fields on the page are called."""
    return {getattr(each, "description", "") for each in page.shown()}
