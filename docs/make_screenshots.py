"""Pictures of every page and panel, light and dark, wide and narrow: ``make screenshots``.

The hub's pages come from a hub that runs, the console's panels from a control plane with an example
platform behind it. They go to docs/screenshots, or to the folder that is named.
"""

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import data_pictures
import operating_pictures
import sign_on_pictures
from playwright.sync_api import Browser, Page, expect

import control_planes
import example_cloud
import example_data
import example_platform
from allotment.model.claims import Claim, Granted
from allotment.record import claims
from browsing import chromium, voila
from console_pages import WITH_ROWS
from page_hubs import PageHub, launch

VIEWS = {
    f"{scheme}-{width}": {"color_scheme": scheme, "viewport": {"width": pixels, "height": height}}
    for scheme in ("light", "dark")
    for width, pixels, height in (("wide", 1280, 860), ("narrow", 390, 844))
}
MILLISECONDS = 60_000
CONSOLE = "from allotment_widgets import operator_console\noperator_console()"
SETTINGS = """
organisation: Example Research
sign_in: {kind: local, operators: [olga]}
devices:
DEVICES
pools: [{name: a100, devices: [gpu-0, gpu-1, gpu-2, gpu-3, gpu-4, gpu-5, gpu-6, gpu-7]}]
groups:
  - name: vision
    title: Machine vision
    shares: [{pool: a100, guaranteed: 4, ceiling: 4}]
    members: [ada, ben, eve]
    leads: [ada]
  - name: speech
    shares: [{pool: a100, guaranteed: 4, ceiling: 4}]
    members: [cleo]
people: {dan: {}}
limits: {defaults: {devices: 3, servers: 3}, people: {ben: {devices: 1}}}
profiles: [profiles]
servers: {command: [PYTHON, TINY]}
mail: {host: 127.0.0.1, port: 9, security: none, sender: allotment@example.org}
"""
DEVICES = "\n".join(
    f"  - {{id: gpu-{n}, model: NVIDIA A100 80GB, memory: 80GiB, node: dgx-{n // 4 + 1}}}"
    for n in range(8)
)
SOFTWARE = """software:
  - {name: stable, title: PyTorch 2.8, description: What most people use.}
  - {name: newest, title: PyTorch 2.9, description: Since Monday; tell us what breaks.}
"""
PROFILES = {
    "pytorch-gpu": f"""
title: PyTorch on one GPU
description: CUDA, PyTorch and friends, for training on a single device.
devices: 1
cpu: 4
memory: 16GiB
price: 2.40
{SOFTWARE}""",
    "pytorch-four": f"""
title: PyTorch on four GPUs
description: For training across the devices of one node.
devices: 4
cpu: 32
memory: 256GiB
price: 9.60
{SOFTWARE}""",
    "data-science": """
title: Data science
description: Python and R with the usual libraries for data analysis, without a GPU.
cpu: 2
memory: 8GiB
price: 0.18
""",
    "minimal": """
title: Minimal
description: JupyterLab and Python, for reading, writing and light work.
cpu: 1
memory: 2GiB
""",
    "operator-console": "title: Operator console\nvisible_to: {people: [olga]}\n",
}

Picture = Callable[[str, Page], None]


def main(folder: Path) -> None:
    """Take all pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    expect.set_options(timeout=MILLISECONDS)

    def picture(name: str, page: Page) -> None:
        page.screenshot(path=folder / f"{name}.png", animations="disabled")
        print(folder / f"{name}.png", flush=True)

    with chromium() as browser, tempfile.TemporaryDirectory() as work:
        take_pages(browser, Path(work) / "hub", picture)
        sign_on_pictures.take(browser, VIEWS, Path(work) / "sign-on", picture)
        take_console(browser, Path(work), picture)
        take_notebooks(browser, Path(work) / "notebooks", picture)


def take_pages(browser: Browser, folder: Path, picture: Picture) -> None:
    """The hub's pages, in the middle of a working day."""
    hub = PageHub(folder, settings=SETTINGS.replace("DEVICES", DEVICES), profiles=PROFILES)
    hub.start()
    try:
        launch_all(hub)
        for name, view in VIEWS.items():
            with opened(browser, view) as page:
                take_signing_in(
                    hub, page, lambda what, page=page, n=name: picture(f"{what}-{n}", page)
                )
            with opened(browser, view) as page:
                take_signed_in(
                    hub, page, lambda what, page=page, n=name: picture(f"{what}-{n}", page)
                )
        fill(hub)
        for name, view in VIEWS.items():
            with opened(browser, view) as page:
                take_waiting(
                    hub, page, lambda what, page=page, n=name: picture(f"{what}-{n}", page)
                )
    finally:
        hub.stop()


def launch_all(hub: PageHub) -> None:
    """Servers of three people, so that there is something to see."""
    for person, title, profile in (
        ("ada", "Segmentation", "pytorch-gpu"),
        ("ada", "Notes", "data-science"),
        ("ben", "Detector", "pytorch-gpu"),
        ("cleo", "Whisper", "pytorch-gpu"),
    ):
        page = hub.signed_in(person)
        answer = launch(page, name=title, profile=profile, note="")
        if not answer.is_redirect:
            raise RuntimeError(f"{person} was refused {profile}: {answer.text}")


def fill(hub: PageHub) -> None:
    """Earlier sessions of an hour, then all devices of vision in use; a server of ada's waits, one of eve's is refused."""
    present = datetime.now(UTC)
    for hours in range(4, 20, 2):
        begin = present - timedelta(hours=hours)
        held = admitted(hub, "ada", "earlier", begin)
        claims.mark_stopping(hub.record, held, "", "ada", begin + timedelta(hours=1))
        claims.release(hub.record, held, "nothing was started", begin + timedelta(hours=1))
    for server in ("sweep", "ablation"):
        admitted(hub, "eve", server, present - timedelta(minutes=25))
    launch(hub.signed_in("ada"), name="Fine-tuning", profile="pytorch-gpu", note="", wait="true")
    browser = hub.signed_in("eve")
    browser.post(
        "/api/users/eve/servers/probe",
        json={"display_name": "Probe", "user_options": {"profile": "pytorch-gpu"}},
        headers={"X-XSRFToken": browser.cookies["_xsrf"]},
    )


def admitted(hub: PageHub, person: str, server: str, at: datetime) -> str:
    """Let a person hold one device since then, on another hub of the same record; the allotment's id."""
    claim = Claim("elsewhere", person, server, "pytorch-gpu")
    outcome = claims.admit(hub.record, claim, at)
    if not isinstance(outcome, Granted):
        raise RuntimeError(f"{person} was refused: {outcome}")  # noqa: TRY004 - no type is wrong
    claims.mark_running(hub.record, outcome.allotment.id, at)
    return outcome.allotment.id


def take_waiting(hub: PageHub, page: Page, picture: Callable[[str], None]) -> None:
    """What is seen while one waits, and before one joins."""
    sign_in(hub, page, "ada")
    page.get_by_role("link", name="Stop Segmentation").wait_for()
    picture("home-waiting")
    page.goto(f"{hub.url}/hub/spawn")
    page.get_by_label("Name").fill("Training")
    page.get_by_role("radio", name="PyTorch on one GPU").check()
    expect(page.locator("#card-pytorch-gpu")).to_contain_text("with 90 %")
    picture("launch-full")
    page.context.clear_cookies()
    sign_in(hub, page, "eve")
    page.goto(f"{hub.url}/hub/spawn-pending/eve/probe")
    expect(page.locator("#late-help")).to_contain_text("with 90 %")
    picture("not-started")


def take_signing_in(hub: PageHub, page: Page, picture: Callable[[str], None]) -> None:
    """What is seen before somebody is signed in."""
    page.goto(f"{hub.url}/hub/login")
    picture("signin")


def take_signed_in(hub: PageHub, page: Page, picture: Callable[[str], None]) -> None:
    """Launch, home, tokens, password, notices, a limit that is reached."""
    sign_in(hub, page, "ada")
    page.goto(f"{hub.url}/hub/spawn")
    page.get_by_label("Name").fill("Training")
    page.get_by_role("radio", name="PyTorch on one GPU").check()
    picture("launch")
    page.get_by_role("radio", name="PyTorch 2.9").check()
    page.locator("#software").scroll_into_view_if_needed()
    picture("launch-software")
    page.goto(f"{hub.url}/hub/home")
    page.get_by_role("link", name="Open").first.wait_for()
    picture("home")
    page.get_by_role("button", name="Connect…").first.click()
    page.get_by_role("dialog").wait_for()
    picture("connect")
    page.goto(f"{hub.url}/hub/token")
    picture("tokens")
    page.goto(f"{hub.url}/hub/password")
    picture("password")
    page.goto(f"{hub.url}/hub/notices")
    page.get_by_label("Your address").fill("ada@example.org")
    picture("notices")
    page.context.clear_cookies()
    sign_in(hub, page, "ben")
    page.goto(f"{hub.url}/hub/spawn")
    page.get_by_role("radio", name="PyTorch on one GPU").scroll_into_view_if_needed()
    picture("launch-at-the-limit")


def sign_in(hub: PageHub, page: Page, person: str) -> None:
    """Sign in as people do."""
    page.goto(f"{hub.url}/hub/login")
    page.get_by_label("Name").fill(person)
    page.get_by_label("Password", exact=True).fill(hub.passwords[person])
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/hub/home")


def take_console(browser: Browser, folder: Path, picture: Picture) -> None:
    """Each panel of the operator console, as the rail names them."""
    with control_planes.platform(folder) as platform:
        example_platform.make(platform.record)
        example_cloud.add_cloud(platform.record, datetime.now(UTC))
        example_data.add_data(platform.record, datetime.now(UTC))
        example_data.add_models(platform.record, datetime.now(UTC))
        example_platform.let_wait(platform.record, datetime.now(UTC))
        operating_pictures.make(platform.record, datetime.now(UTC))
        platform.start(*operating_pictures.STEPS)
        example_platform.report(platform.record, platform.plane.use)
        os.environ["ALLOTMENT_API_URL"] = platform.url
        os.environ["JUPYTERHUB_API_TOKEN"] = platform.hub.token("operator")
        pages = folder / "pages"
        pages.mkdir()
        with voila(pages, "--template=allotment") as server:
            address = server.page("console", CONSOLE)
            for name, view in VIEWS.items():
                with opened(browser, view) as page:
                    page.goto(address)
                    take_panels(page, lambda what, page=page, n=name: picture(f"{what}-{n}", page))


def take_notebooks(browser: Browser, folder: Path, picture: Picture) -> None:
    """The data browser, and tables in a cell, in a server of the platform."""
    folder.mkdir()
    with control_planes.platform(folder) as platform:
        data_pictures.make(platform)
        os.environ["ALLOTMENT_API_URL"] = platform.url
        os.environ["JUPYTERHUB_API_TOKEN"] = data_pictures.TOKEN
        pages = folder / "pages"
        pages.mkdir()
        with voila(pages, "--template=allotment") as server:
            browse = server.page("browse", data_pictures.BROWSER)
            cells = server.page("cells", *data_pictures.TABLES)
            for name, view in VIEWS.items():
                with opened(browser, view) as page:
                    take = lambda what, page=page, n=name: picture(f"{what}-{n}", page)  # noqa: E731 - as above
                    data_pictures.take_browser(page, browse, take)
                    data_pictures.take_tables(page, cells, take)


def take_panels(page: Page, picture: Callable[[str], None]) -> None:
    """Follow each link of the rail."""
    page.get_by_text("Live ·").wait_for()
    rail = page.get_by_role("navigation", name="Panels")
    rail.locator("[data-go]").first.wait_for()
    for panel in [link.get_attribute("data-go") for link in rail.locator("[data-go]").all()]:
        rail.locator(f"[data-go={panel}]").click()
        rail.locator(f"[data-go={panel}][aria-current=page]").wait_for()
        if panel in WITH_ROWS:
            page.locator(".ag-row").first.wait_for()
        expect(page.get_by_text("Loading…").filter(visible=True)).to_have_count(0)
        picture(f"console-{panel}")
    operating_pictures.take(page, picture)
    take_data(page, picture)
    take_replays(page, picture)


def take_data(page: Page, picture: Callable[[str], None]) -> None:
    """A source and the form for one, a dataset and its versions."""
    rail = page.get_by_role("navigation", name="Panels")
    rail.locator("[data-go=sources]").click()
    page.locator(".ag-row").filter(has_text="crm").first.click()
    page.get_by_text("Its users could write").first.evaluate("(found) => found.scrollIntoView()")
    picture("console-source")
    page.get_by_role("button", name="Add…").click()
    page.get_by_text("Add a source").evaluate("(found) => found.scrollIntoView()")
    picture("console-source-add")
    page.get_by_role("button", name="Cancel").click()
    page.locator(".ag-row").filter(has_text="lake").first.click()
    page.get_by_role("button", name="Revoke…").click()
    form = page.get_by_role("group", name="Revoke lake")
    form.get_by_text("they end by themselves").evaluate("(found) => found.scrollIntoView()")
    form.evaluate("(found) => found.scrollIntoView()")
    picture("console-source-revoke")
    page.get_by_role("button", name="Cancel").click()
    rail.locator("[data-go=datasets]").click()
    page.locator(".ag-row").filter(has_text="sales").first.click()
    page.get_by_role("button", name="Versions", exact=True).click()
    page.get_by_text("August is complete").wait_for()
    page.get_by_text("Versions of sales").evaluate("(found) => found.scrollIntoView()")
    picture("console-versions")


def take_replays(page: Page, picture: Callable[[str], None]) -> None:
    """What would have let people in, and a replay with a larger pool."""
    rail = page.get_by_role("navigation", name="Panels")
    rail.locator("[data-go=let-in]").click()
    page.get_by_role("button", name="Find out").click()
    page.get_by_text("Each line is one change alone").evaluate("(found) => found.scrollIntoView()")
    picture("console-let-in-found")
    rail.locator("[data-go=replay]").click()
    page.get_by_label("Pool", exact=True).select_option("h100")
    expect(page.get_by_label("Devices", exact=True)).to_have_value("16")
    for field in ("Devices", "Guaranteed"):
        page.get_by_label(field, exact=True).fill("24")
        page.get_by_label(field, exact=True).press("Tab")
    page.get_by_role("button", name="Run", exact=True).click()
    page.get_by_text("launches began").evaluate("(found) => found.scrollIntoView()")
    picture("console-replay-found")


@contextmanager
def opened(browser: Browser, view: dict[str, object]) -> Iterator[Page]:
    """A page of a fresh browser profile."""
    context = browser.new_context(**view)  # type: ignore[arg-type]  # one of VIEWS
    context.set_default_timeout(MILLISECONDS)
    try:
        yield context.new_page()
    finally:
        context.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "screenshots")
