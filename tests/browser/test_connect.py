"""Connecting to a server from outside: what the home page tells, and what the token opens."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from hubs import free_port, until
from kernels import Kernel
from page_hubs import SETTINGS, PageHub, launch

pytestmark = pytest.mark.needs("chromium")

Open = Callable[..., Page]
Check = Callable[..., None]
LOOKS = [("light", 1280), ("dark", 1280), ("light", 390), ("dark", 390)]
STARTED = 60_000
"""Milliseconds within which JupyterLab shows its first page, on a busy machine with two cores."""


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PageHub]:
    """A hub on which ada has a running JupyterLab named Training, and one that was never started."""
    settings = SETTINGS.replace("[PYTHON, TINY]", "[jupyterhub-singleuser]")
    made = PageHub(tmp_path_factory.mktemp("connect") / "hub", settings=settings)
    try:
        made.start()
        with closing(made.signed_in("ada")) as browser:
            launch(browser, name="Training", profile="small")
            until(lambda: running(browser), "ada's server", 90)
        yield made
    finally:
        made.stop()


def running(browser: httpx.Client) -> bool:
    servers = browser.get("/api/users/ada").json()["servers"]
    return bool(servers.get("training", {}).get("ready"))


@pytest.fixture(scope="module")
def token(hub: PageHub) -> str:
    """What the dialog asks the hub for, with the rights that it asks for."""
    return mint(hub, "access:servers!server=ada/training")


def mint(hub: PageHub, *scopes: str) -> str:
    with closing(hub.signed_in("ada")) as browser:
        headers = {"X-XSRFToken": browser.cookies["_xsrf"]}
        body = {"note": "Connect", "expires_in": 600, "scopes": list(scopes)}
        answer = browser.post("/api/users/ada/tokens", json=body, headers=headers)
        return str(answer.raise_for_status().json()["token"])


def open_dialog(page: Page) -> None:
    page.get_by_role("button", name="Connect… to Training").click()
    expect(page.get_by_role("dialog", name="Connect to Training")).to_be_visible()


def make_token(page: Page) -> str:
    page.get_by_role("button", name="Make a token").click()
    token = page.get_by_label("Token", exact=True)
    expect(token).not_to_have_value("")
    return token.input_value()


def ask(url: str, token: str, method: str = "GET") -> httpx.Response:
    return httpx.request(method, url, headers={"Authorization": f"token {token}"}, timeout=30)


@pytest.mark.promise("SERVER-6")
def test_the_page_makes_a_token_for_one_server_and_shows_it_once(
    hub: PageHub, signed_in: Open
) -> None:
    page = signed_in("ada")
    open_dialog(page)
    page.get_by_label("Ends after").select_option("8 hours")
    made = make_token(page)

    address = page.get_by_label("Address", exact=True).input_value()
    assert address == f"{hub.url}/user/ada/training/"
    assert ask(f"{address}api/kernels", made).status_code == 200
    model = ask(f"{hub.url}/hub/api/user", made).json()
    assert "access:servers!server=ada/training" in model["scopes"]
    assert not any(each.startswith(("servers", "tokens")) for each in model["scopes"])
    page.get_by_text("VS Code", exact=True).click()
    expect(page.locator("#connect-vscode")).to_have_text(f"{address}?token={made}")
    page.get_by_text("JupyterLab on your own computer", exact=True).click()
    expect(page.locator("#connect-gateway")).to_contain_text(f"AUTH_TOKEN='{made}'")

    page.get_by_role("button", name="Close").click()
    expect(page.get_by_role("button", name="Connect… to Training")).to_be_focused()
    # The browser gives the focus back before it tells the page that the dialog is closed.
    expect(page.locator("#connect-gateway")).to_have_text("")
    assert made not in page.content()


@pytest.mark.promise("AUTH-3", "SERVER-6")
def test_the_token_is_listed_with_its_end_and_revoked_with_the_other_tokens(
    hub: PageHub, signed_in: Open
) -> None:
    page = signed_in("ada")
    open_dialog(page)
    made = make_token(page)
    with closing(hub.signed_in("ada")) as browser:
        tokens = browser.get("/api/users/ada/tokens").json()["api_tokens"]
    newest = max(tokens, key=lambda each: each["created"])
    ends = datetime.fromisoformat(newest["expires_at"]) - datetime.now(UTC)
    assert newest["note"] == "Connect to Training"
    assert timedelta(hours=23) < ends <= timedelta(days=1)

    page.get_by_role("link", name="API tokens").last.click()
    page.wait_for_load_state()
    row = page.locator(f'[data-token-id="{newest["id"]}"]')
    row.get_by_role("button", name="Revoke").click()
    expect(row).to_have_count(0)
    assert ask(f"{hub.url}/hub/api/user", made).status_code == 403


@pytest.mark.promise("SERVER-6", "USER-7")
def test_the_token_opens_nothing_but_its_server(hub: PageHub, token: str) -> None:
    own = f"{hub.url}/hub/api/users/ada"
    refused = [
        ask(f"{own}/servers/training", token, "DELETE"),
        ask(f"{own}/servers/other", token, "POST"),
        ask(f"{own}/tokens", token, "POST"),
        ask(f"{hub.url}/hub/api/users", token),
    ]
    assert {each.status_code for each in refused} <= {403, 404}
    elsewhere = mint(hub, "access:servers!server=ada/other")
    assert ask(f"{hub.url}/user/ada/training/api/kernels", elsewhere).status_code == 403


@pytest.mark.promise("SERVER-6")
def test_a_kernel_client_runs_code_in_the_server_through_the_proxy(
    hub: PageHub, token: str
) -> None:
    said = run(f"{hub.url}/user/ada/training/", token, "print(os.environ['ALLOTMENT_PROFILE'])")
    assert said == "small"


def run(url: str, token: str, code: str) -> str:
    """What code prints in a kernel of its own. In a thread: the browser holds this one's event loop."""

    def in_kernel() -> str:
        return Kernel(url, token).start().run(f"import os; {code}").strip()

    with ThreadPoolExecutor(1) as threads:
        return threads.submit(in_kernel).result()


@pytest.mark.promise("SERVER-6")
def test_a_jupyter_server_elsewhere_runs_its_kernels_in_the_server(
    hub: PageHub, token: str, tmp_path: Any
) -> None:
    port = free_port()
    gateway = {
        "JUPYTER_GATEWAY_URL": f"{hub.url}/user/ada/training",
        "JUPYTER_GATEWAY_AUTH_TOKEN": token,
        "JUPYTER_TOKEN": "local",
    }
    options = ["--allow-root", f"--port={port}", "--no-browser", f"--ServerApp.root_dir={tmp_path}"]
    process = subprocess.Popen(
        [sys.executable, "-m", "jupyter_server", *options, "--ServerApp.port_retries=0"],
        env={**os.environ, **gateway, "HOME": str(tmp_path)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        until(lambda: answers(port), "the Jupyter server elsewhere", 60)
        said = run(f"http://127.0.0.1:{port}/", "local", "print(os.environ['ALLOTMENT_ID'])")
    finally:
        process.terminate()
        process.wait(30)
    assert said in {each.id for each in hub.held("ada")}


def answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/api").is_success
    except httpx.TransportError:
        return False


@pytest.mark.promise("SERVER-6")
def test_a_terminal_opens_by_its_link_and_the_same_one_again(
    hub: PageHub, signed_in: Open, token: str
) -> None:
    page = signed_in("ada")
    open_dialog(page)
    with page.context.expect_page() as opening:
        page.get_by_role("link", name="Open a terminal").click()
    terminal = opening.value
    typing = terminal.get_by_role("textbox", name="Terminal input")
    expect(typing).to_be_attached(timeout=STARTED)
    typing.focus()
    terminal.keyboard.type("echo $ALLOTMENT_PROFILE > said; ls; touch done-$((40+2))\n")
    contents = f"{hub.url}/user/ada/training/api/contents"
    until(lambda: ask(f"{contents}/done-42", token).is_success, "the shell", 30)
    assert ask(f"{contents}/said", token).json()["content"].strip() == "small"

    terminal.goto(f"{hub.url}/user/ada/training/allotment/terminal")
    expect(typing).to_be_attached(timeout=STARTED)
    running = ask(f"{hub.url}/user/ada/training/api/terminals", token).json()
    assert [each["name"] for each in running] == ["allotment"]


@pytest.mark.parametrize(("scheme", "width"), LOOKS)
@pytest.mark.promise("SERVER-6")
def test_the_dialog_passes_axe_and_fits_its_window(
    signed_in: Open, accessible: Check, scheme: str, width: int
) -> None:
    page = signed_in("ada", scheme=scheme, width=width)
    open_dialog(page)
    accessible(page)
    make_token(page)
    page.get_by_text("JupyterLab on your own computer", exact=True).click()
    accessible(page)
    dialog = page.get_by_role("dialog")
    assert dialog.evaluate("each => each.scrollWidth <= each.clientWidth")
