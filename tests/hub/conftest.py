"""A real JupyterHub in a process of its own, with a record, to start, kill and start again.

``hub`` is one that runs; ``new_hub`` makes one with other settings or another configuration.
"""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from allotment.inventory import processes
from allotment.model.devices import DeviceOrigin, DeviceSpec
from allotment.model.groups import Share
from allotment.model.limits import LimitKind, LimitScope
from allotment.model.profiles import Profile
from allotment.record import Record, Writing, allotments, devices, groups, limits, open_record
from allotment.record import people, pools, profiles
from allotment.record.counting import discrepancies

HERE = Path(__file__).parent
ADMIN = "token-of-the-tests"
TINY = [sys.executable, str(HERE / "tiny_server.py")]

CONFIGURATION = """
import json, os
from jupyterhub.proxy import Proxy

class Routes(Proxy):
    '''Remembers routes and sends nobody anywhere: these tests ask the hub itself.'''
    should_start = False
    async def add_route(self, routespec, target, data):
        self.known[routespec] = {"routespec": routespec, "target": target, "data": data}
    async def delete_route(self, routespec):
        self.known.pop(routespec, None)
    async def get_all_routes(self):
        return self.known
    known = {}

place = json.loads(os.environ["TEST_PLACE"])
c.JupyterHub.proxy_class = Routes
c.JupyterHub.bind_url = f"http://127.0.0.1:{place['public']}"
c.JupyterHub.hub_bind_url = f"http://127.0.0.1:{place['port']}"
c.JupyterHub.db_url = f"sqlite:///{place['folder']}/hub.sqlite"
c.JupyterHub.cookie_secret_file = f"{place['folder']}/cookie-secret"
c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allow_all = True
c.JupyterHub.allow_named_servers = True
c.JupyterHub.spawner_class = "allotment_spawner.local.AllotmentLocalSpawner"
c.JupyterHub.services = [{"name": "tests", "api_token": place["admin"], "admin": True}]
c.JupyterHub.custom_scopes = {"custom:allotment:operate": {"description": "Operate Allotment"}}
c.JupyterHub.load_roles = [{"name": "user", "scopes": ["self", "shares!user", "read:users:name", "custom:allotment:operate"]}]
c.AllotmentMixin.record_url = place["record"]
c.AllotmentMixin.allotment_api_url = "http://127.0.0.1:9/services/allotment/api/v1"
c.SimpleLocalProcessSpawner.home_dir_template = f"{place['folder']}/homes/{{username}}"
c.LocalServer.console_homes = f"{place['folder']}/consoles"
c.LocalServer.leftover_grace = 0.5
c.Spawner.cmd = place["command"]
c.Spawner.poll_interval = 1
c.Spawner.environment = {"TINY_HUB_VERSION": __import__("jupyterhub").__version__}
"""

DEVICES = [
    DeviceSpec(f"gpu-{number}", "node-1", "A100", 80 * 2**30, f"GPU-uuid-{number}", DeviceOrigin.SETTINGS)
    for number in range(8)
]
PROFILES = [
    {"name": "small", "title": "Small", "cpu": 1, "memory": "1GiB"},
    {"name": "gpu", "title": "One GPU", "devices": 1, "cpu": 4, "memory": "16GiB", "environment": {"HF_HOME": "/models"}},
    {"name": "two", "title": "Two GPUs", "devices": 2},
    {"name": "secret", "title": "For Ben", "visible_to": {"people": ["ben"]}},
    {"name": "operator-console", "title": "Operator console"},
]


def now() -> datetime:
    return datetime.now(UTC)


def seed(writing: Writing) -> None:
    """Eight devices, four of them in vision's pool; ada and ben in vision, cy in no group."""
    devices.observe(writing, DEVICES, DeviceOrigin.SETTINGS)
    pools.create(writing, "a100", [device.id for device in DEVICES[:4]])
    groups.create(writing, "vision", wanted=[Share("vision", "a100", 4, 4)])
    people.onboard(writing, ["olga"], role="operator")
    people.onboard(writing, ["ada", "ben"], group="vision")
    people.onboard(writing, ["cy"])
    for document in PROFILES:
        profiles.publish(writing, Profile.model_validate(document), "tests", document["name"])
    limits.put(writing, LimitScope.PLATFORM, "", LimitKind.DEVICES, 2)
    limits.put(writing, LimitScope.PLATFORM, "", LimitKind.SERVERS, 3)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(condition: Callable[[], Any], what: str, limit: float = 30.0) -> Any:
    """Wait for something to become true, at most some seconds, and return it."""
    deadline = time.monotonic() + limit
    while not (found := condition()):
        assert time.monotonic() < deadline, f"waited {limit:g} s for {what}"
        time.sleep(0.02)
    return found


@dataclass
class HubUnderTest:
    """A hub, its record and its people's servers."""

    folder: Path
    command: list[str]
    extra: str = ""
    port: int = field(default_factory=free_port)
    public: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.record_url = f"sqlite:///{self.folder}/record.sqlite"
        self.record: Record = open_record(self.record_url, migrate=True)
        self.web = httpx.Client(base_url=f"http://127.0.0.1:{self.port}/hub", timeout=60)
        self.tokens: dict[str, str] = {}

    # The hub's process.

    def start(self) -> HubUnderTest:
        """Start the hub, again after it was killed, and wait until it answers."""
        place = {
            "folder": str(self.folder),
            "port": self.port,
            "public": self.public,
            "record": self.record_url,
            "command": self.command,
            "admin": ADMIN,
        }
        configuration = self.folder / "jupyterhub_config.py"
        configuration.write_text(CONFIGURATION + self.extra)
        environment = {**os.environ, "TEST_PLACE": json.dumps(place)}
        with (self.folder / "hub.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "jupyterhub", "-f", str(configuration)],
                cwd=self.folder,
                env=environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        until(self._answers, f"the hub; it said:\n{self.log()[-4000:]}")
        return self

    def _answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, f"the hub ended:\n{self.log()[-4000:]}"
        try:
            return self.web.get("/api/").status_code == 200
        except httpx.TransportError:
            return False

    def kill(self) -> None:
        """End the hub as a crash does."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def close(self) -> None:
        """End the hub and everything that it started."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.kill()
        for allotment in {one.allotment for one in self.marked()}:
            processes.end(allotment, grace=0)
        self.web.close()
        self.record.close()

    def log(self) -> str:
        """What the hub and its servers have said."""
        return (self.folder / "hub.log").read_text(errors="replace")

    # What it and the record know.

    def api(self, method: str, path: str, body: object = None, *, token: str = ADMIN, **more: Any) -> httpx.Response:
        """Ask the hub's REST API."""
        headers = {"Authorization": f"token {token}"}
        return self.web.request(method, f"/api{path}", json=body, headers=headers, **more)

    def token(self, person: str) -> str:
        """A token of a person's own, who becomes a user of the hub with it."""
        if person not in self.tokens:
            self.api("POST", f"/users/{person}")
            answer = self.api("POST", f"/users/{person}/tokens", {})
            self.tokens[person] = answer.raise_for_status().json()["token"]
        return self.tokens[person]

    def launch(self, person: str, server: str = "", **options: object) -> httpx.Response:
        """Launch by REST as a person does."""
        body = {"user_options": options} if options else None
        return self.api("POST", f"/users/{person}/servers/{server}", body, token=self.token(person))

    def ready(self, person: str, server: str = "") -> dict[str, Any]:
        """Wait until a server is ready, and return what the hub says of it."""

        def look() -> dict[str, Any] | None:
            answer = self.api("GET", f"/users/{person}/servers/{server}")
            model = answer.json() if answer.status_code == 200 else {}
            return model if model.get("ready") else None

        return until(look, f"{person}'s server {server!r}; the hub said:\n{self.log()[-4000:]}")

    def stop(self, person: str, server: str = "", **body: object) -> None:
        """Stop a server and wait until the hub says that it is stopped."""
        path = f"/users/{person}/servers/{server}"
        self.api("DELETE", path, body or None, token=self.token(person)).raise_for_status()
        until(lambda: not self.active_in_hub(person, server), f"{person}'s server {server!r} to end")

    def active_in_hub(self, person: str, server: str = "") -> bool:
        """Whether the hub counts a server as pending or ready."""
        answer = self.api("GET", f"/users/{person}")
        return server in answer.json().get("servers", {})

    def held(self, person: str | None = None) -> tuple[allotments.Allotment, ...]:
        """The allotments that hold devices and count."""
        with self.record.reading() as reading:
            return allotments.active(reading, person=person)

    def latest(self, person: str, server: str = "") -> allotments.Allotment:
        """The newest allotment of a server."""
        with self.record.reading() as reading:
            found = allotments.latest(reading, "hub", person, server)
        assert found is not None
        return found

    def ask_server(self, person: str, server: str, action: str) -> Any:
        """Ask a tiny server itself, where it listens."""
        found = next(
            one for one in self.marked() if (one.person, one.server) == (person, server)
        )
        address = psutil.Process(found.process.pid).environ()["JUPYTERHUB_SERVICE_URL"]
        return httpx.get(f"{address}{action}").json()

    def marked(self) -> list[processes.MarkedProcess]:
        """Processes of this hub's servers. Another hub's may carry the same hub id: homes tell."""
        mine = []
        for one in processes.marked():
            try:
                environment = psutil.Process(one.process.pid).environ()
            except (psutil.NoSuchProcess, psutil.AccessDenied):
                continue
            if environment.get("HOME", "").startswith(str(self.folder)):
                mine.append(one)
        return mine

    def change(self, change: Callable[[Writing], object]) -> None:
        """Change the record."""
        with self.record.writing("olga", now()) as writing:
            change(writing)

    def assert_sound(self) -> None:
        """The record's counters say what its holdings say."""
        with self.record.reading() as reading:
            assert discrepancies(reading) == ()


@pytest.fixture
def new_hub(tmp_path: Path) -> Iterator[Callable[..., HubUnderTest]]:
    """Make hubs with a seeded record; each is started unless told otherwise, and ended by the fixture."""
    made: list[HubUnderTest] = []

    def make(
        *,
        command: list[str] | None = None,
        extra: str = "",
        seeded: Callable[[Writing], object] = seed,
        started: bool = True,
    ) -> HubUnderTest:
        hub = HubUnderTest(tmp_path / f"hub-{len(made)}", command or TINY, extra)
        made.append(hub)
        hub.change(seeded)
        return hub.start() if started else hub

    yield make
    for hub in made:
        hub.close()


@pytest.fixture
def hub(new_hub: Callable[..., HubUnderTest]) -> HubUnderTest:
    """A hub that runs, with tiny servers."""
    return new_hub()
