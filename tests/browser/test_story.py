"""The main job, as people do it: from an empty platform to a device that is free again.

A real hub with its proxy, control plane, JupyterLab and console; a browser for each person.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect

from hubs import free_port, until

SETTINGS = """
organisation: Example Research
sign_in: {kind: local, operators: [operator]}
devices:
  - {id: gpu-0, model: NVIDIA A100 80GB, memory: 80GiB, node: dgx-1, uuid: GPU-of-the-story-0}
  - {id: gpu-1, model: NVIDIA A100 80GB, memory: 80GiB, node: dgx-1, uuid: GPU-of-the-story-1}
limits: {defaults: {devices: 1, servers: 3}}
profiles: [profiles]
"""
PROFILES = Path(__file__).parents[2] / "profiles"
STARTED = 90_000
"""Milliseconds within which a server is there, on a busy machine with two cores."""


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """What ``make hub`` starts, with two devices and nobody but the operator: its address and its folder."""
    folder = tmp_path_factory.mktemp("story")
    (folder / "settings.yaml").write_text(SETTINGS)
    (folder / "profiles").mkdir()
    for name in ("operator-console", "pytorch-gpu", "minimal"):
        (folder / "profiles" / f"{name}.yaml").write_text((PROFILES / f"{name}.yaml").read_text())
    port, state = free_port(), folder / "state"
    process = subprocess.Popen(
        [sys.executable, "-m", "allotment_hub.launch"],
        env=os.environ
        | {"PORT": str(port), "STATE": str(state), "SETTINGS": str(folder / "settings.yaml")},
        stdout=(folder / "said").open("w"),
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        until(lambda: _answers(port), "the hub", 90)
        yield f"http://127.0.0.1:{port}", state
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)


def _answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/services/allotment/api/v1/health").is_success
    except httpx.TransportError:
        return False


def sign_in(page: Page, name: str, password: str) -> None:
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="My servers")).to_be_visible()


def open_console(page: Page, address: str, password: str) -> None:
    page.goto(f"{address}/hub/login")
    sign_in(page, "operator", password)
    console = page.get_by_role("link", name="Operator console")
    console.or_(page.get_by_role("button", name="Operator console")).first.click()
    expect(page.get_by_role("heading", name="Overview")).to_be_visible(timeout=STARTED)


def panel(page: Page, name: str) -> None:
    page.get_by_role("link", name=re.compile(f"^{name}")).click()
    expect(page.get_by_role("heading", name=name, exact=True, level=1)).to_be_visible()


def make_pool(page: Page) -> None:
    panel(page, "Pools and devices")
    page.get_by_role("option", name="dgx-1 gpu-0: free").click()
    page.get_by_role("button", name="New pool of these…").click()
    page.get_by_label("Name", exact=True).fill("a100")
    page.get_by_role("button", name="Create pool").click()
    expect(page.get_by_role("row", name=re.compile("^a100 NVIDIA A100 80GB"))).to_be_visible()


def make_group(page: Page) -> None:
    panel(page, "Groups")
    page.get_by_role("button", name="New group…").click()
    page.get_by_label("Name", exact=True).fill("vision")
    page.get_by_label("Pool", exact=True).select_option(label="a100: 1 of 1 can be guaranteed")
    page.get_by_label("Guaranteed devices").fill("1")
    page.get_by_label("Ceiling").fill("1")
    page.get_by_label("Ceiling").press("Tab")
    page.get_by_role("button", name="Create group").click()
    expect(page.get_by_role("row", name=re.compile("^vision"))).to_be_visible()


def on_board(page: Page, *names: str) -> None:
    panel(page, "Users")
    page.get_by_role("button", name="On-board people…").click()
    form = page.get_by_role("group", name="On-board people")
    form.get_by_label("Names, one a line").fill("\n".join(names))
    form.get_by_label("Group", exact=True).select_option(label="vision")
    form.get_by_role("button", name=re.compile("^On-board")).click()
    for name in names:
        expect(
            page.get_by_role("row", name=re.compile(f"{name} Data scientist vision"))
        ).to_be_visible()


def reset_link(page: Page, name: str) -> str:
    """Make a one-time link with which somebody chooses a first password."""
    page.get_by_role("row", name=re.compile(f"{name} Data scientist")).get_by_role(
        "checkbox"
    ).click()
    page.get_by_role("button", name="Configure…").click()
    page.get_by_role("button", name="Make a link for a new password").click()
    link = page.locator("code.linkbox")
    expect(link).to_contain_text("http")
    return link.inner_text()


def choose_password(page: Page, link: str, name: str, password: str) -> None:
    page.goto(link)
    for field in page.locator("input[type=password]").all():
        field.fill(password)
    page.get_by_role("button", name="Set the password").click()
    page.get_by_role("link", name="Sign in").click()
    sign_in(page, name, password)


def launch(page: Page, address: str, name: str, size: str) -> None:
    page.goto(f"{address}/hub/home")
    page.get_by_role("link", name="New server").first.click()
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_role("radio", name=re.compile(size)).check()
    page.get_by_role("button", name=re.compile("^Launch")).click()


def run_cell(page: Page, code: str) -> None:
    """Open a notebook from JupyterLab's launcher and run one cell."""
    page.locator(".jp-LauncherCard", has_text="Python 3").first.click(timeout=STARTED)
    expect(page.get_by_text("Python 3 (ipykernel) | Idle")).to_be_visible(timeout=STARTED)
    cell = page.locator(".jp-Notebook .jp-CodeCell .cm-content").first
    cell.fill(code)
    expect(cell).to_have_text(code)
    cell.press("Shift+Enter")


@pytest.mark.promise(
    "USER-1", "USER-2", "POOL-3", "GROUP-4", "SERVER-1", "SERVER-4", "ADMIN-1", "ADMIN-2", "LIMIT-4"
)
def test_from_an_empty_platform_to_a_device_that_is_free_again(
    hub: tuple[str, Path], open_page: Callable[..., Page]
) -> None:
    address, state = hub
    passwords = dict(
        line.split(": ", 1) for line in (state / "first-passwords").read_text().splitlines()
    )
    operator = open_page(address, width=1400, height=1000)
    open_console(operator, address, passwords["operator"])
    make_pool(operator)
    make_group(operator)
    on_board(operator, "ann", "bob")
    link = reset_link(operator, "ann")

    ann = open_page(address)
    choose_password(ann, link, "ann", "a long enough passphrase")
    launch(ann, address, "training", "PyTorch on one GPU")
    ann.wait_for_url(re.compile("/user/ann/training/"), timeout=STARTED)
    run_cell(
        ann,
        "import os; print('mine:', os.environ['CUDA_VISIBLE_DEVICES'], os.environ['ALLOTMENT_DEVICES'])",
    )
    output = ann.locator(".jp-OutputArea-output", has_text="mine:")
    expect(output.first).to_contain_text("mine: GPU-of-the-story-0 gpu-0", timeout=STARTED)

    launch_refused(ann, address)

    panel(operator, "Servers")
    row = operator.get_by_role("row", name=re.compile("ann training vision"))
    expect(row).to_contain_text("Running")
    row.get_by_role("checkbox").click()
    operator.get_by_role("button", name="Stop 1…").click()
    form = operator.get_by_role("group", name=re.compile("^Stop"))
    form.get_by_label("Why? Their users read it.").fill("the node is needed")
    form.get_by_role("button", name="Stop 1 server", exact=True).click()
    expect(row).to_have_count(0, timeout=STARTED)

    ann.goto(f"{address}/hub/home")
    expect(ann.get_by_text("the node is needed")).to_be_visible()
    panel(operator, "Pools and devices")
    expect(operator.get_by_role("option", name="dgx-1 gpu-0: free")).to_be_visible()


def launch_refused(ann: Page, address: str) -> None:
    """A second launch is over ann's own limit and over the group's share: both are said, on the card and when it is tried."""
    page = ann.context.new_page()
    page.goto(f"{address}/hub/spawn/ann/second")
    card = page.locator(".card", has_text="PyTorch on one GPU")
    expect(card).to_contain_text("You hold 1 device and may hold 1")
    expect(card).to_contain_text("vision may hold 1 device in a100 and holds 1")
    tried = page.request.post(
        f"{address}/hub/spawn/ann/second?_xsrf=" + _xsrf(page),
        form={"profile": "pytorch-gpu", "_xsrf": _xsrf(page)},
    )
    assert "You hold 1 device and may hold 1" in tried.text()
    assert "vision may hold 1 device in a100 and holds 1" in tried.text()
    page.close()


def _xsrf(page: Page) -> str:
    return next(
        cookie["value"]
        for cookie in page.context.cookies()
        if cookie["name"] == "_xsrf" and "/hub" in cookie["path"]
    )
