"""Waiting as a person sees it in a browser: before one joins, while one waits, and when the turn has come."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from allotment.model.claims import Claim, Granted
from allotment.model.endings import Cause
from allotment.record import allotments, claims, endings, tickets
from allotment.work.hub_api import HubApi
from allotment.work.queueing import Queueing
from hubs import now, until
from page_hubs import PROFILES, SETTINGS, PageHub, launch

pytestmark = pytest.mark.needs("chromium")

Open = Callable[..., Page]
Check = Callable[..., None]
Hold = Callable[..., str]
TOKEN = "token-of-the-control-plane"
STARTER = f"""
c.JupyterHub.services = [{{"name": "starter", "api_token": "{TOKEN}"}}]
c.JupyterHub.load_roles = [
    {{"name": "starter", "services": ["starter"], "scopes": ["start:servers", "delete:servers", "read:servers"]}}
]
"""
SIZES = PROFILES | {
    "gpu": PROFILES["gpu"].replace("pool: any", "pool: a100"),
    "two": f"{PROFILES['two']}idle: {{after: 60m, keep: 12h}}\nextend: {{by: 1h, times: 3}}\n",
}
LOOKS = [("light", 1280), ("dark", 390)]


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PageHub]:
    """Three A100 of vision; sessions of the last days took an hour each."""
    settings = SETTINGS.replace("people: {dan: {}}", "people: {dan: {}, mia: {}, kim: {}, lee: {}}")
    settings = settings.replace("[ada, ben]", "[ada, ben, mia, kim, lee]")
    made = PageHub(
        tmp_path_factory.mktemp("waiting") / "hub",
        settings=settings,
        profiles=SIZES,
        config=STARTER,
    )
    try:
        made.start()
        for number in range(2, 9):
            begin = now() - timedelta(hours=2 * number)
            give_back(made, admit(made, "ben", "gpu", "past", begin), begin + timedelta(hours=1))
        yield made
    finally:
        made.stop()


@pytest.fixture
def queue(hub: PageHub) -> Iterator[Queueing]:
    """The step of the control plane, with its rounds in the test's hands."""
    hub_api = HubApi(f"http://127.0.0.1:{hub.hub_port}/hub/api", TOKEN)
    step = Queueing(hub.record, hub_api, "hub")
    yield step
    step.close()
    hub_api.close()


@pytest.fixture(autouse=True)
def nothing_left(hub: PageHub) -> Iterator[None]:
    """After each test nobody waits, and no server runs."""
    yield
    hub_api = HubApi(f"http://127.0.0.1:{hub.hub_port}/hub/api", TOKEN)
    with hub.record.reading() as reading:
        left, running = tickets.live(reading), allotments.active(reading, hub="hub")
    for one in left:
        hub.change(partial(tickets.cancel, ticket_id=one.id))
    for one in running:
        hub_api.stop_server(one.person, one.server)
    hub_api.close()
    until(lambda: not any(map(hub.held, ("ada", "mia", "kim", "lee"))), "servers to end", 60)


@pytest.fixture
def hold(hub: PageHub) -> Iterator[Hold]:
    """Lets somebody hold devices, as another hub of the same record would; all are given back after the test."""
    held: list[str] = []

    def held_by(person: str, profile: str) -> str:
        held.append(admit(hub, person, profile, f"held-{len(held)}", now()))
        return held[-1]

    yield held_by
    for allotment in held:
        give_back(hub, allotment, now())


def admit(hub: PageHub, person: str, profile: str, server: str, at: Any) -> str:
    outcome = claims.admit(hub.record, Claim("elsewhere", person, server, profile), at)
    assert isinstance(outcome, Granted), outcome
    claims.mark_running(hub.record, outcome.allotment.id, at)
    return outcome.allotment.id


def give_back(hub: PageHub, allotment: str, at: Any) -> None:
    claims.mark_stopping(hub.record, allotment, "", "tests", at)
    claims.release(hub.record, allotment, "nothing was started", at)


def row_of(page: Page, title: str) -> Locator:
    return page.get_by_role("row", name=re.compile(title))


@pytest.mark.promise("QUEUE-1", "QUEUE-2", "SERVER-1")
def test_the_story_of_a_wait_full_joined_told_when_and_why_started_by_itself(
    hub: PageHub, hold: Hold, queue: Queueing, signed_in: Open, accessible: Check
) -> None:
    first = hold("ben", "two")
    hold("lee", "gpu")
    page = signed_in("mia", "/hub/spawn")
    card = page.locator("#card-gpu")
    expect(card).to_contain_text("Choose it to wait: it starts by")
    expect(card).to_contain_text("Nobody waits for it yet")
    page.get_by_label("Name").fill("Fit")
    page.get_by_role("radio", name="One GPU").check()
    page.get_by_role("button", name=re.compile("Full: wait")).click()

    row = row_of(page, "Fit")
    expect(row).to_contain_text("Waiting")
    queue.round(now())
    queue.settle()
    expect(row).to_contain_text("Waiting, first in line")
    expect(row).to_contain_text("this needs 1")
    expect(row).to_contain_text(re.compile("It starts by .* with 90 %"))
    accessible(page)

    give_back(hub, first, now())

    def started() -> bool:
        queue.round(now())
        return any(one.running_at for one in hub.held("mia"))

    until(started, "the server to start by itself", 60)
    expect(row).to_contain_text("Running")
    told = page.get_by_role("status").filter(has_text="Your server Fit has started.")
    expect(told).to_be_visible()
    accessible(page)
    told.get_by_role("button", name="Set aside").click()
    expect(told).to_be_hidden()
    page.reload()
    expect(row).to_be_visible()
    expect(told).to_be_hidden()


@pytest.mark.parametrize(("scheme", "width"), LOOKS)
@pytest.mark.promise("QUEUE-1")
def test_what_would_be_sooner_is_told_while_waiting_and_where_one_launches(
    hub: PageHub, hold: Hold, signed_in: Open, accessible: Check, scheme: str, width: int
) -> None:
    hold("ben", "two")
    page = signed_in("kim", scheme=scheme, width=width)
    browser = hub.signed_in("kim")
    assert launch(browser, name="Notes", profile="gpu", note="").is_redirect
    assert launch(browser, name="Fit", profile="gpu", note="", wait="true").is_redirect
    row = row_of(page, "Fit")
    sooner = row.get_by_role("link", name="Stop Notes")
    expect(row).to_contain_text("Stop Notes: starts at once")
    accessible(page)

    sooner.click()
    expect(page).to_have_url(re.compile("#server-notes$"))
    row.get_by_role("button", name="Leave the queue").click()
    expect(row).to_have_count(0)
    with hub.record.reading() as reading:
        assert tickets.live(reading, person="kim") == ()

    page.goto(f"{hub.url}/hub/spawn")
    page.get_by_role("radio", name="One GPU").check()
    way = page.locator("#help").get_by_role("link", name=re.compile("Stop Notes starts at once"))
    expect(way).to_be_visible()
    accessible(page)
    wider = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.evaluate(wider) == 0


@pytest.mark.promise("QUEUE-1", "SERVER-1")
def test_a_refused_launch_offers_what_would_help_and_a_click_waits(
    hold: Hold, signed_in: Open, accessible: Check
) -> None:
    page = signed_in("lee", "/hub/spawn")
    page.get_by_label("Name").fill("Big one")
    page.get_by_role("radio", name="Two GPUs").check()
    button = page.get_by_role("button", name=re.compile("Launch"))
    expect(button).to_be_enabled()
    hold("ben", "two")
    # Sent before the page has learned that it is full.
    page.evaluate(
        "document.getElementById('wait').value = ''; document.getElementById('launch').submit()"
    )
    refused = page.locator("#refused")
    expect(refused).to_contain_text("Big one was not launched")
    expect(refused.get_by_role("heading", name="What would help")).to_be_visible()
    smaller = refused.get_by_role("button", name=re.compile(r"Choose One GPU .* starts at once"))
    expect(smaller).to_be_visible()
    accessible(page)

    refused.get_by_role("button", name=re.compile("Wait for it")).click()
    page.get_by_role("button", name=re.compile("Full: wait")).click()
    row = row_of(page, "Big one")
    expect(row).to_contain_text("Waiting")
    row.get_by_role("button", name="Leave the queue").click()
    expect(page.locator("#servers")).not_to_contain_text("Waiting")


@pytest.mark.promise("QUEUE-2", "QUEUE-6")
def test_an_operators_word_reaches_whose_server_was_taken_out_of_the_queue(
    hub: PageHub, hold: Hold, signed_in: Open
) -> None:
    hold("ben", "two")
    hold("lee", "gpu")
    page = signed_in("ada")
    browser = hub.signed_in("ada")
    assert launch(browser, name="Sweep", profile="gpu", note="", wait="true").is_redirect
    expect(row_of(page, "Sweep")).to_contain_text("Waiting")
    with hub.record.reading() as reading:
        (mine,) = tickets.live(reading, person="ada")

    hub.change(lambda writing: tickets.cancel(writing, mine.id, "dgx-1 is <b>repaired</b> today."))

    told = "olga took your server Sweep out of the queue: dgx-1 is <b>repaired</b> today."
    expect(page.get_by_text(told)).to_be_visible()
    expect(row_of(page, "Sweep")).to_have_count(0)


@pytest.mark.promise("IDLE-2", "IDLE-4")
def test_an_end_is_put_off_and_a_server_left_alone_on_the_home_page(
    hub: PageHub, signed_in: Open, accessible: Check
) -> None:
    page = signed_in("mia")
    browser = hub.signed_in("mia")
    assert launch(browser, name="Night run", profile="two", note="").is_redirect
    row = row_of(page, "Night run")
    expect(row).to_contain_text("Running")
    with hub.record.reading() as reading:
        (mine,) = allotments.active(reading, person="mia")
    stop = now() + timedelta(minutes=15, seconds=30)
    hub.change(lambda writing: endings.say(writing, mine.id, Cause.IDLE, stop, "Idle since noon."))

    expect(row).to_contain_text("Stops in 15 min")
    row.get_by_role("button", name="Extend by 60 minutes").click()
    expect(row).to_contain_text("Stops in 1 h 15 min")

    row.get_by_role("button", name="Leave alone").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Leave Night run alone")
    accessible(page)
    dialog.get_by_label("For").select_option(str(4 * 3600))
    dialog.get_by_label("Why (optional)").fill("Training overnight")
    dialog.get_by_role("button", name="Leave it alone").click()
    expect(row).to_contain_text("Left alone until")
    expect(row).to_contain_text("You asked for it: Training overnight.")
    accessible(page)


@pytest.mark.parametrize(("scheme", "width"), LOOKS)
@pytest.mark.promise("QUEUE-1", "SERVER-1")
def test_a_stopped_server_whose_pool_is_full_waits_by_one_click_after_start_again(
    hub: PageHub, hold: Hold, signed_in: Open, accessible: Check, scheme: str, width: int
) -> None:
    page = signed_in("kim", scheme=scheme, width=width)
    browser = hub.signed_in("kim")
    assert launch(browser, name="Later on", profile="gpu", note="sweep 7").is_redirect
    row = row_of(page, "Later on")
    expect(row).to_contain_text("Running")
    row.get_by_role("button", name="Stop").click()
    expect(row).to_contain_text("Stopped")
    hold("ben", "two")
    hold("lee", "gpu")

    row.get_by_role("button", name="Start again").click()
    expect(page.get_by_role("heading", name="Later on was not started")).to_be_visible()
    expect(page.locator("#late-help")).to_contain_text(re.compile("If you wait, it starts by"))
    expect(page.locator("#main")).not_to_contain_text("wait: true")
    accessible(page)
    page.get_by_role("button", name="Wait in the queue").click()

    expect(row).to_contain_text("Waiting")
    row.get_by_role("button", name="Leave the queue").click()
    expect(row).to_contain_text("Stopped")


def test_a_button_cannot_be_pressed_before_the_script_that_answers_it_is_there(
    hub: PageHub, signed_in: Open
) -> None:
    page = signed_in("mia")
    page.route("**/home.js", lambda route: route.abort())
    assert launch(hub.signed_in("mia"), name="Early", profile="small", note="").is_redirect
    page.reload()
    stop = row_of(page, "Early").get_by_role("button", name="Stop")
    expect(stop).to_be_disabled()

    page.unroute("**/home.js")
    page.reload()

    expect(stop).to_be_enabled()
