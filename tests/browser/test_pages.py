"""The hub's pages as people see and use them: accessible, live, by keyboard, on a phone."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from allotment.model.claims import Claim, Granted
from allotment.model.groups import Mode, Origin
from allotment.model.limits import LimitKind, LimitScope
from allotment.record import Writing, allotments, claims, groups, limits, memberships, platform
from hubs import now
from page_hubs import PROFILES, SETTINGS, PageHub

pytestmark = pytest.mark.needs("chromium")

Open = Callable[..., Page]
Check = Callable[..., None]
Hold = Callable[[str, str, str], str]
Limit = Callable[[str, int | None], None]
COLOURS = ("red", "green", "blue")
MANY = {
    f"size-{n:02d}": f"title: Size {n}\ndescription: Kind {COLOURS[n % 3]}\ndevices: {n % 2}\n"
    for n in range(30)
}
STABLE, NEWEST = "{name: stable, title: Stable}", "{name: newest, title: Newest}"
CHOOSING = {
    name: f"title: {title}\nsoftware: [{', '.join(software)}]\nvisible_to: {{people: [lou]}}\n"
    for name, title, software in (
        ("one", "One core", (STABLE, NEWEST)),
        ("more", "More cores", (NEWEST, STABLE)),
    )
}


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PageHub]:
    """Ada and ben are in vision; many sizes are shown to mia only."""
    many = {name: f"{text}visible_to: {{people: [mia]}}\n" for name, text in MANY.items()}
    settings = SETTINGS.replace(
        "people: {dan: {}}", "people: {dan: {}, mia: {}, kim: {}, lee: {}, lou: {}}"
    )
    made = PageHub(
        tmp_path_factory.mktemp("pages") / "hub",
        settings=settings,
        profiles=PROFILES | many | CHOOSING,
    )
    try:
        yield made.start()
    finally:
        made.stop()


@pytest.fixture
def hold(hub: PageHub) -> Iterator[Hold]:
    """Lets somebody hold devices, as another hub of the same record would; all are given back after the test."""
    held: list[str] = []

    def admit(person: str, profile: str, server: str) -> str:
        claim = Claim("elsewhere", person, server, profile)
        outcome = claims.admit(hub.record, claim, now())
        assert isinstance(outcome, Granted), outcome
        held.append(outcome.allotment.id)
        return outcome.allotment.id

    yield admit
    for allotment in held:
        give_back(hub, allotment)


def give_back(hub: PageHub, allotment: str) -> None:
    claims.mark_stopping(hub.record, allotment, "", "tests", now())
    claims.release(hub.record, allotment, "nothing was started", now())


@pytest.fixture
def limit(hub: PageHub) -> Iterator[Limit]:
    """Limits somebody's devices; None, and the end of the test, take the limit away."""
    limited: set[str] = set()

    def put(person: str, value: int | None) -> None:
        limited.add(person)
        hub.change(lambda w: limits.put(w, LimitScope.PERSON, person, LimitKind.DEVICES, value))

    yield put
    for person in limited:
        put(person, None)


LOOKS = [("light", 1280), ("dark", 1280), ("light", 390), ("dark", 390)]


def overflow(page: Page) -> int:
    """By how many pixels the page is wider than the window."""
    width: int = page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    return width


@pytest.mark.parametrize(("scheme", "width"), LOOKS)
def test_every_page_passes_axe_and_fits_its_window(
    hub: PageHub, signed_in: Open, accessible: Check, scheme: str, width: int
) -> None:
    page = signed_in("ada", "/hub/home", scheme=scheme, width=width)
    for path in ("home", "spawn", "token", "change-password", "notices", "admin", "user/ada/x"):
        page.goto(f"{hub.url}/hub/{path}")
        accessible(page)
        assert overflow(page) == 0, path


@pytest.mark.parametrize(("scheme", "width"), LOOKS)
def test_the_pages_before_sign_in_pass_axe_and_fit_their_window(
    hub: PageHub, open_page: Open, accessible: Check, scheme: str, width: int
) -> None:
    for path in ("/hub/login", "/hub/reset-password?token=x"):
        page = open_page(hub.url + path, scheme=scheme, width=width)
        accessible(page)
        assert overflow(page) == 0


@pytest.mark.parametrize(("scheme", "width"), LOOKS)
@pytest.mark.promise("SERVER-1")
def test_a_full_page_with_reasons_and_a_refusal_passes_axe(
    hold: Hold, signed_in: Open, accessible: Check, scheme: str, width: int
) -> None:
    hold("ben", "two", "held")
    page = signed_in("ada", "/hub/spawn", scheme=scheme, width=width)
    expect(page.locator("#card-two .tag").first).to_have_text("Your group's share is used up")
    page.get_by_label("Name").fill("Too much")
    submit_anyway(page, "two")
    expect(page.get_by_role("alert")).to_contain_text("Too much was not launched")
    accessible(page)
    assert overflow(page) == 0


def submit_anyway(page: Page, profile: str) -> None:
    """Send a size that the page does not let one choose: it may have gone since the page was drawn."""
    page.evaluate(
        """profile => {
            const pick = document.getElementById(`pick-${profile}`);
            pick.disabled = false; pick.checked = true;
            document.getElementById("launch").submit();
        }""",
        profile,
    )


@pytest.mark.promise("AUTH-1")
def test_somebody_signs_in_by_hand_after_a_mistyped_password(hub: PageHub, open_page: Open) -> None:
    page = open_page(f"{hub.url}/hub/login")
    page.get_by_label("Name").fill("dan")
    page.get_by_label("Password", exact=True).fill("mistyped")
    page.get_by_role("button", name="Show the password").click()
    expect(page.get_by_label("Password", exact=True)).to_have_attribute("type", "text")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_be_visible()
    page.get_by_label("Password", exact=True).fill(hub.passwords["dan"])
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="My servers")).to_be_visible()


@pytest.mark.promise("SERVER-1", "SERVER-2")
def test_the_story_of_a_server_launch_see_stop_start_again_delete(
    hub: PageHub, signed_in: Open, accessible: Check
) -> None:
    page = signed_in("kim", "/hub/spawn")
    page.get_by_label("Name").fill("Cell counting")
    page.get_by_label("What for (optional)").fill("Third try")
    page.get_by_role("radio", name="One GPU").check()
    expect(page.locator("[data-meter=devices] b")).to_have_text("0 → 1 of 2")
    page.get_by_role("button", name="Launch · 2.40 / h").click()
    page.wait_for_url(re.compile(r"/user/kim/cell-counting/"))
    page.goto(f"{hub.url}/hub/home")
    row = page.get_by_role("row", name=re.compile("Cell counting"))
    expect(row).to_contain_text("Running")
    expect(row).to_contain_text("Third try")
    expect(row.get_by_role("img")).to_have_attribute("aria-label", re.compile("L40S"))
    accessible(page)
    row.get_by_role("button", name="Stop").click()
    expect(row).to_contain_text("Stopped")
    row.get_by_role("button", name="Start again").click()
    page.wait_for_url(re.compile(r"/user/kim/cell-counting/"))
    page.goto(f"{hub.url}/hub/home")
    row.get_by_role("button", name="Stop").click()
    row.get_by_role("button", name="Delete").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Delete Cell counting?")
    accessible(page)
    page.keyboard.press("Escape")
    expect(row).to_be_visible()
    row.get_by_role("button", name="Delete").click()
    dialog.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("No servers yet")).to_be_visible()


@pytest.mark.promise("SERVER-1")
def test_free_counts_follow_what_others_do_and_nothing_that_was_typed_is_lost(
    hub: PageHub, hold: Hold, signed_in: Open
) -> None:
    page = signed_in("ada", "/hub/spawn")
    page.get_by_label("Name").fill("half a na")
    page.get_by_role("radio", name="Small").check()
    page.get_by_label("Name").focus()
    page.evaluate("document.getElementById('name').setSelectionRange(2, 4)")
    state = page.locator("#card-gpu .state")
    expect(state).to_contain_text("4 free")
    held = hold("ben", "gpu", "live")
    expect(state).to_contain_text("3 free", timeout=5000)
    expect(page.locator("#summary")).to_contain_text("3 of 4 devices free in a100")
    expect(state.get_by_role("img")).to_have_attribute("aria-label", re.compile("1 your group's"))
    give_back(hub, held)
    expect(state).to_contain_text("4 free", timeout=5000)
    typed = page.evaluate(
        "() => { const n = document.activeElement; return [n.id, n.value, n.selectionStart, n.selectionEnd] }"
    )
    assert typed == ["name", "half a na", 2, 4]
    expect(page.get_by_role("radio", name="Small")).to_be_checked()


@pytest.mark.promise("SERVER-1")
def test_a_size_that_becomes_full_while_chosen_says_so_and_holds_the_button(
    limit: Limit, signed_in: Open
) -> None:
    page = signed_in("ada", "/hub/spawn")
    page.get_by_role("radio", name="Two GPUs").check()
    button = page.get_by_role("button", name=re.compile("Launch"))
    expect(button).to_be_enabled()
    limit("ada", 1)
    expect(button).to_be_disabled(timeout=5000)
    expect(page.locator("#launch-hint")).to_have_text(
        "Two GPUs cannot start now. Choose another size."
    )
    expect(page.locator("#card-two")).to_contain_text("You hold 0 devices and may hold 1")
    limit("ada", None)
    expect(button).to_be_enabled(timeout=5000)


def test_home_follows_servers_that_start_and_stop_elsewhere(
    hub: PageHub, hold: Hold, signed_in: Open
) -> None:
    page = signed_in("ben")
    held = hold("ben", "gpu", "elsewhere")
    expect(page.locator("[data-meter=devices] b")).to_have_text("1 of 2", timeout=5000)
    give_back(hub, held)
    expect(page.locator("[data-meter=devices] b")).to_have_text("0 of 2", timeout=5000)


@pytest.mark.promise("SERVER-1")
def test_many_sizes_are_filtered_as_one_types_and_stay_so_when_the_page_refreshes(
    limit: Limit, signed_in: Open, accessible: Check
) -> None:
    page = signed_in("mia", "/hub/spawn")
    page.get_by_label("Filter sizes").fill("kind blue")
    expect(page.locator(".card:visible")).to_have_count(10)
    expect(page.locator("#found")).to_have_text("10 of 34 sizes")
    limit("mia", 0)
    expect(page.locator("#card-size-05")).to_contain_text("may hold 0", timeout=5000)
    expect(page.locator(".card:visible")).to_have_count(10)
    page.get_by_label("Only what starts now").check()
    expect(page.locator(".card:visible")).to_have_count(5)
    accessible(page)
    page.get_by_label("Filter sizes").fill("nothing like it")
    expect(page.get_by_text("No size fits this filter.")).to_be_visible()


@pytest.mark.promise("GROUP-3", "SERVER-1")
def test_who_is_in_two_groups_chooses_which_one_pays_and_sees_what_that_changes(
    hub: PageHub, signed_in: Open, accessible: Check
) -> None:
    def join(writing: Writing) -> None:
        platform.set_mode(writing, Mode.FLEXIBLE)
        groups.create(writing, "archive", title="Archive")
        for group in ("archive", "vision"):
            memberships.add(writing, "lou", group, Origin.CONSOLE)

    hub.change(join)
    page = signed_in("lou", "/hub/spawn")
    paid_by = page.get_by_label("Paid by")
    expect(paid_by).to_have_value("archive")
    expect(page.locator("#card-two")).to_contain_text("Not in your pools")
    page.get_by_label("Name").fill("kept")
    paid_by.select_option("vision")
    expect(page.locator("#card-two")).to_contain_text("starts now")
    expect(page.locator("[data-meter=share]")).to_contain_text("vision in a100")
    expect(page.get_by_label("Name")).to_have_value("kept")
    accessible(page)
    page.get_by_role("radio", name="Two GPUs").check()
    page.get_by_role("button", name=re.compile("Launch")).click()
    page.wait_for_url(re.compile("/user/lou/kept"))
    (held,) = hub.held("lou")
    assert (held.group, held.pool) == ("vision", "a100")


@pytest.mark.promise("PROFILE-4", "SERVER-1")
def test_software_is_chosen_apart_kept_from_size_to_size_and_launched_with(
    hub: PageHub, signed_in: Open, accessible: Check
) -> None:
    page = signed_in("lou", "/hub/spawn")
    size = page.get_by_role("radiogroup", name="Size")
    stable, newest = (page.get_by_role("radio", name=name) for name in ("Stable", "Newest"))

    size.get_by_role("radio", name="One core").check()
    expect(stable).to_be_checked()
    size.get_by_role("radio", name="More cores").check()
    expect(page.locator("#launch-hint")).to_have_text("Starts now: More cores with Newest.")
    size.get_by_role("radio", name="One core").check()
    expect(stable).to_be_checked()  # each size proposes its own until somebody chooses
    newest.check()
    accessible(page)
    size.get_by_role("radio", name="Small").check()
    expect(newest).to_be_hidden()
    size.get_by_role("radio", name="One core").check()
    expect(newest).to_be_checked()
    page.get_by_label("Name").fill("Chosen")
    page.get_by_role("button", name=re.compile("Launch")).click()
    page.wait_for_url(re.compile("/(spawn-pending|user)/lou/chosen"))

    with hub.record.reading() as reading:
        active = allotments.active(reading, person="lou")
    (held,) = (one for one in active if one.server == "chosen")
    assert (held.profile, held.terms["software"]["name"]) == ("one", "newest")


def test_a_server_is_launched_with_the_keyboard_alone(signed_in: Open) -> None:
    page = signed_in("lee", "/hub/spawn")
    page.get_by_label("Name").focus()
    page.keyboard.type("By keys")
    page.keyboard.press("Tab")
    page.keyboard.type("No mouse here")
    page.keyboard.press("Tab")
    before = page.evaluate("document.activeElement.value")
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.value") != before
    page.get_by_role("button", name=re.compile("Launch")).focus()
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/(spawn-pending|user)/lee/by-keys"))


def test_the_account_menu_opens_closes_and_remembers_the_theme(
    hub: PageHub, signed_in: Open
) -> None:
    page = signed_in("dan")
    menu = page.get_by_label("Account and appearance")
    menu.press("Enter")
    page.get_by_label("Dark").check(force=True)
    assert page.evaluate("getComputedStyle(document.body).colorScheme") == "dark"
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="Sign out")).to_be_hidden()
    page.goto(f"{hub.url}/hub/token")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"


@pytest.mark.promise("AUTH-3")
def test_a_token_is_made_shown_once_and_revoked(signed_in: Open, accessible: Check) -> None:
    page = signed_in("dan", "/hub/token")
    page.get_by_label("What for").fill("my script")
    page.get_by_role("button", name="Make the token").click()
    shown = page.get_by_label("The new token")
    expect(shown).to_have_value(re.compile("[0-9a-f]{32}"))
    accessible(page)
    page.reload()
    row = page.get_by_role("row", name=re.compile("my script"))
    expect(row).to_be_visible()
    row.get_by_role("button", name="Revoke").click()
    expect(row).to_have_count(0)


def test_nothing_is_said_in_the_browsers_console_but_what_a_page_cannot_help(
    hub: PageHub, signed_in: Open
) -> None:
    page = signed_in("dan")
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    for path in ("/hub/home", "/hub/spawn", "/hub/token", "/hub/change-password"):
        page.goto(hub.url + path)
        page.wait_for_load_state("networkidle")
    assert said == []
