"""Real hubs, each in a process of its own with a seeded record: for tests and benchmarks."""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import httpx
import psutil

import hub_seeds
import tiny_server
from allotment.inventory import processes
from allotment.model.allotments import Allotment
from allotment.model.events import Event
from allotment.model.limits import LimitKind, LimitScope
from allotment.record import (
    Record,
    Writing,
    allotments,
    devices,
    events,
    limits,
    open_record,
)
from allotment.record.counting import discrepancies
from allotment.work.hub_api import HubApi
from allotment.work.local_servers import LocalServers
from allotment.work.reconciling import Reconciled, reconcile
from hub_seeds import forget_servers, seed_limits

Answer = TypeVar("Answer")
HERE = Path(__file__).parent
DETACHED = tiny_server.DETACHED
"""Python that leaves a process behind in a session of its own, and prints its pid."""
START_SECONDS = 90.0
"""A hub may take so long to start: others may be at it on the same machine."""
ADMIN = "token-of-the-tests"
TINY = [sys.executable, str(HERE / "tiny_server.py")]
seed = hub_seeds.seed
"""What a hub's record holds at first."""


def now() -> datetime:
    """The time now, UTC."""
    return datetime.now(UTC)


def free_port() -> int:
    """A TCP port that nobody listens on now, below those that connections are given by themselves."""
    while True:
        port = 10_000 + secrets.randbelow(20_000)
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                return port


def until(condition: Callable[[], Answer], what: str, limit: float = 30.0) -> Answer:
    """Wait for something to become true, at most some seconds, and return it."""
    deadline = time.monotonic() + limit
    while not (found := condition()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {limit:g} s for {what}")
        time.sleep(0.02)
    return found


def alive(pid: int) -> bool:
    """Whether a process runs: one that only waits to be collected does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@dataclass
class HubUnderTest:
    """A hub, its record and its people's servers."""

    folder: Path
    command: list[str]
    extra: str = ""
    shared: str = ""
    """The address of a record that it shares with other hubs; without it, it has one of its own."""
    hub: str = "hub"
    """Its name in the record."""
    port: int = field(default_factory=free_port)
    public: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None
    since: int = 0
    """The last event before this test."""

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.record_url = self.shared or f"sqlite:///{self.folder}/record.sqlite"
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
            "hub": self.hub,
            "command": self.command,
            "admin": ADMIN,
            "extra": self.extra,
        }
        environment = {**os.environ, "TEST_PLACE": json.dumps(place)}
        with (self.folder / "hub.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "jupyterhub", "-f", str(HERE / "hubs_config.py")],
                cwd=self.folder,
                env=environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        until(self._answers, f"the hub; it said:\n{self.log()[-4000:]}", START_SECONDS)
        return self

    def _answers(self) -> bool:
        if self.process is None or self.process.poll() is not None:
            raise RuntimeError(f"the hub ended:\n{self.log()[-4000:]}")
        try:
            return self.web.get("/api/").is_success
        except httpx.TransportError:
            return False

    def kill(self) -> None:
        """End the hub as a crash does."""
        if self.process is not None:
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
        for one in self.marked():
            processes.end(one.allotment, grace=0)
        self.web.close()
        self.record.close()

    def clear(self) -> None:
        """Leave no server and no other limits than the seeded ones, so that another test can begin."""
        if self.process is None or self.process.poll() is not None:
            self.start()
        for user in self.api("GET", "/users?include_stopped_servers=1").json():
            for server in user["servers"]:
                path = f"/users/{user['name']}/servers/{server}"
                self.api("DELETE", path, {"remove": bool(server)})
        self.settle(*self.tokens)
        until(lambda: not self.reconcile().words, "nothing to be left to reconcile")
        until(lambda: not (self.held() or self.marked()), "all servers to be gone")
        self.change(seed_limits)
        self.change(forget_servers)
        with self.record.reading() as reading:
            self.since = events.latest_sequence(reading)

    def log(self) -> str:
        """What the hub and its servers have said."""
        return (self.folder / "hub.log").read_text(errors="replace")

    # What it and the record know.

    def api(
        self, method: str, path: str, body: object = None, *, token: str = ADMIN, **more: Any
    ) -> httpx.Response:
        """Ask the hub's REST API."""
        headers = {"Authorization": f"token {token}", "Content-Type": "application/json"}
        content = None if body is None else json.dumps(body)
        return self.web.request(method, f"/api{path}", content=content, headers=headers, **more)

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

        def look() -> dict[str, Any]:
            answer = self.api("GET", f"/users/{person}/servers/{server}")
            model: dict[str, Any] = answer.json() if answer.is_success else {}
            return model if model.get("ready") else {}

        return until(look, f"{person}'s server {server!r}; the hub said:\n{self.log()[-4000:]}")

    def stop(self, person: str, server: str = "", **body: object) -> None:
        """Stop a server and wait until the hub says that it is stopped."""
        path = f"/users/{person}/servers/{server}"
        self.api("DELETE", path, body or None, token=self.token(person)).raise_for_status()
        until(
            lambda: not self.active_in_hub(person, server), f"{person}'s server {server!r} to end"
        )

    def active_in_hub(self, person: str, server: str = "") -> bool:
        """Whether the hub counts a server as pending or ready."""
        answer = self.api("GET", f"/users/{person}")
        return server in answer.json().get("servers", {})

    def settle(self, *persons: str) -> None:
        """Wait until nothing of these people is pending."""

        def pending() -> list[str]:
            found = [self.api("GET", f"/users/{person}").json() for person in persons]
            models = [one for person in found for one in person.get("servers", {}).values()]
            return [one["name"] for one in models if one["pending"]]

        until(lambda: not pending(), "nothing to be pending")

    def refusals(self, person: str) -> tuple[Event, ...]:
        """What a person's refused launches wrote."""
        return tuple(one for one in self.happened("claim.refused") if one.person == person)

    def held(self, person: str | None = None) -> tuple[Allotment, ...]:
        """The allotments of this hub that hold devices and count."""
        with self.record.reading() as reading:
            return allotments.active(reading, hub=self.hub, person=person)

    def latest(self, person: str, server: str = "") -> Allotment:
        """The newest allotment of a server."""
        with self.record.reading() as reading:
            found = allotments.latest(reading, self.hub, person, server)
        if found is None:
            raise LookupError(f"{person} never had a server {server!r}")
        return found

    def environment_of(self, person: str, server: str) -> dict[str, str]:
        """The environment that a server was started with."""
        key = (person, server)
        found = next(one for one in self.marked() if (one.person, one.server) == key)
        return psutil.Process(found.process.pid).environ()

    def address_of(self, person: str, server: str) -> str:
        """Where a server listens itself, behind hub and proxy."""
        return self.environment_of(person, server)["JUPYTERHUB_SERVICE_URL"]

    def ask_server(self, person: str, server: str, action: str) -> Any:
        """Ask a tiny server itself."""
        return httpx.get(self.address_of(person, server) + action).json()

    def of_token(self, token_hash: str) -> Allotment | None:
        """Whose server has a token."""
        with self.record.reading() as reading:
            return allotments.of_token(reading, token_hash)

    @staticmethod
    def now() -> datetime:
        """The time now, UTC."""
        return now()

    @staticmethod
    def raise_device_limit(writing: Writing, person: str, number: int) -> None:
        """Let a person hold more devices."""
        limits.put(writing, LimitScope.PERSON, person, LimitKind.DEVICES, number)

    def happened(self, kind: str) -> tuple[Event, ...]:
        """The events of a kind since the test began."""
        with self.record.reading() as reading:
            return events.after(reading, self.since, kind=kind)

    # Its pages.

    @staticmethod
    def from_page(page: httpx.Client) -> dict[str, str]:
        """The headers with which a page of the hub asks its API."""
        return {"X-XSRFToken": page.cookies["_xsrf"], "Sec-Fetch-Site": "same-origin"}

    def signed_in(self, person: str) -> httpx.Client:
        """A browser in which a person has signed in."""
        page = httpx.Client(base_url=self.web.base_url, timeout=60, follow_redirects=False)
        page.get("/login").raise_for_status()
        form = {"username": person, "password": "any", "_xsrf": page.cookies["_xsrf"]}
        answer = page.post("/login", data=form)
        if not answer.is_redirect:
            raise RuntimeError(f"{person} could not sign in: {answer.text}")
        page.get("/home").raise_for_status()
        return page

    def submit(
        self, page: httpx.Client, person: str, server: str = "", **fields: Any
    ) -> httpx.Response:
        """Send the launch form."""
        path = f"/spawn/{person}/{server}" if server else "/spawn"
        return page.post(path, data={"_xsrf": page.cookies["_xsrf"], **fields})

    def marked(self) -> list[processes.MarkedProcess]:
        """Processes of this hub's servers, oldest first."""
        return [one for one in processes.marked() if one.hub_url == self.servers_see]

    @property
    def servers_see(self) -> str:
        """The hub's API as its servers are told it."""
        return f"http://127.0.0.1:{self.port}/hub/api"

    def reconcile(self) -> Reconciled:
        """Reconcile as the control plane does, through the hub's REST API."""
        hub_api = HubApi(self.servers_see, ADMIN)
        place = LocalServers(self.hub, self.servers_see, grace=0.2)
        try:
            return reconcile(self.record, hub_api, place, hub=self.hub, now=now())
        finally:
            hub_api.close()

    def change(self, change: Callable[[Writing], object]) -> None:
        """Change the record."""
        with self.record.writing("olga", now()) as writing:
            change(writing)

    def bring_together(self) -> None:
        """After a crash: wait until the hub has looked at its servers, and reconcile until nothing is left."""
        self.settle(*self.tokens)
        until(lambda: not self.reconcile().words, "nothing to be left to reconcile")
        self.settle(*self.tokens)

    def assert_in_step(self) -> None:
        """What runs, what is held and what the hub says are the same."""
        held = {one.id: one for one in self.held()}
        running = self.marked()
        if {one.allotment for one in running} != set(held):
            raise AssertionError(f"{running} run, but {held} are held")
        for one in running:
            if tuple(device.id for device in held[one.allotment].devices) != one.devices:
                raise AssertionError(f"{one} does not run on what it holds")
        for allotment in held.values():
            ready = self.active_in_hub(allotment.person, allotment.server)
            if allotment.state != "running" or not ready:
                raise AssertionError(f"{allotment} is not what the hub says: ready is {ready}")
        self.assert_sound()

    def assert_sound(self) -> None:
        """The record's counters say what its holdings say."""
        with self.record.reading() as reading:
            found = discrepancies(reading)
            holders = {one.id: one.holder for one in devices.all_devices(reading)}
            rightful = {d.id: one.id for one in allotments.active(reading) for d in one.devices}
        if {device: holder for device, holder in holders.items() if holder} != rightful:
            raise AssertionError(f"held by {holders}, rightfully by {rightful}")
        if found:
            raise AssertionError("; ".join(found))
