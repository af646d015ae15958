"""How people sign in is told, looked at, and given another secret: tried first, told to nobody."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from typer.testing import CliRunner

from allotment.cli import app
from allotment.record import events, sign_in

pytestmark = [pytest.mark.promise("AUTH-1"), pytest.mark.parametrize("store", ["sqlite"])]

SECRET = "a-secret-that-is-in-no-answer"
ISSUER, CLIENT = "https://login.example.org", "allotment"


def kept(lab: Any) -> sign_in.ReplacedSecret | None:
    with lab.record.reading() as reading:
        return sign_in.replaced_secret(reading, ISSUER, CLIENT)


def replace(api: Any, secret: str = SECRET) -> Any:
    return api.ask("PUT", "/sign-in/client-secret", "olga+", json={"secret": secret})


def test_what_is_active_is_told_with_what_each_hub_found(lab: Any, api: Any) -> None:
    found = {**api.hub.look, "problems": ["sign_in.callback: nobody comes back"]}
    with lab.write("hub") as writing:
        sign_in.note_look(writing, "hub", api.hub.look, succeeded=True)
        sign_in.note_look(writing, "hub", found, succeeded=False)

    said = api.ask("GET", "/sign-in", "olga+").json()

    assert (said["kind"], said["issuer"], said["operators"]) == ("oidc", ISSUER, ["olga"])
    assert [one["meaning"] for one in said["groups"]] == ["is in vision", "has the role operator"]
    (hub,) = said["hubs"]
    assert hub["state"] == "wrong"
    assert hub["problems"] == ["sign_in.callback: nobody comes back"]
    assert hub["succeeded_at"] is not None


@pytest.mark.promise("DATA-5")
def test_a_secret_that_the_provider_takes_is_kept_encrypted_and_told_to_nobody(
    lab: Any, api: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)

    answer = replace(api)

    assert answer.status_code == 200
    assert answer.json()["client_secret"]["replaced_by"] == "olga"
    assert {"secret": SECRET} in api.hub.bodies
    row = kept(lab)
    assert row is not None
    assert api.plane.data.opening.vault.decrypt(row.sealed) == SECRET
    with lab.record.reading() as reading:
        told = [one for one in events.after(reading, 0) if one.kind == "sign_in.secret_replaced"]
    assert [(one.actor, one.after) for one in told] == [("olga", {"client_id": CLIENT})]
    for place in (answer.text, caplog.text, str(told), repr(row), str(row.sealed)):
        assert SECRET not in place


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (
            {"problems": ["sign_in.client_id: the secret is not its own"]},
            "does not take the secret",
        ),
        ({"away": "login.example.org does not answer"}, "could not be tried"),
    ],
)
def test_a_secret_that_could_not_be_proven_changes_nothing(
    lab: Any, api: Any, found: dict[str, Any], said: str
) -> None:
    api.hub.look |= found

    answer = replace(api)

    assert answer.status_code == 409
    assert said in answer.json()["detail"]
    assert "Nothing was changed" in answer.json()["reasons"][0]["remedy"]
    assert SECRET not in answer.text
    assert kept(lab) is None


def test_a_secret_of_no_shape_is_refused_without_being_repeated(lab: Any, api: Any) -> None:
    answer = replace(api, f"{SECRET}\n")

    assert answer.status_code == 422
    assert SECRET not in answer.text
    assert kept(lab) is None


def test_going_back_to_the_settings_tries_theirs_first(lab: Any, api: Any) -> None:
    replace(api)
    api.hub.look |= {"problems": ["sign_in.client_id: the secret is not its own"]}
    refused = api.ask("DELETE", "/sign-in/client-secret", "olga+")
    assert refused.status_code == 409
    assert kept(lab) is not None
    api.hub.look |= {"problems": []}

    done = api.ask("DELETE", "/sign-in/client-secret", "olga+")

    assert done.json()["client_secret"]["replaced_at"] is None
    assert {"of_settings": True} in api.hub.bodies
    assert kept(lab) is None


def test_a_look_is_the_hubs_and_a_hub_that_is_away_is_said(api: Any) -> None:
    assert api.ask("POST", "/sign-in/check", "olga+").status_code == 200
    assert ("POST", "/allotment/sign-in") in api.hub.commands()
    api.hub.broken = True
    assert api.ask("POST", "/sign-in/check", "olga+").status_code == 503


@pytest.fixture
def run(api: Any) -> Any:
    environment = {"ALLOTMENT_API_URL": api.url, "ALLOTMENT_TOKEN": "olga+"}

    def command(*words: str, typed: str = "") -> Any:
        return CliRunner().invoke(app, ["sign-in", *words], env=environment, input=typed)

    return command


def test_the_command_line_tells_looks_and_replaces(lab: Any, api: Any, run: Any) -> None:
    with lab.write("hub") as writing:
        sign_in.note_look(writing, "hub", api.hub.look, succeeded=True)
    shown = run("show")
    assert f"Provider      {ISSUER}" in shown.stdout
    assert "Hub hub: looked" in shown.stdout
    assert run("check").exit_code == 0

    done = run("replace-secret", "--from", "-", typed=f"{SECRET}\n")

    assert "replaced by olga on" in done.stdout
    assert {"secret": SECRET} in api.hub.bodies
    assert SECRET not in done.output
    assert "that of the settings" in run("withdraw-secret", "--yes").stdout


def test_a_look_that_finds_something_wrong_fails_the_command(lab: Any, api: Any, run: Any) -> None:
    found = {**api.hub.look, "problems": ["sign_in.client_id: the secret is not its own"]}
    with lab.write("hub") as writing:
        sign_in.note_look(writing, "hub", found, succeeded=False)

    looked = run("check")

    assert looked.exit_code == 1
    assert "  sign_in.client_id: the secret is not its own" in looked.stdout
    assert "last found good never" in looked.stdout


def test_a_secret_is_never_taken_where_nobody_can_type_it(run: Any) -> None:
    answer = run("replace-secret")

    assert answer.exit_code == 2
    assert "--from FILE" in answer.stderr
