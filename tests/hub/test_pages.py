"""The hub's pages in a real hub: what they show, what their forms do, and what they never do."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from html import unescape
from urllib.parse import quote

import httpx
import pytest

from allotment.model.budgets import BudgetScope, BudgetTerms
from allotment.model.limits import LimitKind, LimitScope
from allotment.record import Writing, budgets, limits, people
from hubs import until
from page_hubs import PageHub, launch

HOSTILE = '"><img src=x onerror=alert(1)>'


def held(hub: PageHub, person: str) -> set[str]:
    """Names of the servers that hold something."""
    return {one.server for one in hub.held(person)}


def in_hub(browser: httpx.Client, person: str) -> set[str]:
    """Names of the servers that the hub knows, stopped ones too."""
    answer = browser.get(
        f"/api/users/{person}", params={"include_stopped_servers": "1"}, headers=xsrf(browser)
    )
    return {name for name in answer.json()["servers"] if name}


def xsrf(browser: httpx.Client) -> dict[str, str]:
    return {"X-XSRFToken": browser.cookies["_xsrf"]}


def end(hub: PageHub, browser: httpx.Client, person: str, server: str) -> None:
    """Stop a server and wait until it holds nothing."""
    path = f"/api/users/{person}/servers/{server}" if server else f"/api/users/{person}/server"
    browser.delete(path, headers=xsrf(browser)).raise_for_status()
    until(lambda: server not in held(hub, person), f"{server!r} to end")


def cards(page: str) -> dict[str, str]:
    """The cards of a launch page: what can be said of each."""
    return dict(re.findall(r'id="card-([^"]+)" data-readiness="([^"]+)"', page))


def parts(
    browser: httpx.Client, page: str = "launch", tag: str = "", **asked: str
) -> httpx.Response:
    headers = xsrf(browser) | ({"If-None-Match": tag} if tag else {})
    return browser.get(f"/allotment/parts/{page}", params=asked, headers=headers)


@pytest.mark.promise("SERVER-1", "PROFILE-3")
def test_the_launch_page_shows_a_card_for_each_size_that_its_person_may_see(
    page_hub: PageHub,
) -> None:
    seen = cards(page_hub.signed_in("ada").get("/spawn").text)
    assert seen == {"small": "now", "gpu": "now", "two": "now", "four": "no"}
    assert "bens" in cards(page_hub.signed_in("ben").get("/spawn").text)


@pytest.mark.promise("SERVER-1", "LIMIT-4")
def test_a_card_that_cannot_be_launched_says_every_reason(page_hub: PageHub) -> None:
    page = page_hub.signed_in("ada").get("/spawn").text
    card = page.partition('id="card-four"')[2].partition('id="card-gpu"')[0]
    assert re.findall(r'data-rule="([^"]+)"', card) == ["limit.devices", "share.guarantee"]


@pytest.mark.promise("SERVER-1", "SERVER-2")
def test_three_steps_name_choose_launch_give_a_server_that_home_lists(page_hub: PageHub) -> None:
    browser = page_hub.signed_in("p13")
    answer = launch(browser, name="Cell counting", note="Third try", profile="small")
    assert answer.is_redirect
    assert "_xsrf" not in answer.headers["location"]
    until(lambda: "cell-counting" in held(page_hub, "p13"), "the server")
    page = until(lambda: running(browser), "it to run")
    assert "Cell counting" in page
    assert "Third try" in page
    end(page_hub, browser, "p13", "cell-counting")


def running(browser: httpx.Client) -> str:
    page = browser.get("/home").text
    return page if ">Running<" in page else ""


@pytest.mark.promise("LIMIT-4", "USER-7")
def test_a_refused_form_comes_back_with_all_reasons_and_what_was_typed(page_hub: PageHub) -> None:
    browser = page_hub.signed_in("ada")
    answer = launch(browser, name="Too large", note="I typed this", profile="four")
    page = answer.text
    assert answer.status_code == 403
    alert = page.partition('id="refused"')[2].partition("</section>")[0]
    assert "Too large was not launched" in alert
    assert re.findall(r'data-rule="([^"]+)"', alert) == ["limit.devices", "share.guarantee"]
    assert 'value="Too large"' in page
    assert 'value="I typed this"' in page
    assert re.search(r'id="pick-four" value="four"[^>]* checked', page)
    assert "too-large" not in in_hub(browser, "ada")
    assert "Traceback" not in page


@pytest.mark.promise("MONEY-3", "SERVER-1")
def test_what_a_budget_cannot_pay_is_said_on_its_card_and_refused_with_the_amounts(
    page_hub: PageHub,
) -> None:
    little = BudgetTerms.model_validate({"amount": "0.10"})
    page_hub.change(lambda writing: budgets.put(writing, BudgetScope.PERSON, "p28", little))
    browser = page_hub.signed_in("p28")

    card = browser.get("/spawn").text.partition('id="card-gpu"')[2].partition('id="card-')[0]
    answer = launch(browser, name="Dear", profile="gpu")

    assert "budget.person" in re.findall(r'data-rule="([^"]+)"', card)
    assert answer.status_code == 403
    assert "You have used 0.00 of a budget of 0.10 a month" in answer.text
    assert held(page_hub, "p28") == set()


@pytest.mark.parametrize(
    "fields",
    [
        {"profile": "no-such"},
        {"profile": "bens"},
        {"profile": "operator-console"},
        {"profile": "small", "group": "nobodys"},
        {"profile": "small", "unknown": "field"},
        {"profile": "x" * 5000},
        {"profile": "small", "note": "\x00"},
        {"profile": HOSTILE, "group": HOSTILE},
        {},
    ],
)
def test_a_form_that_no_page_of_ours_sends_is_refused_and_starts_nothing(
    page_hub: PageHub, fields: dict[str, str]
) -> None:
    browser = page_hub.signed_in("p14")
    answer = launch(browser, name="wrong", **fields)
    assert answer.status_code in {400, 403}
    assert "was not launched" in answer.text
    assert HOSTILE not in answer.text
    assert held(page_hub, "p14") == set()


@pytest.mark.parametrize("name", ["zero\u200bwidth", "right\u202eleft", "a" * 300])
def test_a_name_that_cannot_be_shown_is_refused_on_the_form(page_hub: PageHub, name: str) -> None:
    browser = page_hub.signed_in("p14")
    answer = launch(browser, name=name, note="I typed this", profile="small")
    assert (answer.status_code, "cannot be shown" in answer.text) == (400, True)
    assert 'value="I typed this"' in answer.text
    assert held(page_hub, "p14") == set()


def test_two_names_that_read_alike_are_two_servers(page_hub: PageHub) -> None:
    browser = page_hub.signed_in("p15")
    for name in ("Räume 1", "Raume-1"):
        assert launch(browser, name=name, profile="small").is_redirect
    until(lambda: len(held(page_hub, "p15")) == 2, "two servers")
    for server in held(page_hub, "p15"):
        end(page_hub, browser, "p15", server)


def test_words_of_strangers_are_text_on_every_page(page_hub: PageHub) -> None:
    page_hub.publish(
        "hostile", f"title: '{HOSTILE}'\ndescription: '{HOSTILE}'\nvisible_to: {{people: [p16]}}\n"
    )
    browser = page_hub.signed_in("p16")
    until(lambda: "hostile" in cards(browser.get("/spawn").text), "the profile")
    launch(browser, name=HOSTILE, note=HOSTILE, profile="hostile")
    (server,) = until(lambda: held(page_hub, "p16"), "the server")
    shown = [
        browser.get("/home"),
        browser.get("/spawn"),
        browser.get(f"/spawn?opt-profile={quote(HOSTILE)}&next={quote(HOSTILE)}"),
        browser.get(f"/spawn-pending/p16/{server}"),
        browser.get(f"/{quote(HOSTILE)}"),
        browser.get(f"/login?username={quote(HOSTILE)}&next={quote(HOSTILE)}"),
        browser.get(f"/reset-password?token={quote(HOSTILE)}"),
        parts(browser, "home"),
        parts(browser, group=HOSTILE, profile=HOSTILE, server=HOSTILE),
    ]
    assert [answer.url for answer in shown if "<img" in answer.text] == []
    assert HOSTILE in unescape(shown[0].text)
    end(page_hub, browser, "p16", server)


@pytest.mark.parametrize(
    "path", ["/home", "/spawn", "/token", "/change-password", "/login", "/nowhere"]
)
def test_no_page_has_a_script_or_style_of_its_own(page_hub: PageHub, path: str) -> None:
    page = (
        page_hub.signed_in("ada").get(path).text
        if path != "/login"
        else page_hub.browser().get(path).text
    )
    assert "default-src 'self'; script-src 'self'; style-src 'self'" in page
    assert re.findall(r"<script(?![^>]* src=)[^>]*>", page) == []
    assert re.findall(r"<[^>]* (?:on\w+|style)=", page) == []


def test_a_link_chooses_a_size_and_launches_nothing(page_hub: PageHub) -> None:
    browser = page_hub.signed_in("p17")
    page = browser.get("/spawn?opt-profile=gpu&profile=gpu").text
    assert re.search(r'id="pick-gpu" value="gpu"[^>]* checked', page)
    assert held(page_hub, "p17") == set()


@pytest.mark.promise("SERVER-1")
def test_live_parts_are_drawn_again_only_when_the_record_changed(page_hub: PageHub) -> None:
    browser = page_hub.signed_in("ben")
    first = parts(browser)
    assert (first.status_code, cards(first.text)["gpu"]) == (200, "now")
    until(
        lambda: parts(browser, tag=parts(browser).headers["ETag"]).status_code == 304, "no change"
    )
    page_hub.change(lambda w: limits.put(w, LimitScope.PERSON, "ben", LimitKind.DEVICES, 0))
    changed = parts(browser, tag=first.headers["ETag"])
    assert (changed.status_code, cards(changed.text)["gpu"]) == (200, "no")
    page_hub.change(lambda w: limits.put(w, LimitScope.PERSON, "ben", LimitKind.DEVICES, None))


def test_live_parts_are_for_the_hubs_own_pages(page_hub: PageHub) -> None:
    browser = page_hub.signed_in("ada")
    foreign = browser.get("/allotment/parts/home", headers={"Sec-Fetch-Mode": "cors"})
    assert foreign.status_code == 403
    assert page_hub.browser().get("/allotment/parts/home").is_redirect


@pytest.mark.promise("PROFILE-3")
def test_somebody_who_may_launch_nothing_is_told_what_to_do_and_gets_no_server(
    page_hub: PageHub,
) -> None:
    def forget_onboarding(writing: Writing) -> None:
        writing.driver("UPDATE people SET onboarded_at = NULL WHERE name = :name", {"name": "p18"})

    page_hub.change(forget_onboarding)
    browser = page_hub.signed_in("p18")
    page = browser.get("/spawn").text
    assert "You are not on-boarded yet" in page
    assert "an operator (olga)" in page
    assert launch(browser, name="x", profile="small").status_code == 403
    assert held(page_hub, "p18") == set()


@pytest.mark.promise("SERVER-3")
def test_deleting_a_server_removes_it_from_hub_and_record(page_hub: PageHub) -> None:
    browser = page_hub.signed_in("p19")
    launch(browser, name="gone", profile="small")
    until(lambda: running(browser), "it to run")
    end(page_hub, browser, "p19", "gone")
    browser.request(
        "DELETE", "/api/users/p19/servers/gone", json={"remove": True}, headers=xsrf(browser)
    ).raise_for_status()
    assert "gone" not in in_hub(browser, "p19")
    assert "No servers yet" in until(lambda: parts(browser, "home").text, "the page")


@pytest.mark.promise("SERVER-3")
def test_the_default_server_can_be_forgotten_when_it_does_not_run(page_hub: PageHub) -> None:
    browser = page_hub.signed_in("p20")
    launch(browser, profile="small")
    until(lambda: running(browser), "it to run")
    assert browser.post("/allotment/forget", headers=xsrf(browser)).status_code == 409
    end(page_hub, browser, "p20", "")
    assert browser.post("/allotment/forget").status_code == 403
    assert browser.post("/allotment/forget", headers=xsrf(browser)).status_code == 204
    assert "No servers yet" in browser.get("/home").text


def test_a_stopped_server_is_said_to_be_stopped_and_one_that_never_was_to_be_missing(
    page_hub: PageHub,
) -> None:
    browser = page_hub.signed_in("p21")
    launch(browser, name="napping", profile="small")
    until(lambda: running(browser), "it to run")
    end(page_hub, browser, "p21", "napping")
    page = browser.get("/user/p21/napping/lab")
    assert (page.status_code, "napping is not running" in page.text) == (424, True)
    assert "Start it again" in page.text
    missing = browser.get("/user/p22/x/lab")
    assert missing.status_code == 404


def test_a_page_says_that_the_record_is_away_and_keeps_what_is_typed(page_hub: PageHub) -> None:
    browser = page_hub.signed_in("p23")
    rename(page_hub, "profiles", "profiles_away")
    try:
        for path in ("/spawn", "/home"):
            answer = browser.get(path)
            assert answer.status_code == 200
            assert "does not answer" in answer.text
        assert parts(browser).status_code == 503
    finally:
        rename(page_hub, "profiles_away", "profiles")
    assert cards(browser.get("/spawn").text)


def rename(hub: PageHub, table: str, to: str) -> None:
    with hub.record.writing("olga", datetime.now(UTC)) as writing:
        writing.driver(f"ALTER TABLE {table} RENAME TO {to}", {})


def test_static_files_keep_for_ever_under_an_address_that_changes_with_them(
    page_hub: PageHub,
) -> None:
    browser = page_hub.browser()
    found = re.search(
        r'href="/hub(/allotment/static/[0-9a-f]+/)look.css"', browser.get("/login").text
    )
    assert found
    style = browser.get(f"{found[1]}look.css")
    assert "immutable" in style.headers["cache-control"]
    assert browser.get(f"{found[1]}../templates/login.html").status_code in {403, 404}
    assert browser.get(f"{found[1]}%2e%2e/templates/login.html").status_code in {403, 404}


def test_the_console_is_one_button_for_operators_and_leads_and_no_size_for_anybody(
    page_hub: PageHub,
) -> None:
    olga, ada, ben = (page_hub.signed_in(name) for name in ("olga", "ada", "ben"))
    assert "Operator console</button>" in olga.get("/home").text
    assert "Operator console</button>" in ada.get("/home").text
    assert "Operator console" not in ben.get("/home").text
    assert "operator-console" not in cards(olga.get("/spawn").text)


def test_a_new_person_of_the_record_needs_no_restart(page_hub: PageHub) -> None:
    page_hub.change(lambda w: people.onboard(w, ["newcomer"], group="vision"))
    page_hub.give_password("newcomer", "a pass phrase for them")
    browser = page_hub.signed_in("newcomer", "a pass phrase for them")
    assert "newcomer" in browser.get("/home").text
    assert "Paid by <b>vision</b>" in browser.get("/spawn").text


@pytest.mark.promise("LIMIT-4")
def test_a_launch_refused_while_its_progress_is_shown_says_every_reason_there(
    page_hub: PageHub,
) -> None:
    browser = page_hub.signed_in("p24")
    # Another writer keeps the record longer than the form waits, and leaves less than was promised.
    with page_hub.record.writing("olga", datetime.now(UTC)) as writing:
        limits.put(writing, LimitScope.PERSON, "p24", LimitKind.DEVICES, 0)
        limits.put(writing, LimitScope.PERSON, "p24", LimitKind.SERVERS, 0)
        sent = launch(browser, name="late", profile="gpu")  # comes back after five seconds
    assert sent.headers["location"].startswith("/hub/spawn-pending/p24/late")
    page = until(lambda: failed(browser, sent.headers["location"]), "the refusal").text
    assert re.findall(r'data-rule="([^"]+)"', page) == ["limit.devices", "limit.servers"]
    assert "late was not started" in page
    assert "Traceback" not in page


def failed(browser: httpx.Client, path: str) -> httpx.Response | None:
    answer = browser.get(path.removeprefix("/hub"))
    return answer if answer.status_code == 403 else None


def test_a_server_that_takes_its_time_to_stop_says_so(page_hub: PageHub) -> None:
    page_hub.publish(
        "stubborn",
        "title: Stubborn\nenvironment: {TINY_IGNORES: 'SIGINT,SIGTERM'}\nvisible_to: {people: [p25]}\n",
    )
    browser = page_hub.signed_in("p25")
    until(lambda: "stubborn" in cards(browser.get("/spawn").text), "the profile")
    launch(browser, name="slow", profile="stubborn")
    until(lambda: running(browser), "it to run")
    browser.delete("/api/users/p25/servers/slow", headers=xsrf(browser)).raise_for_status()
    assert "slow is stopping" in browser.get("/spawn-pending/p25/slow").text
    assert ">Stopping<" in browser.get("/home").text
    until(lambda: held(page_hub, "p25") == set(), "it to be gone", 60)


@pytest.mark.promise("OPS-3")
def test_signing_in_and_drawing_pages_are_counted(page_hub: PageHub) -> None:
    page_hub.signed_in("p26").get("/spawn")
    port = page_hub.hub_port
    said = httpx.get(f"http://127.0.0.1:{port}/hub/metrics").text
    assert re.search(r'allotment_sign_ins_total\{outcome="signed_in"\} [1-9]', said)
    assert re.search(r'allotment_page_seconds_count\{page="launch"\} [1-9]', said)


@pytest.mark.promise("SERVER-2")
def test_a_stopped_server_starts_again_under_its_name_with_another_size(page_hub: PageHub) -> None:
    browser = page_hub.signed_in("p27")
    launch(browser, name="My work", profile="small")
    until(lambda: running(browser), "it to run")
    end(page_hub, browser, "p27", "my-work")
    page = browser.get("/spawn/p27/my-work").text
    assert 'Start <span class="break">My work</span>' in page
    assert re.search(r'name="name" id="name" value="My work"[^>]* readonly', page)
    form = {"_xsrf": browser.cookies["_xsrf"], "name": "My work", "profile": "gpu"}
    assert browser.post("/spawn/p27/my-work", data=form).is_redirect
    (held,) = until(lambda: page_hub.held("p27"), "it to be admitted")
    assert (held.server, held.profile) == ("my-work", "gpu")
    until(lambda: running(browser), "it to run")
    end(page_hub, browser, "p27", "my-work")
