"""The control plane on a real port, over a real record, with a hub that is played."""

from __future__ import annotations

import asyncio
import json
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import httpx
import pytest
import uvicorn

from allotment.api.application import create_application
from allotment.api.environment import ServiceEnvironment
from allotment.api.feed import EventFeed
from allotment.api.identity import Identities, hash_token
from allotment.api.measures import Measures
from allotment.api.plane import ControlPlane
from allotment.api.port import listen
from allotment.client import AllotmentClient
from allotment.data.door import Door
from allotment.data.keys import new_key
from allotment.data.vault import Vault
from allotment.model.claims import Claim
from allotment.model.devices import DeviceOrigin, DeviceSpec
from allotment.model.groups import Share
from allotment.model.profiles import Profile
from allotment.record import (
    Record,
    claims,
    devices,
    groups,
    memberships,
    open_record,
    people,
    pools,
    profiles,
)
from allotment.record.prospects import Prospects
from allotment.settings.scim import Scim
from allotment.settings.sign_on import ProviderGroup, SignIn
from allotment.simulate.running import Simulations
from allotment.work.cloud import CloudLimits
from allotment.work.data_work import DataWork
from allotment.work.endings import Endings
from allotment.work.errands import Errands
from allotment.work.hub_api import HubApi
from allotment.work.live_use import LiveUse
from allotment.work.loop import Loop, Step
from allotment.work.queueing import Queueing
from allotment.work.software_told import SoftwareTold
from allotment.work.waits_told import WaitsTold

SERVICE_TOKEN = "the-control-planes-own-token"
ACCESS = "access:services!service=allotment"
OPERATE = "custom:allotment:operate"
LOOPBACK = ip_network("127.0.0.0/8")
SIGN_IN = SignIn(
    kind="oidc",
    operators=("olga",),
    issuer="https://login.example.org",
    client_id="allotment",
    groups=(
        ProviderGroup(name="ml-vision", group="vision"),
        ProviderGroup(name="platform", role="operator"),
    ),
)
"""A provider whose groups are mapped; nobody signs in through it here."""

GOOD_LOOK = {
    "kind": "oidc",
    "issuer": "https://login.example.org",
    "client_id": "allotment",
    "callback": "https://jupyter.example.org/hub/oauth_callback",
    "problems": [],
    "notes": [],
    "away": "",
    "instead_of": "a-hash-of-the-one-in-the-settings",
}


@dataclass
class Token:
    """A token that the hub knows."""

    owner: str
    scopes: tuple[str, ...] = (ACCESS,)
    kind: str = "user"


@dataclass
class HubStandIn:
    """What the hub answers, and what it was asked. ``refusing``: a message for starts and stops."""

    url: str = ""
    tokens: dict[str, Token] = field(default_factory=dict)
    codes: dict[str, str] = field(default_factory=dict)
    asked: list[tuple[str, str, str]] = field(default_factory=list)
    bodies: list[Any] = field(default_factory=list)
    refusing: str = ""
    broken: bool = False
    unknown_servers: bool = False
    on_command: Callable[[], None] = lambda: None
    look: dict[str, Any] = field(default_factory=lambda: dict(GOOD_LOOK))
    """What the hub finds when it looks at its provider."""

    def give(self, name: str, owner: str, *scopes: str, kind: str = "user") -> str:
        """Make a token known; returns it."""
        self.tokens[name] = Token(owner, scopes or (ACCESS,), kind)
        return name

    def commands(self) -> list[tuple[str, str]]:
        """What the control plane asked for with its own token."""
        return [(method, path) for method, path, token in self.asked if token == SERVICE_TOKEN]


class HubHandler(BaseHTTPRequestHandler):
    """Answers as JupyterHub's REST API does, as far as the control plane asks it."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    hub: HubStandIn

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        token = self.headers.get("Authorization", "").removeprefix("token ")
        path = unquote(urlsplit(self.path).path).removeprefix("/hub/api")
        self.hub.asked.append((self.command, path, token))
        status, document = self.decide(path, token, body)
        content = json.dumps(document).encode() if document is not None else b""
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_DELETE = answer  # noqa: N815 - http.server's names

    def decide(self, path: str, token: str, body: bytes) -> tuple[int, Any]:
        if self.hub.broken:
            return 500, {"message": "broken"}
        if path == "/":
            return 200, {"version": "6.1.1"}
        if path == "/oauth2/token":
            return self.trade(parse_qs(body.decode()))
        if path == "/user":
            return self.owner(token)
        return self.obey(path, token, body)

    def obey(self, path: str, token: str, body: bytes) -> tuple[int, Any]:
        if token != SERVICE_TOKEN:
            return 403, {"message": "forbidden"}
        self.hub.bodies.append(json.loads(body) if body else None)
        if "/server" in path and self.hub.unknown_servers:
            return 404, {"message": "no such server"}
        if path == "/allotment/sign-in":
            return 200, self.hub.look
        self.hub.on_command()
        if self.hub.refusing:
            return 400, {"status": 400, "message": self.hub.refusing}
        return (201 if self.command == "POST" else 204), None

    def owner(self, token: str) -> tuple[int, Any]:
        known = self.hub.tokens.get(token)
        if known is None:
            return 403, {"message": "Missing or invalid credentials."}
        scopes = sorted(known.scopes)
        return 200, {"name": known.owner, "kind": known.kind, "scopes": scopes}

    def trade(self, form: dict[str, list[str]]) -> tuple[int, Any]:
        token = self.hub.codes.pop(form["code"][0], None) if "code" in form else None
        right = form.get("client_secret") == [SERVICE_TOKEN] and "code_verifier" in form
        if token is None or not right:
            return 400, {"error": "invalid_grant"}
        return 200, {"access_token": token, "token_type": "Bearer"}

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def playing_hub() -> Iterator[HubStandIn]:
    """A hub that answers as JupyterHub does, on a real port."""
    stand_in = HubStandIn()
    handler = type("Handler", (HubHandler,), {"hub": stand_in})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    stand_in.url = f"http://127.0.0.1:{server.server_port}/hub/api"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield stand_in
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def hub() -> Iterator[HubStandIn]:
    """A hub, for one test."""
    with playing_hub() as stand_in:
        yield stand_in


def environment(hub_url: str) -> ServiceEnvironment:
    """What the hub would tell its service."""
    return ServiceEnvironment.read(
        {
            "JUPYTERHUB_API_TOKEN": SERVICE_TOKEN,
            "JUPYTERHUB_API_URL": hub_url,
            "JUPYTERHUB_SERVICE_URL": "http://127.0.0.1:1",
            "JUPYTERHUB_SERVICE_PREFIX": "/services/allotment/",
            "JUPYTERHUB_SERVICE_NAME": "allotment",
            "ALLOTMENT_RECORD_URL": "sqlite:///unused",
            # Nobody is there, and no name has to be looked up to know it.
            "ALLOTMENT_API_URL": "http://127.0.0.1:1/services/allotment/api/v1",
        }
    )


@dataclass
class Seconds:
    """A clock of seconds that tests move."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Served:
    """A control plane that is being served."""

    plane: ControlPlane
    app: Any
    origin: str
    seconds: Seconds
    hub: HubStandIn
    http: httpx.Client
    stop: Callable[[], None]
    held: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """The API's base."""
        return f"{self.origin}/services/allotment/api/v1"

    def client(self, token: str) -> AllotmentClient:
        """The Python client with a token."""
        return AllotmentClient(self.url, token)

    def ask(
        self, method: str, path: str, token: str | None = None, **options: Any
    ) -> httpx.Response:
        """One request to a path below the API's base."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        headers |= options.pop("headers", {})
        return self.http.request(method, self.url + path, headers=headers, **options)


def make_plane(
    record: Record,
    hub_url: str,
    clock: Callable[[], datetime],
    steps: tuple[Step, ...],
    data: DataWork,
) -> ControlPlane:
    """A control plane over a record, whose clock is the test's."""
    hub, use, waits = HubApi(hub_url, SERVICE_TOKEN), LiveUse(), WaitsTold(record)
    return ControlPlane(
        environment=environment(hub_url),
        record=record,
        hub=hub,
        use=use,
        endings=Endings(record, hub, use, "hub"),
        queueing=Queueing(record, hub, "hub"),
        errands=Errands(),
        cloud=CloudLimits(record, lambda: None),
        data=data,
        prospects=Prospects(),
        waits=waits,
        software=SoftwareTold(record),
        simulations=Simulations(record),
        loop=Loop(steps, clock),
        feed=EventFeed(record, look_every=0.02),
        measures=Measures(),
        clock=clock,
        started_at=clock(),
        trust="one system user",
        sign_in=SIGN_IN,
        scim=Scim(),
    )


@contextmanager
def serving(hub: HubStandIn) -> Iterator[Callable[..., Served]]:
    """Serve a control plane over a record."""
    running: list[tuple[Callable[[], None], threading.Thread]] = []

    def start(
        record: Record,
        clock: Callable[[], datetime],
        steps: tuple[Step, ...] = (),
        door: Door | None = None,
    ) -> Served:
        folder = folders.enter_context(tempfile.TemporaryDirectory())
        vault = Vault((new_key(),))
        data = DataWork.of(record, vault, door or Door(), Path(folder), clock)
        plane = make_plane(record, hub.url, clock, steps, data)
        seconds = Seconds()
        app = create_application(plane, Identities(plane.hub, seconds))
        listener = listen("127.0.0.1", 0)
        config = uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        ready = threading.Event()
        startup = server.startup

        async def tell(sockets: list[socket.socket] | None = None) -> None:
            await startup(sockets)
            ready.set()

        server.startup = tell  # type: ignore[method-assign]  # tells when it listens, instead of being asked again and again
        thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listener])))
        thread.start()
        assert ready.wait(20)

        def stop() -> None:
            server.should_exit = True
            thread.join(20)

        running.append((stop, thread))
        origin = f"http://127.0.0.1:{listener.getsockname()[1]}"
        return Served(plane, app, origin, seconds, hub, http, stop)

    # verify: no certificates are loaded for plain HTTP, which would take longer than a test.
    with ExitStack() as folders:
        with httpx.Client(trust_env=False, timeout=30, verify=False) as http:  # noqa: S501
            yield start
        for stop, thread in running:
            stop()
            assert not thread.is_alive()


@pytest.fixture
def serve(hub: HubStandIn) -> Iterator[Callable[..., Served]]:
    """Serve a control plane over a record, for one test."""
    with serving(hub) as start:
        yield start


@pytest.fixture(scope="module")
def long_lived(database: Callable[[str | None], str]) -> Iterator[Served]:
    """A control plane for many requests, over a small platform; olga+ operates, zoe is on-boarded.

    On PostgreSQL, which is the pickier of the two about what it stores.
    """
    with playing_hub() as stand_in, serving(stand_in) as start:
        record = open_record(database(None), migrate=True)
        _furnish(record)
        stand_in.give("olga+", "olga", ACCESS, OPERATE)
        stand_in.give("zoe", "zoe", ACCESS)
        yield start(record, lambda: datetime.now(UTC))
    record.close()


def _furnish(record: Record) -> None:
    spec = DeviceSpec("gpu-0", "n1", "A100", 80 << 30, "GPU-0", DeviceOrigin.SETTINGS)
    profile = Profile(name="gpu", title="One GPU", devices=1)
    with record.writing("operator", datetime.now(UTC)) as writing:
        devices.observe(writing, [spec], DeviceOrigin.SETTINGS)
        pools.create(writing, "a100", ["gpu-0"])
        groups.create(writing, "vision", wanted=[Share("vision", "a100", 1, 1)])
        people.onboard(writing, ["olga"], None, "operator")
        people.onboard(writing, ["analyst-1", "zoe"], "vision")
        profiles.publish(writing, profile, "gpu.yaml", "0" * 64)
    claim = Claim("hub", "analyst-1", "train", "gpu", token_hash=hash_token("analyst-1s-server"))
    claims.admit(record, claim, datetime.now(UTC))


@pytest.fixture
def api(lab: Any, hub: HubStandIn, serve: Callable[..., Served], tmp_path: Path) -> Served:
    """The control plane over the lab: olga operates, ann leads vision, bob is in it, zoe has no group.

    Each has a token NAME (own things) and NAME+ (with the scope that reaches everything). Of data,
    this machine and the folder ``tmp_path / "data"`` may be opened.
    """
    with lab.write() as writing:
        people.onboard(writing, ["rita"], None, "reader")
        memberships.set_lead(writing, "ann", "vision", lead=True)
    for name in ("olga", "rita", "ann", "bob", "zoe"):
        hub.give(name, name, ACCESS)
        hub.give(f"{name}+", name, ACCESS, OPERATE)
    root = tmp_path / "data"
    root.mkdir()
    return serve(lab.record, lambda: lab.now, door=Door((root,), (LOOPBACK,)))


@pytest.fixture
def data_api(lab: Any, hub: HubStandIn, api: Served) -> Served:
    """As ``api``, with carl the data custodian; ``bobs-server`` and ``zoes-server`` are servers' own tokens."""
    with lab.write() as writing:
        people.onboard(writing, ["carl"], None, "data-custodian")
    hub.give("carl", "carl", ACCESS)
    hub.give("carl+", "carl", ACCESS, OPERATE)
    for name in ("bob", "zoe"):
        hub.give(f"{name}s-server", name, ACCESS)
        lab.granted(name, "cpu", "work", token_hash=hash_token(f"{name}s-server"))
    return api
