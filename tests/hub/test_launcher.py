"""`make hub`: where it says, with nothing left behind, and found again after a crash.

Everything is real: the proxy, the control plane, JupyterHub, and the configuration that ships.
"""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil
import pytest

from allotment.inventory.processes import marked
from allotment_hub.launch import orphans
from hubs import TINY, alive, free_port, until

SETTINGS = f"""
sign_in: {{kind: local, operators: [olga]}}
devices: [{{id: gpu-0, model: A100, memory: 80GiB}}]
groups: [{{name: vision, members: [ada]}}]
profiles: [profiles/]
servers: {{command: {TINY}}}
"""
PROFILE = "title: One device\ndescription: For the tests.\ndevices: 1\n"
REFUSED = 2


@dataclass
class Launched:
    """A launcher in a process of its own, in a folder of its own."""

    folder: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[str] | None = None

    @property
    def state(self) -> Path:
        return self.folder / "state"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def launch(self, **variables: str) -> subprocess.Popen[str]:
        """Start the launcher as `make hub` does."""
        chosen = {"PORT": str(self.port), "STATE": str(self.state)}
        chosen["SETTINGS"] = str(self.folder / "settings.yaml")
        return subprocess.Popen(
            [sys.executable, "-m", "allotment_hub.launch"],
            env={**os.environ, **chosen, **variables},
            stdout=(self.folder / "terminal").open("a"),
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def start(self) -> "Launched":
        """Start the hub and wait until it says that it runs."""
        (self.folder / "terminal").write_text("")
        self.process = self.launch()
        until(self._runs, "the hub", 120)
        return self

    def _runs(self) -> bool:
        assert self.process
        assert self.process.poll() is None, self.terminal()
        return "Allotment is running." in self.terminal()

    def refused(self, **variables: str) -> str:
        """Start one that must not run; returns what it said."""
        (self.folder / "terminal").write_text("")
        assert self.launch(**variables).wait(120) == REFUSED
        return self.terminal()

    def terminal(self) -> str:
        """What the person who started it sees."""
        return (self.folder / "terminal").read_text()

    def stop(self, number: int = signal.SIGINT) -> int:
        """Send a signal and wait for the end; returns the exit status."""
        assert self.process
        self.process.send_signal(number)
        return self.process.wait(60)

    def parts(self) -> list[psutil.Process]:
        """Its proxy and its control plane."""
        return orphans.parts_of_hub(self.state)

    def servers(self) -> list[int]:
        """Processes of its people's servers."""
        homes = f"{self.state}/"
        found = [psutil.Process(one.process.pid) for one in marked()]
        return [process.pid for process in found if f"{process.cwd()}/".startswith(homes)]

    def password(self, person: str) -> str:
        """A person's first password."""
        lines = (self.state / "first-passwords").read_text().splitlines()
        return dict(line.split(": ", 1) for line in lines)[person]

    def signed_in(self, person: str) -> httpx.Client:
        """A browser in which a person has signed in."""
        browser = httpx.Client(base_url=f"{self.url}/hub", timeout=60, follow_redirects=True)
        browser.get("/login").raise_for_status()
        form = {"username": person, "password": self.password(person)}
        form["_xsrf"] = browser.cookies["_xsrf"]
        browser.post("/login", data=form).raise_for_status()
        assert browser.get("/api/user", headers=same_origin(browser)).json()["name"] == person
        return browser


def same_origin(browser: httpx.Client) -> dict[str, str]:
    return {
        "Referer": str(browser.base_url),
        "X-XSRFToken": browser.cookies.get("_xsrf", path="/hub/"),
    }


NewHub = Callable[[str], Launched]


@pytest.fixture(scope="module")
def new_launcher(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NewHub]:
    made: list[Launched] = []

    def new(name: str) -> Launched:
        folder = tmp_path_factory.mktemp(name)
        (folder / "profiles").mkdir()
        (folder / "profiles" / "gpu.yaml").write_text(PROFILE)
        (folder / "settings.yaml").write_text(SETTINGS)
        made.append(Launched(folder))
        return made[-1]

    yield new
    for one in made:
        if one.process and one.process.poll() is None:
            one.stop()


@pytest.fixture(scope="module")
def running(new_launcher: NewHub) -> Launched:
    """One hub that runs for all tests that only look."""
    return new_launcher("running").start()


def test_it_says_where_to_go_once_it_answers(running: Launched) -> None:
    said = running.terminal()
    assert running.url in said
    assert "olga" in said
    assert str(running.state / "first-passwords") in said
    assert httpx.get(f"{running.url}/hub/login").status_code == 200
    assert httpx.get(f"{running.url}/services/allotment/api/v1/health").status_code == 200


def test_everybody_declared_has_a_first_password_that_only_the_owner_of_the_folder_reads(
    running: Launched,
) -> None:
    file = running.state / "first-passwords"
    assert file.stat().st_mode & 0o777 == 0o600
    people = {line.split(": ")[0] for line in file.read_text().splitlines()}
    assert people == {"ada", "olga"}
    running.signed_in("ada")


@pytest.mark.promise("SERVER-7")
def test_a_second_hub_of_the_name_is_refused_on_the_same_record(
    running: Launched, new_launcher: NewHub
) -> None:
    second = new_launcher("second")
    record = f"record: sqlite:///{running.state}/record.sqlite\n"
    (second.folder / "settings.yaml").write_text(SETTINGS + record)

    said = second.refused()

    assert "another hub called 'hub' uses this record" in said
    assert "settings (hub: …)" in said
    assert running.signed_in("ada")


def test_every_port_is_on_loopback_only(running: Launched) -> None:
    assert running.process
    hub = psutil.Process(running.process.pid)
    listening = [
        connection.laddr.ip
        for process in [hub, *hub.children(recursive=True)]
        for connection in process.net_connections(kind="inet")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert len(listening) >= 4
    assert set(listening) == {"127.0.0.1"}


def test_its_folder_names_the_process_that_counts(running: Launched) -> None:
    assert running.process
    assert int((running.state / "hub.pid").read_text()) == running.process.pid


def test_a_second_hub_in_the_same_folder_is_refused_with_the_first_ones_name(
    running: Launched, new_launcher: NewHub
) -> None:
    assert running.process
    said = new_launcher("second").refused(STATE=str(running.state))
    assert f"process {running.process.pid} at {running.url}" in said
    assert running.process.poll() is None


def test_a_taken_port_is_refused_and_named(running: Launched, new_launcher: NewHub) -> None:
    said = new_launcher("taken").refused(PORT=str(running.port))
    assert f"Port {running.port} is taken by process" in said


def test_two_hubs_run_side_by_side(running: Launched, new_launcher: NewHub) -> None:
    other = new_launcher("other").start()
    assert httpx.get(f"{running.url}/hub/health").status_code == 200
    assert httpx.get(f"{other.url}/hub/health").status_code == 200
    other.stop()
    assert httpx.get(f"{running.url}/hub/health").status_code == 200


@pytest.mark.promise("AUTH-2")
def test_a_wrong_setting_is_told_with_its_line_and_nothing_is_started(
    new_launcher: NewHub,
) -> None:
    one = new_launcher("wrong")
    (one.folder / "settings.yaml").write_text("sign_in: {kind: guesswork}\n")
    said = one.refused()
    assert "settings.yaml:1: sign_in.kind" in said
    assert "Traceback" not in said
    assert not one.state.exists()


def test_a_hub_that_cannot_start_says_why_and_leaves_nothing_running(new_launcher: NewHub) -> None:
    one = new_launcher("broken")
    (one.folder / "config.py").write_text("c.JupyterHub.spawner_class = 'no-such-spawner'\n")
    process = one.launch(CONFIG=str(one.folder / "config.py"))
    assert process.wait(60) == 1
    assert "no-such-spawner" in one.terminal()
    assert str(one.state / "logs" / "hub.log") in one.terminal()
    assert one.parts() == []


# Ctrl-C is SIGINT: the test of the crash below ends with it.
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP], ids=["SIGTERM", "SIGHUP"])
def test_every_signal_ends_the_hub_and_all_that_it_started(
    number: signal.Signals, new_launcher: NewHub
) -> None:
    one = new_launcher(number.name).start()
    launch(one, "ada")
    started = [process.pid for process in one.parts()] + one.servers()
    assert len(started) >= 3
    assert one.stop(number) == 0
    assert not [pid for pid in started if alive(pid)]
    assert not (one.state / "hub.pid").exists()


@pytest.mark.promise("SERVER-7")
def test_after_a_crash_the_next_hub_runs_where_the_last_one_did_and_finds_its_servers(
    new_launcher: NewHub,
) -> None:
    one = new_launcher("crash").start()
    launch(one, "ada")
    left, servers = one.parts(), one.servers()
    assert one.process
    one.process.kill()
    one.process.wait()
    one.start()
    assert not [process for process in left if alive(process.pid)]
    assert all(alive(pid) for pid in servers)
    browser = one.signed_in("ada")
    server = browser.get("/api/users/ada", headers=same_origin(browser)).json()["servers"][""]
    assert server["ready"]
    assert httpx.get(f"{one.url}/user/ada/api").json() == {"version": "tiny"}
    assert one.stop(signal.SIGINT) == 0
    assert one.parts() == []
    assert not [pid for pid in servers if alive(pid)]


def test_stopped_before_it_was_ready_it_leaves_nothing_running(new_launcher: NewHub) -> None:
    one = new_launcher("early")
    one.process = one.launch()
    until(one.parts, "the proxy to start", 60)
    one.stop(signal.SIGTERM)
    assert one.parts() == []
    assert not re.search("Traceback", one.terminal())


def launch(one: Launched, person: str) -> None:
    """Launch a person's server by the page's own form, and wait until it answers."""
    browser = one.signed_in(person)
    page = browser.get(f"/spawn/{person}")
    page.raise_for_status()
    form = {"profile": "gpu", "_xsrf": browser.cookies.get("_xsrf", path="/hub/") or ""}
    browser.post(f"/spawn/{person}", data=form).raise_for_status()
    until(
        lambda: httpx.get(f"{one.url}/user/{person}/api").text == '{"version": "tiny"}',
        f"{person}'s server",
        60,
    )
