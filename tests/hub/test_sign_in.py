"""Local sign-in in a real hub: who gets in, who is put out, and how a password is changed."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from tornado import web
from typer.testing import CliRunner

from allotment.cli import app
from allotment.record import Writing, credentials, people, session_ends
from allotment_hub import passwords
from allotment_hub.sign_in import LocalAuthenticator
from page_hubs import PageHub

WRONG = "Invalid username or password"


def soon(**duration: float) -> datetime:
    return datetime.now(UTC) + timedelta(**duration)


def message(answer: httpx.Response) -> str:
    found = re.search(r'role="alert"[^>]*>([^<]*)<', answer.text)
    return found[1].strip() if found else ""


def change(browser: httpx.Client, old: str, new: str, again: str | None = None) -> httpx.Response:
    form = {"_xsrf": browser.cookies["_xsrf"], "old": old, "new": new, "again": again or new}
    return browser.post("/change-password", data=form)


def reset(hub: PageHub, token: str, new: str) -> httpx.Response:
    browser = hub.browser()
    browser.get("/reset-password", params={"token": token})
    form = {"_xsrf": browser.cookies["_xsrf"], "token": token, "new": new, "again": new}
    return browser.post("/reset-password", data=form)


def link(hub: PageHub, person: str, token: str, **until: float) -> None:
    def make(writing: Writing) -> None:
        ends = soon(**until or {"hours": 1})
        credentials.create_reset(writing, person, passwords.link_hash(token), ends)

    hub.change(make)


def is_signed_in(browser: httpx.Client) -> bool:
    return browser.get("/home").status_code == 200


@pytest.mark.promise("AUTH-1")
@pytest.mark.parametrize("name", ["p1", "P1", " p1 "])
def test_a_known_person_with_the_right_password_gets_in(page_hub: PageHub, name: str) -> None:
    browser = page_hub.browser()
    answer = page_hub.try_sign_in(browser, name, page_hub.passwords["p1"])
    assert (answer.status_code, answer.headers["location"]) == (302, "/hub/home")
    assert is_signed_in(browser)


@pytest.mark.promise("AUTH-1", "USER-2")
@pytest.mark.parametrize(
    "name",
    [
        "p2",
        "nobody",
        "",
        "' OR 1=1 --",
        "<script>alert(1)</script>",
        "p2\x00",
        "\N{LATIN SMALL LETTER DOTLESS I}\N{COMBINING ACUTE ACCENT}",
        "x" * 5000,
    ],
)
def test_everybody_else_is_refused_in_the_same_words(page_hub: PageHub, name: str) -> None:
    browser = page_hub.browser()
    answer = page_hub.try_sign_in(browser, name, "a wrong password")
    assert (answer.status_code, message(answer)) == (403, WRONG)
    assert "<script>alert" not in answer.text
    assert not is_signed_in(browser)


def test_somebody_who_never_got_a_password_is_refused_with_any(page_hub: PageHub) -> None:
    page_hub.change(lambda w: people.onboard(w, ["fresh"]))
    for password in ("", "fresh", "None"):
        answer = page_hub.try_sign_in(page_hub.browser(), "fresh", password)
        assert (answer.status_code, message(answer)) == (403, WRONG)


def test_too_many_attempts_wait_for_known_and_unknown_names_alike(page_hub: PageHub) -> None:
    for name in ("p3", "nobody-either"):
        answers = [page_hub.try_sign_in(page_hub.browser(), name, "wrong") for _ in range(6)]
        assert [answer.status_code for answer in answers] == [403] * 5 + [429]
        assert message(answers[-1]).startswith("Too many attempts for this name. Try again in")


@pytest.mark.promise("USER-7")
def test_an_operator_is_no_administrator_of_the_hub(page_hub: PageHub) -> None:
    browser = page_hub.signed_in("olga")
    assert browser.get("/api/user").json()["admin"] is False
    assert browser.get("/api/users").status_code == 403
    hidden = browser.get("/admin")
    assert hidden.status_code == 404
    assert "operator console" in hidden.text


def test_the_sign_in_page_says_that_one_machine_is_one_domain_of_trust(page_hub: PageHub) -> None:
    page = page_hub.browser().get("/login").text
    assert "everyone who signs in shares its system user" in page
    assert "Example Research" in page


@pytest.mark.promise("AUTH-1")
def test_a_changed_password_counts_at_once_and_signs_every_other_browser_out(
    page_hub: PageHub,
) -> None:
    first = page_hub.passwords["p4"]
    here, elsewhere = page_hub.signed_in("p4"), page_hub.signed_in("p4")
    assert "Choose your own" in here.get("/home").text
    done = change(here, first, "a new pass phrase")
    assert (done.status_code, "Your password is changed" in done.text) == (200, True)
    assert is_signed_in(here)
    assert not is_signed_in(elsewhere)
    assert words_for(page_hub, "p4") == (False, True)
    assert "Choose your own" not in here.get("/home").text
    assert page_hub.try_sign_in(page_hub.browser(), "p4", first).status_code == 403
    assert page_hub.try_sign_in(page_hub.browser(), "p4", "a new pass phrase").is_redirect


@pytest.mark.parametrize(
    ("old", "new", "again", "status"),
    [
        ("not the old one", "a new pass phrase", "a new pass phrase", 403),
        ("", "a new pass phrase", "another one here", 400),
        ("", "short", "short", 400),
        ("", "p5 p5 p5 p5 p5", "p5 p5 p5 p5 p5", 400),
    ],
)
def test_a_change_that_is_refused_changes_nothing(
    page_hub: PageHub, old: str, new: str, again: str, status: int
) -> None:
    browser = page_hub.signed_in("p5")
    answer = change(browser, old or page_hub.passwords["p5"], new, again)
    assert answer.status_code == status
    assert message(answer)
    assert page_hub.try_sign_in(page_hub.browser(), "p5", page_hub.passwords["p5"]).is_redirect


def test_a_change_needs_the_forms_own_token_and_somebody_signed_in(page_hub: PageHub) -> None:
    browser = page_hub.signed_in("p6")
    form = {
        "old": page_hub.passwords["p6"],
        "new": "a new pass phrase",
        "again": "a new pass phrase",
    }
    assert browser.post("/change-password", data=form).status_code == 403
    assert page_hub.browser().get("/change-password").status_code == 302


@pytest.mark.promise("AUTH-1")
def test_a_reset_link_works_once_and_signs_its_person_out_everywhere(page_hub: PageHub) -> None:
    before = page_hub.signed_in("p7")
    link(page_hub, "p7", "token-of-p7")
    shown = page_hub.browser().get("/reset-password", params={"token": "token-of-p7"})
    assert shown.status_code == 200
    assert "p7" in shown.text
    assert shown.headers["cache-control"] == "no-store"
    assert reset(page_hub, "token-of-p7", "the reset pass phrase").status_code == 200
    assert not is_signed_in(before)
    assert words_for(page_hub, "p7") == (False, True)
    assert page_hub.try_sign_in(page_hub.browser(), "p7", "the reset pass phrase").is_redirect
    again = reset(page_hub, "token-of-p7", "another pass phrase")
    assert (again.status_code, "used or has ended" in again.text) == (403, True)


@pytest.mark.parametrize(("token", "until"), [("ended", {"seconds": -1}), ("never-made", None)])
def test_a_link_that_has_ended_or_never_was_is_refused(
    page_hub: PageHub, token: str, until: dict[str, float] | None
) -> None:
    if until:
        link(page_hub, "p8", token, **until)
    shown = page_hub.browser().get("/reset-password", params={"token": token})
    assert (shown.status_code, "used or has ended" in shown.text) == (403, True)
    assert reset(page_hub, token, "another pass phrase").status_code == 403
    assert page_hub.try_sign_in(page_hub.browser(), "p8", page_hub.passwords["p8"]).is_redirect


def test_a_newer_link_ends_an_older_one(page_hub: PageHub) -> None:
    link(page_hub, "p9", "older")
    link(page_hub, "p9", "newer")
    assert reset(page_hub, "older", "another pass phrase").status_code == 403
    assert reset(page_hub, "newer", "another pass phrase").status_code == 200


def test_a_weak_password_does_not_use_the_link_up(page_hub: PageHub) -> None:
    link(page_hub, "p10", "kept")
    assert reset(page_hub, "kept", "weak").status_code == 400
    assert reset(page_hub, "kept", "another pass phrase").status_code == 200


def test_somebody_who_is_removed_is_signed_out_and_tokens_end_too(page_hub: PageHub) -> None:
    browser = page_hub.signed_in("p11")
    xsrf = {"X-XSRFToken": browser.cookies["_xsrf"]}
    token = browser.post("/api/users/p11/tokens", json={}, headers=xsrf).json()["token"]
    program = httpx.Client(base_url=browser.base_url, headers={"Authorization": f"token {token}"})
    assert program.get("/api/user").status_code == 200
    page_hub.change(lambda w: people.delete(w, ["p11"]))
    until_refused(browser, "/home", 302)
    until_refused(program, "/api/user", 403)


@pytest.mark.promise("AUTH-1")
def test_a_password_made_on_the_machine_ends_sessions_of_before_and_only_those(
    page_hub: PageHub,
) -> None:
    before = page_hub.signed_in("p29")
    where = {"SETTINGS": str(page_hub.settings), "STATE": str(page_hub.state)}
    said = CliRunner().invoke(app, ["password", "p29", "--json"], env=where)
    given = json.loads(said.stdout)["passwords"]["p29"]

    since = page_hub.signed_in("p29", given)

    assert before.get("/home").status_code == 302
    assert [since.get("/home").status_code for _ in range(3)] == [200] * 3
    with page_hub.record.reading() as reading:
        assert session_ends.due(reading, "p29", "hub") is None


@pytest.mark.promise("AUTH-1")
def test_sessions_of_before_end_though_nobody_signs_in(page_hub: PageHub) -> None:
    before = page_hub.signed_in("p30")
    page_hub.change(lambda writing: session_ends.say(writing, "p30"))
    until_refused(before, "/home", 302)


def words_for(hub: PageHub, person: str) -> tuple[bool, bool]:
    """Whether sessions of somebody are still to end at this hub, and at another one on its record."""
    with hub.record.reading() as reading:
        here, elsewhere = (session_ends.due(reading, person, name) for name in ("hub", "another"))
    return here is not None, elsewhere is not None


def until_refused(browser: httpx.Client, path: str, status: int) -> None:
    """The hub looks again after a second: ask until it has."""
    ends = datetime.now(UTC) + timedelta(seconds=20)
    while browser.get(path).status_code != status:
        assert datetime.now(UTC) < ends, f"{path} still answers"


@pytest.mark.promise("OPS-3")
def test_no_password_and_no_link_is_in_a_log_or_readable_in_a_database(page_hub: PageHub) -> None:
    secrets = {
        "old": page_hub.passwords["p12"],
        "wrong": "a wrong pass phrase 12",
        "new": "a changed pass phrase 12",
        "reset": "a reset pass phrase 12",
        "token": "token-of-p12-that-nobody-else-has",
    }
    page_hub.try_sign_in(page_hub.browser(), "p12", secrets["wrong"])
    assert change(page_hub.signed_in("p12"), secrets["old"], secrets["new"]).status_code == 200
    link(page_hub, "p12", secrets["token"])
    assert reset(page_hub, secrets["token"], secrets["reset"]).status_code == 200
    assert page_hub.try_sign_in(page_hub.browser(), "p12", secrets["reset"]).is_redirect
    written = page_hub.log().encode() + b"".join(
        path.read_bytes() for path in page_hub.state.glob("*.sqlite*")
    )
    assert [name for name, secret in secrets.items() if secret.encode() in written] == []


async def test_without_the_record_nobody_comes_in_and_nobody_is_put_out() -> None:
    authenticator: Any = LocalAuthenticator(record_url="postgresql://127.0.0.1:1/nowhere")
    with pytest.raises(web.HTTPError) as refused:
        await authenticator.authenticate(None, {"username": "ada", "password": "any"})
    assert refused.value.status_code == 503
    user = type("User", (), {"name": "ada", "groups": []})()
    assert await authenticator.refresh_user(user) is True
