"""Leaving: foreseen, then done by one action; people of a provider are linked, and a mapping is foreseen."""

from __future__ import annotations

from datetime import UTC, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from allotment.cli import app
from allotment.inventory.home_folders import HomeFolders
from allotment.model.groups import Origin
from allotment.model.homes import HomeTerms
from allotment.model.people import Permission
from allotment.model.refusals import NotPermitted, Refusal
from allotment.model.sign_on import Admits, GroupMapping, MappedGroup, ProviderIdentity
from allotment.record import (
    allotments,
    credentials,
    events,
    leaving,
    mapped,
    people,
    sign_ons,
    tickets,
)
from allotment.rules.telling import Audience, telling
from allotment.work.farewells import Farewells
from allotment.work.home_keeping import HomeKeeping

pytestmark = pytest.mark.parametrize("store", ["sqlite"])


def farewells(api: Any, lab: Any, homes: Path | None = None) -> Farewells:
    """The step of the hub ``hub``, whose homes are folders."""
    return Farewells(lab.record, api.plane.hub, "hub", lambda name: homes and homes / name)


def commands(api: Any) -> set[tuple[str, str]]:
    return set(api.hub.commands())


@pytest.mark.promise("AUTH-5")
def test_what_leaving_ends_is_known_before_and_nothing_is_changed(api: Any, lab: Any) -> None:
    lab.granted("bob", "gpu", "train")
    before = len(api.hub.commands())

    found = api.client("olga+").users.foresee_leaving("bob", heir="ann")

    assert (found.groups, found.servers) == (("vision",), ("hub~bob~train",))
    assert (found.left_at, found.heir) == (None, "ann")
    assert "1 server is stopped: train." in found.words
    assert "The home is moved to ann. What bob did stays in the record." in found.words
    assert len(api.hub.commands()) == before
    with lab.record.reading() as reading:
        assert people.get(reading, "bob").onboarded


@pytest.mark.promise("AUTH-5")
def test_one_action_ends_everything_that_a_person_holds(api: Any, lab: Any) -> None:
    lab.granted("bob", "gpu", "train")
    with lab.write() as writing:
        credentials.set_password(writing, "bob", "a-hash")
        people.set_role(writing, "bob", "operator")
    api.client("bob+").service_accounts.create("bobs", [Permission.SEE_ALL], lab.now + timedelta(1))

    api.client("olga+").users.let_go("bob", reason="The contract ends.")

    with lab.record.reading() as reading:
        bob = people.get(reading, "bob")
        assert (bob.onboarded, bob.role) == (False, "data-scientist")
        assert bob.left_at is not None
        assert people.authority(reading, "bob", lab.now).groups == ()
        assert credentials.get(reading, "bob") is None
        assert leaving.foresee(reading, "bob").service_accounts == ()
        assert tickets.live(reading, person="bob") == ()
        (event,) = events.newest(reading, "person.left")
    assert (event.actor, event.before) == ("olga", {"groups": ["vision"], "role": "operator"})
    assert ("DELETE", "/users/bob/servers/train") in commands(api)
    assert "person.onboarded" in {reason.rule for reason in lab.claim("bob", "cpu").reasons}


@pytest.mark.promise("AUTH-5")
def test_the_hubs_part_waits_until_no_server_is_left(api: Any, lab: Any) -> None:
    allotment = lab.granted("bob", "gpu", "train")
    api.client("olga+").users.let_go("bob")
    step = farewells(api, lab)

    assert step.round(lab.now) == ""
    assert ("DELETE", "/users/bob") not in commands(api)

    lab.end(allotment)
    assert step.round(lab.now) == "ended what the hub had of bob"
    assert ("DELETE", "/users/bob") in commands(api)
    assert step.round(lab.now) == ""


@pytest.mark.promise("AUTH-5")
def test_a_hub_that_is_away_or_refuses_only_puts_it_off(api: Any, lab: Any) -> None:
    api.client("olga+").users.let_go("bob")
    step = farewells(api, lab)
    api.hub.refusing = "bob's server is in the process of stopping, please wait."
    assert step.round(lab.now) == ""

    api.hub.refusing = ""
    assert step.round(lab.now) == "ended what the hub had of bob"


@pytest.mark.promise("AUTH-5", "SERVER-7")
def test_a_server_that_is_missed_is_stopped_by_the_next_round(api: Any, lab: Any) -> None:
    with lab.write("olga") as writing:
        leaving.leave(writing, "bob")
    allotment = lab.granted("zoe", "cpu", "hers")
    with lab.write("olga") as writing:
        leaving.leave(writing, "zoe")

    farewells(api, lab).round(lab.now)

    with lab.record.reading() as reading:
        held = allotments.get(reading, allotment)
    assert (str(held.state), held.stop_reason) == ("stopping", leaving.WHY)


@pytest.mark.promise("AUTH-5")
def test_the_home_is_kept_or_handed_over_whole(api: Any, lab: Any, tmp_path: Path) -> None:
    for name in ("bob", "zoe"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "model.pt").write_text(name)
    users = api.client("olga+").users
    users.let_go("bob", heir="ann")
    users.let_go("zoe")

    farewells(api, lab, tmp_path).round(lab.now)

    assert (tmp_path / "ann" / "from-bob" / "model.pt").read_text() == "bob"
    assert not (tmp_path / "bob").exists()
    assert (tmp_path / "zoe" / "model.pt").read_text() == "zoe"


@pytest.mark.promise("AUTH-5")
def test_a_home_that_cannot_be_moved_is_kept_and_that_is_told(
    api: Any, lab: Any, tmp_path: Path
) -> None:
    (tmp_path / "bob").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "ann").symlink_to(tmp_path / "elsewhere")
    api.client("olga+").users.let_go("bob", heir="ann")

    farewells(api, lab, tmp_path).round(lab.now)

    with lab.record.reading() as reading:
        (event,) = events.newest(reading, "person.farewell")
    assert event.after["note"].startswith("The home is kept. It could not be moved to ann")
    assert (tmp_path / "bob").exists()
    assert not list((tmp_path / "elsewhere").iterdir())


@pytest.mark.promise("AUTH-5", "SERVER-10")
def test_a_home_that_cannot_be_handed_over_is_kept_and_its_heir_and_operators_are_told(
    api: Any, lab: Any, tmp_path: Path
) -> None:
    folder = tmp_path / "homes"
    (folder / "bob").mkdir(parents=True)
    api.client("olga+").users.let_go("bob", heir="ann")
    terms = HomeTerms(keep=timedelta(days=30), warn=timedelta(days=7))
    keeping = HomeKeeping(lab.record, "hub", lambda: HomeFolders(folder), lambda: terms)

    keeping.round(lab.now)
    with lab.record.reading() as reading:
        assert events.newest(reading, "home.due") == ()
    farewells(api, lab).round(lab.now)
    for days in (0, 23, 30, 300):
        keeping.round(lab.now + timedelta(days=days))

    (home,) = api.client("olga+").homes.all().items
    assert (home.place, home.heir, home.ends_at) == ("bob", "ann", None)
    with lab.record.reading() as reading:
        (event,) = events.newest(reading, "home.due")
        assert events.newest(reading, "home.warned") == ()
    said = telling(event, UTC)
    assert said is not None
    assert (said.audience, said.whose) == (Audience.PERSON_AND_OPERATORS, "ann")
    assert said.subject == "The home of bob is due to ann"
    (notice,) = (one for one in api.client("ann").me().notices if one.kind == "home")
    assert "You are to get the home of bob on hub" in notice.message


@pytest.mark.promise("AUTH-5", "USER-1")
def test_the_last_operator_cannot_leave(api: Any) -> None:
    with pytest.raises(Refusal, match="at least one operator"):
        api.client("olga+").users.let_go("olga")


@pytest.mark.promise("AUTH-5")
@pytest.mark.parametrize("heir", ["bob", "nobody"])
def test_an_heir_must_be_somebody_else_who_is_here(api: Any, heir: str) -> None:
    with pytest.raises(Refusal):
        api.client("olga+").users.let_go("bob", heir=heir)


@pytest.mark.promise("AUTH-5", "USER-4")
def test_nobody_lets_go_whom_they_have_no_power_over(api: Any, lab: Any) -> None:
    with lab.write() as writing:
        people.set_role(writing, "zoe", "reader")
    for token in ("ann+", "zoe+", "olga"):
        with pytest.raises(NotPermitted):
            api.client(token).users.let_go("bob")
        with pytest.raises(NotPermitted):
            api.client(token).users.foresee_leaving("bob")


@pytest.mark.promise("AUTH-5")
def test_who_left_comes_back_only_by_being_onboarded_and_has_nothing_left(
    api: Any, lab: Any
) -> None:
    sign_in(lab, "bob-x", "ml-vision", person="bob")
    users = api.client("olga+").users
    users.let_go("bob")
    farewells(api, lab).round(lab.now)

    users.onboard(["bob"])
    with lab.write() as writing:
        mapped.apply(writing, "bob", MAPPING)

    assert users.foresee_leaving("bob").left_at is None
    assert users.get("bob").memberships == ()
    assert farewells(api, lab).round(lab.now) == ""


@pytest.mark.promise("AUTH-5", "USER-2")
def test_a_name_that_is_onboarded_again_after_it_was_forgotten_is_left_in_peace(
    api: Any, lab: Any
) -> None:
    users = api.client("olga+").users
    users.let_go("bob")
    farewells(api, lab).round(lab.now)
    users.delete(["bob"])

    users.onboard(["bob"])

    assert farewells(api, lab).round(lab.now) == ""
    assert people_known(lab, "bob").onboarded


@pytest.mark.promise("AUTH-5")
@pytest.mark.parametrize("removed", [False, True])
def test_nobody_comes_back_before_the_hub_has_ended_what_it_had(
    api: Any, lab: Any, removed: bool
) -> None:
    users = api.client("olga+").users
    users.let_go("bob")
    if removed:
        users.delete(["bob"])

    with pytest.raises(Refusal, match="has not yet ended what it had of bob"):
        users.onboard(["bob"])

    farewells(api, lab).round(lab.now)
    users.onboard(["bob"])
    assert people_known(lab, "bob").onboarded


@pytest.mark.promise("AUTH-5")
def test_whom_the_settings_bring_back_at_once_is_ended_at_the_hub_all_the_same(
    api: Any, lab: Any
) -> None:
    api.client("olga+").users.let_go("bob")
    with lab.write() as writing:
        people.onboard(writing, ["bob"], origin=Origin.SETTINGS)

    assert farewells(api, lab).round(lab.now) == "ended what the hub had of bob"
    assert people_known(lab, "bob").onboarded


@pytest.mark.promise("AUTH-3", "USER-6")
def test_service_accounts_of_somebody_who_is_removed_are_not_the_next_ones_of_that_name(
    api: Any, lab: Any
) -> None:
    with lab.write() as writing:
        people.set_role(writing, "bob", "operator")
    end = lab.now + timedelta(days=1)
    made = api.client("bob+").service_accounts.create("bobs", [Permission.SEE_ALL], end)
    users = api.client("olga+").users

    users.delete(["bob"])
    users.onboard(["bob"], role="operator")

    assert api.ask("GET", "/overview", made.token).status_code == 401


def people_known(lab: Any, name: str) -> Any:
    with lab.record.reading() as reading:
        return people.get(reading, name)


@pytest.mark.promise("AUTH-5")
def test_the_command_says_first_what_it_ends(api: Any) -> None:
    environment = {"ALLOTMENT_API_URL": api.url, "ALLOTMENT_TOKEN": "olga+"}

    def run(*words: str) -> Any:
        return CliRunner().invoke(app, list(words), env=environment)

    preview = run("leave", "bob", "--preview")
    assert "bob leaves vision, and loses their data at once." in preview.stdout
    unasked = run("leave", "bob")
    assert (unasked.exit_code, "say --yes" in unasked.stderr) == (2, True)
    assert run("leave", "bob", "--yes").exit_code == 0
    assert "bob left on 2026-03-01." in run("leave", "bob", "--preview").stdout


@pytest.mark.promise("AUTH-4")
def test_an_operator_links_a_person_and_forgets_the_link(api: Any, lab: Any) -> None:
    environment = {"ALLOTMENT_API_URL": api.url, "ALLOTMENT_TOKEN": "olga+"}

    def run(*words: str) -> str:
        done = CliRunner().invoke(app, list(words), env=environment)
        assert done.exit_code == 0, done.output
        return str(done.stdout)

    assert run("accounts", "bob") == "bob has signed in through no provider.\n"
    assert "b.jones is bob at the next sign-in" in run("link", "bob", "b.jones", "--yes")
    sign_in(lab, "b.jones", "staff")
    told = run("accounts", "bob")
    assert "https://login.example.org" in told
    assert "Groups there  staff" in told
    run("unlink", "bob", "--yes")
    assert run("accounts", "bob").startswith("bob has signed in through no provider.\n")


MAPPING = GroupMapping((MappedGroup("ml-vision", group="vision"),))


@pytest.mark.promise("USER-6", "AUTH-5")
def test_a_hub_that_was_away_at_a_removal_ends_what_it_had_when_it_is_back(
    api: Any, lab: Any
) -> None:
    olga = api.client("olga+")
    olga.me()
    api.hub.broken = True

    (note,) = olga.users.delete(["zoe"]).notes

    assert note.endswith("It is done when the hub is back.")
    with pytest.raises(Refusal, match="has not yet ended what it had of zoe"):
        olga.users.onboard(["zoe"])
    api.hub.broken = False
    assert farewells(api, lab).round(lab.now) == "ended what the hub had of zoe"
    assert commands(api) >= {("DELETE", "/users/zoe")}
    assert olga.users.onboard(["zoe"]).users[0].name == "zoe"


@pytest.mark.promise("USER-6")
def test_a_hub_that_is_there_ends_it_at_once(api: Any, lab: Any) -> None:
    olga = api.client("olga+")

    assert olga.users.delete(["zoe"]).notes == ()

    assert farewells(api, lab).round(lab.now) == ""
    assert olga.users.onboard(["zoe"]).users[0].name == "zoe"


def sign_in(lab: Any, name: str, *provider_groups: str, person: str | None = None) -> str:
    identity = ProviderIdentity(
        "https://login.example.org", f"subject-of-{name}", name, groups=provider_groups
    )
    with lab.write() as writing:
        if person is not None:
            sign_ons.link(writing, person, name)
        return sign_ons.signed_in(writing, identity, MAPPING, admits=Admits.EVERYBODY).name


MAPPED = """
sign_in:
  kind: oidc
  operators: [olga]
  issuer: https://login.example.org
  client_id: allotment
  client_secret_variable: SECRET
  accept_shared_user: true
  groups:
  - {name: linguists, group: vision, lead: true}
  - {name: platform, role: operator}
groups:
- name: vision
"""


@pytest.mark.promise("AUTH-6")
def test_a_mapping_is_foreseen_from_a_settings_file(api: Any, lab: Any, tmp_path: Path) -> None:
    sign_in(lab, "mei", "ml-vision")
    sign_in(lab, "tom", "linguists")
    file = tmp_path / "allotment.yaml"
    file.write_text(MAPPED)
    environment = {"ALLOTMENT_API_URL": api.url, "ALLOTMENT_TOKEN": "olga+"}

    found = api.client("olga+").sign_on.foresee(file.read_text())
    told = CliRunner().invoke(app, ["mapping", str(file)], env=environment)

    assert [one.sentence for one in found.changes] == [
        "mei loses the membership in vision.",
        "tom gains the membership in vision.",
        "tom gains leading vision.",
    ]
    assert told.exit_code == 0, told.output
    assert "3 changes in all." in told.stdout
