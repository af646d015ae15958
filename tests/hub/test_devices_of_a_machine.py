"""Devices from the driver to the pages: found, measured, lost under a running server, and found again.

Everything is real but the driver: hub, proxy, control plane, a Jupyter server with its extension.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from hubs import free_port, until

pytestmark = pytest.mark.needs("gcc")

FIRST = "gpu uuid=GPU-11111111-aaaa name=NVIDIA_A100 memory=40960 used=512 util=37\n"
SECOND = "gpu uuid=GPU-22222222-bbbb name=NVIDIA_A100 memory=40960 used=8192 util=93\n"
SETTINGS = """
sign_in: {kind: local, operators: [olga]}
profiles: [profiles/]
"""


class Machine:
    """A machine with two GPUs, and the platform on it. ``ask`` is as its operator."""

    def __init__(self, folder: Path, library: Path) -> None:
        self.answers = folder / "answers"
        self.state = folder / "state"
        self.url = f"http://127.0.0.1:{(port := free_port())}"
        shutil.copy(library / "libnvidia-ml.so.1", folder)
        (folder / "profiles").mkdir()
        (folder / "profiles" / "gpu.yaml").write_text("title: One GPU\ndevices: 1\n")
        (folder / "settings.yaml").write_text(SETTINGS)
        self.has(FIRST, SECOND)
        self.terminal = folder / "terminal"
        chosen = {"PORT": str(port), "STATE": str(self.state)}
        chosen |= {"SETTINGS": str(folder / "settings.yaml"), "LD_LIBRARY_PATH": str(folder)}
        with self.terminal.open("w") as terminal:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "allotment_hub.launch"],
                env={**os.environ, **chosen},
                stdout=terminal,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        until(self.runs, "the hub", 120)
        self.browser = self.sign_in()

    def has(self, *gpus: str) -> None:
        """Which GPUs are there from now on."""
        beside = self.answers.with_suffix(".new")
        beside.write_text("".join(gpus))
        beside.replace(self.answers)

    def runs(self) -> bool:
        assert self.process.poll() is None, self.terminal.read_text()
        return "Allotment is running." in self.terminal.read_text()

    def sign_in(self) -> httpx.Client:
        browser = httpx.Client(base_url=self.url, timeout=60, follow_redirects=True)
        lines = (self.state / "first-passwords").read_text().splitlines()
        password = dict(line.split(": ", 1) for line in lines)["olga"]
        browser.get("/hub/login").raise_for_status()
        form = {"username": "olga", "password": password, "_xsrf": browser.cookies["_xsrf"]}
        browser.post("/hub/login", data=form).raise_for_status()
        checked = {"Referer": f"{self.url}/hub/token"}
        checked["X-XSRFToken"] = str(browser.cookies.get("_xsrf", path="/hub/"))
        token = browser.post("/hub/api/users/olga/tokens", headers=checked, json={})
        browser.cookies.clear()
        browser.headers["Authorization"] = f"token {token.json()['token']}"
        return browser

    def ask(self, path: str) -> Any:
        return self.browser.get(path).raise_for_status().json()

    def device(self, name: str) -> Any:
        return self.ask(f"/services/allotment/api/v1/devices/{name}")

    def server(self) -> Any:
        (server,) = self.ask("/services/allotment/api/v1/servers")["items"]
        return server

    def measured_in_the_server(self) -> str:
        """How the server says its first device was measured."""
        told = self.ask("/user/olga/work/allotment/me")
        return str(told["server"]["devices"][0]["use"]["measured"])

    def launch(self) -> None:
        options = {"user_options": {"profile": "gpu"}}
        self.browser.post("/hub/api/users/olga/servers/work", json=options).raise_for_status()
        until(lambda: self.ask("/hub/api/users/olga")["servers"]["work"]["ready"], "a server", 120)

    def end(self) -> None:
        self.browser.close()
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(60)
        finally:
            self.process.kill()


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory, nvml_library: Path) -> Iterator[Machine]:
    machine = Machine(tmp_path_factory.mktemp("machine"), nvml_library)
    yield machine
    machine.end()


@pytest.mark.promise("POOL-1", "POOL-2")
def test_the_driver_devices_are_there_without_being_declared_and_are_measured(
    machine: Machine,
) -> None:
    until(lambda: machine.device("gpu-22222222")["use"], "a measurement", 60)
    device = machine.device("gpu-22222222")
    assert (device["origin"], device["model"], device["pool"], device["state"]) == (
        "nvml",
        "NVIDIA A100",
        "default",
        "free",
    )
    assert (device["use"]["utilisation"], device["use"]["memory_used"]) == (93, 8192 * 2**20)


@pytest.mark.promise("POOL-6")
def test_a_device_that_is_lost_is_flagged_its_server_runs_on_and_it_comes_back_by_itself(
    machine: Machine,
) -> None:
    machine.launch()
    until(lambda: machine.server()["use"], "a report of the server", 60)
    assert machine.server()["use"]["devices"][0]["utilisation"] == 37

    machine.has(SECOND)
    until(lambda: machine.device("gpu-11111111")["state"] == "missing", "the loss", 60)
    # The server looks for itself, now and then: it may see the loss after the platform did.
    until(lambda: machine.measured_in_the_server() == "unavailable", "its own look", 60)
    told = machine.ask("/user/olga/work/allotment/me")
    assert machine.server()["state"] == "running"
    assert any("gpu-11111111" in notice["message"] for notice in told["notices"])

    machine.has(FIRST, SECOND)
    until(lambda: machine.device("gpu-11111111")["state"] == "held", "its return", 60)
    assert machine.server()["warnings"] == []
