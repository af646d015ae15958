"""The real control plane over a record of one's own, on a port of the loopback: for tests, benchmarks and pictures."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from ipaddress import ip_network
from pathlib import Path

import uvicorn

from allotment.api.application import create_application
from allotment.api.assembling import assemble
from allotment.api.environment import ServiceEnvironment
from allotment.api.plane import ControlPlane
from allotment.client import AllotmentClient
from allotment.data.door import Door
from allotment.data.keys import new_key
from allotment.data.vault import Vault
from allotment.record import Record, open_record
from allotment.work.data_work import DataWork
from allotment.work.loop import Loop, Step
from browsing import free_port
from stand_in_hub import StandInHub, stand_in_hub

START_SECONDS = 20.0
PREFIX = "/services/allotment/"
LOOPBACK = ip_network("127.0.0.0/8")


class AnnouncedServer(uvicorn.Server):
    """Says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen."""
        await super().startup(sockets)
        self.ready.set()


@dataclass
class Platform:
    """A record, a control plane over it that can go away and come back, and a stand-in for the hub."""

    record: Record
    hub: StandInHub
    environment: ServiceEnvironment
    folder: Path
    """Files of the platform; sources may be folders and databases below ``data``, and anything on the loopback."""
    planes: list[ControlPlane] = field(default_factory=list)
    _ending: list[tuple[AnnouncedServer, threading.Thread]] = field(default_factory=list)

    @property
    def url(self) -> str:
        """The address of the API."""
        return self.environment.public_url

    @property
    def plane(self) -> ControlPlane:
        """The control plane that runs."""
        return self.planes[-1]

    def client(self, person: str) -> AllotmentClient:
        """A client that asks as this person's console would."""
        return AllotmentClient(self.url, self.hub.token(person))

    def start(self, *steps: Step) -> None:
        """Start the control plane; of periodic work it does these steps only, so that nothing else happens by itself."""
        plane = _doing_only(assemble(self.environment), steps)
        plane = replace(plane, data=self._data(plane))
        config = uvicorn.Config(
            create_application(plane),
            host="127.0.0.1",
            port=self.environment.port,
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=1,
        )
        server = AnnouncedServer(config)
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        if not server.ready.wait(START_SECONDS):
            raise RuntimeError("the control plane did not start")
        self.planes.append(plane)
        self._ending.append((server, thread))

    def _data(self, plane: ControlPlane) -> DataWork:
        """As assembled, but that it keeps secrets and opens what stands on this machine for a test."""
        door = Door(roots=(self.folder / "data",), networks=(LOOPBACK,))
        vault = Vault((new_key(),))
        return DataWork.of(plane.record, vault, door, self.folder / "files", plane.clock)

    def stop(self) -> None:
        """Let the control plane go away; the record and the hub stay."""
        if not self._ending:
            return
        server, thread = self._ending.pop()
        self.plane.feed.end()
        self.plane.data.close()
        server.should_exit = True
        thread.join(START_SECONDS)
        self.plane.hub.close()
        self.plane.record.close()


def _doing_only(plane: ControlPlane, steps: Sequence[Step]) -> ControlPlane:
    return replace(plane, loop=Loop(steps, plane.clock))


@contextmanager
def platform(folder: Path, url: str = "") -> Iterator[Platform]:
    """A platform with an empty record, or the one at an address; its control plane is not yet started."""
    url = url or f"sqlite:///{folder}/record.sqlite"
    record = open_record(url, migrate=True)
    port = free_port()
    (folder / "data").mkdir(exist_ok=True)
    with stand_in_hub(record) as hub:
        environment = ServiceEnvironment.read(
            {
                "JUPYTERHUB_API_TOKEN": "token-of-the-control-plane",
                "JUPYTERHUB_API_URL": hub.url,
                "JUPYTERHUB_SERVICE_URL": f"http://127.0.0.1:{port}",
                "JUPYTERHUB_SERVICE_PREFIX": PREFIX,
                "ALLOTMENT_RECORD_URL": url,
                "ALLOTMENT_STATE": str(folder / "state"),
                "ALLOTMENT_API_URL": f"http://127.0.0.1:{port}{PREFIX}api/v1",
            }
        )
        running = Platform(record, hub, environment, folder)
        try:
            yield running
        finally:
            running.stop()
            record.close()
