"""A real browser and real pages, for every test that asks what a person sees.

Wait for what must be seen (``expect``), never for a time. The browser lives as long as a module:
tests of a module that uses it cannot be async.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

import browsing
from page_hubs import PageHub

Open = Callable[..., Page]
Scheme = Literal["light", "dark"]

#: What is waited for is seen within this time on a busy machine; opening a page starts a kernel first.
SEEN_MILLISECONDS = 20_000
OPEN_MILLISECONDS = 60_000


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=SEEN_MILLISECONDS)
    with browsing.chromium() as started:
        yield started


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Open]:
    """Opens an address in a fresh profile; nothing may be asked of another machine."""
    with _pages(browser) as open_one:
        yield open_one


@pytest.fixture
def signed_in(hub: PageHub, open_page: Open) -> Open:
    """Opens a page of the hub in a fresh browser in which somebody is signed in; the module says which ``hub``."""

    def open_signed_in(name: str, path: str = "/hub/home", **look: Any) -> Page:
        browser = hub.signed_in(name)
        cookies = [
            {"name": each.name, "value": each.value or "", "url": f"{hub.url}{each.path}"}
            for each in browser.cookies.jar
        ]
        browser.close()
        page = open_page("about:blank", **look)
        page.context.add_cookies(cookies)  # type: ignore[arg-type]  # names, values and addresses are enough
        page.goto(hub.url + path)
        return page

    return open_signed_in


@pytest.fixture(scope="module")
def open_shared_page(browser: Browser) -> Iterator[Open]:
    """The same for a page that the tests of a module share: most of a test's time is its kernel's start."""
    with _pages(browser) as open_one:
        yield open_one


@contextmanager
def _pages(browser: Browser) -> Iterator[Open]:
    pages: list[Page] = []
    asked_outside: list[str] = []

    def open_one(
        address: str, *, scheme: Scheme = "light", width: int = 1280, height: int = 900
    ) -> Page:
        context = browser.new_context(
            color_scheme=scheme, viewport={"width": width, "height": height}
        )
        context.set_default_timeout(SEEN_MILLISECONDS)
        page = context.new_page()
        browsing.stay_here(page, asked_outside)
        pages.append(page)
        page.goto(address, timeout=OPEN_MILLISECONDS)
        return page

    yield open_one
    for page in pages:
        page.context.close()
    assert asked_outside == []


@pytest.fixture(scope="module")
def voila(tmp_path_factory: pytest.TempPathFactory) -> Iterator[browsing.Server]:
    """Voilà over an empty folder: ``voila.page(name, *cells)`` makes a notebook and its address."""
    with browsing.voila(tmp_path_factory.mktemp("voila"), "--template=allotment") as server:
        yield server


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[browsing.Server]:
    """JupyterLab over an empty folder; its settings are kept apart from the person's own."""
    settings = tmp_path_factory.mktemp("lab-settings")
    notices = settings / "@jupyterlab" / "apputils-extension" / "notification.jupyterlab-settings"
    notices.parent.mkdir(parents=True)
    # It would ask whether it may fetch news, over the page's corner.
    notices.write_text('{"fetchNews": "false", "checkForUpdates": false}', encoding="utf-8")
    with browsing.lab(
        tmp_path_factory.mktemp("lab"),
        f"--LabApp.user_settings_dir={settings}",
        f"--LabApp.workspaces_dir={settings}",
    ) as server:
        yield server


@pytest.fixture
def run_all() -> Callable[[Page], None]:
    """Runs every cell of the notebook that JupyterLab shows, once its kernel is there."""

    def run(page: Page) -> None:
        page.wait_for_function("window.jupyterapp?.shell.currentWidget?.sessionContext?.isReady")
        page.evaluate("() => jupyterapp.commands.execute('notebook:run-all-cells')")

    return run


@pytest.fixture
def accessible() -> Callable[..., None]:
    """Asserts that axe-core finds nothing serious or critical, in the whole page or in a part; by all rules or some."""

    def check(page: Page, part: str | None = None, rules: Sequence[str] = ()) -> None:
        options = {"runOnly": {"type": "rule", "values": list(rules)}} if rules else {}
        found = Axe().run(page, context=part, options=options).response["violations"]
        grave = [
            f"{each['impact']} {each['id']}: {each['help']}\n  "
            + "\n  ".join(node["html"][:300] for node in each["nodes"][:5])
            for each in found
            if each["impact"] in ("serious", "critical")
        ]
        assert not grave, "\n".join(grave)

    return check
