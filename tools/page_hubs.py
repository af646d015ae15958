"""The hub as people get it, in a process of its own: settings, sign-in, pages, proxy; tiny servers.

For tests, benchmarks and pictures of the hub's pages. The control plane is left out: the pages do
not ask it.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import httpx

from allotment.model.allotments import Allotment
from allotment.record import Record, Writing, allotments, credentials, open_record
from allotment.settings.catalogue import Catalogue
from allotment_hub import passwords
from hubs import free_port, until

HERE = Path(__file__).parent
SETTINGS = """
organisation: Example Research
sign_in: {kind: local, operators: [olga]}
devices:
  - {id: gpu-0, model: A100, memory: 80GiB, node: dgx-1}
  - {id: gpu-1, model: A100, memory: 80GiB, node: dgx-1}
  - {id: gpu-2, model: A100, memory: 80GiB, node: dgx-1}
  - {id: gpu-3, model: A100, memory: 80GiB, node: dgx-1}
  - {id: gpu-4, model: L40S, memory: 48GiB, node: box-1}
pools: [{name: a100, devices: [gpu-0, gpu-1, gpu-2, gpu-3]}]
groups:
  - name: vision
    title: Machine vision
    shares: [{pool: a100, guaranteed: 3, ceiling: 3}]
    members: [ada, ben]
    leads: [ada]
people: {dan: {}}
limits: {defaults: {devices: 2, servers: 3, servers_existing: 6}}
profiles: [profiles]
servers: {command: [PYTHON, TINY]}
mail: {host: 127.0.0.1, port: 9, security: none, sender: allotment@example.org}
"""
PROFILES = {
    "small": "title: Small\ndescription: For reading and light work.\ncpu: 1\nmemory: 2GiB\nprice: 0.18\n",
    "gpu": "title: One GPU\ndescription: For training on one device.\ndevices: 1\npool: any\ncpu: 4\nmemory: 16GiB\nprice: 2.40\n",
    "two": "title: Two GPUs\ndevices: 2\npool: a100\nprice: 4.80\n",
    "four": "title: Four GPUs\ndevices: 4\npool: a100\n",
    "bens": "title: Only for Ben\nvisible_to: {people: [ben]}\n",
    "operator-console": "title: Operator console\n",
}


class PageHub:
    """A hub of one test module. ``start`` again after ``stop`` finds what was there."""

    def __init__(
        self,
        folder: Path,
        *,
        settings: str = SETTINGS,
        profiles: Mapping[str, str] = PROFILES,
        config: str = "",
    ) -> None:
        self.folder, self.state = folder, folder / "state"
        (folder / "profiles").mkdir(parents=True)
        self.state.mkdir(mode=0o700)
        for name, text in profiles.items():
            (folder / "profiles" / f"{name}.yaml").write_text(text)
        words = {"PYTHON": sys.executable, "TINY": str(HERE / "tiny_server.py")}
        for word, path in words.items():
            settings = settings.replace(word, path)
        self.settings = folder / "settings.yaml"
        self.settings.write_text(settings)
        self.config = folder / "config.py"
        self.config.write_text((HERE / "page_hubs_config.py").read_text() + config)
        self.port = free_port()
        self.process: subprocess.Popen[str] | None = None
        self._record: Record | None = None

    @property
    def url(self) -> str:
        """Where people open it."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def hub_port(self) -> int:
        """The hub's own port, behind the proxy."""
        ports = json.loads((self.state / "ports.json").read_text())
        return int(ports["hub"])

    def start(self) -> PageHub:
        """Start it and wait until it answers.

        Raises:
            RuntimeError: it ended; the message holds what it said.
        """
        self.process = subprocess.Popen(
            [sys.executable, "-m", "allotment_hub.launch"],
            env={
                **os.environ,
                "PORT": str(self.port),
                "STATE": str(self.state),
                "SETTINGS": str(self.settings),
                "CONFIG": str(self.config),
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        until(self._answers, "the hub", 60)
        return self

    def _answers(self) -> bool:
        if self.process is None or self.process.poll() is not None:
            said = self.process.stdout.read() if self.process and self.process.stdout else ""
            raise RuntimeError(f"the hub ended:\n{said}\n{self.log()[-4000:]}")
        try:
            return httpx.get(f"{self.url}/hub/health").is_success
        except httpx.TransportError:
            return False

    def stop(self) -> None:
        """End it with everything that it started."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.communicate(timeout=60)
        if self._record is not None:
            self._record.close()
            self._record = None

    def log(self) -> str:
        """What hub, proxy and servers have said."""
        path = self.state / "logs" / "hub.log"
        return path.read_text(errors="replace") if path.exists() else ""

    @property
    def passwords(self) -> dict[str, str]:
        """Everybody's first password."""
        lines = (self.state / "first-passwords").read_text().splitlines()
        return dict(line.split(": ", 1) for line in lines)

    @property
    def record(self) -> Record:
        """The hub's record."""
        if self._record is None:
            self._record = open_record(f"sqlite:///{self.state}/record.sqlite")
        return self._record

    def change(self, change: Callable[[Writing], object]) -> None:
        """Change the record, as another program would."""
        with self.record.writing("olga", datetime.now(UTC)) as writing:
            change(writing)

    def held(self, person: str) -> tuple[Allotment, ...]:
        """What somebody holds."""
        with self.record.reading() as reading:
            return allotments.active(reading, person=person)

    def give_password(self, name: str, password: str) -> None:
        """Give somebody a password, as if they had chosen it."""
        hashed = passwords.hashed(password)
        self.change(lambda writing: credentials.set_password(writing, name, hashed))

    def publish(self, name: str, text: str) -> None:
        """Add a profile's file, and look at the folder as the control plane does."""
        folder = self.folder / "profiles"
        (folder / f"{name}.yaml").write_text(text)
        Catalogue([folder]).refresh(self.record, datetime.now(UTC))

    def browser(self) -> httpx.Client:
        """A browser that nobody has signed in with; it follows no redirects by itself."""
        return httpx.Client(base_url=f"{self.url}/hub", timeout=60)

    def try_sign_in(self, browser: httpx.Client, name: str, password: str) -> httpx.Response:
        """Send the sign-in form."""
        browser.get("/login").raise_for_status()
        form = {"username": name, "password": password, "_xsrf": browser.cookies["_xsrf"]}
        return browser.post("/login", data=form)

    def signed_in(self, name: str, password: str = "") -> httpx.Client:
        """A browser in which somebody has signed in, with the first password unless told another."""
        browser = self.browser()
        answer = self.try_sign_in(browser, name, password or self.passwords[name])
        if not answer.is_redirect:
            raise RuntimeError(f"{name} could not sign in: {answer.status_code}")
        browser.get("/home").raise_for_status()
        return browser

    def remove(self) -> None:
        """Delete what it wrote."""
        shutil.rmtree(self.folder, ignore_errors=True)


def launch(browser: httpx.Client, **fields: str) -> httpx.Response:
    """Send the launch form."""
    return browser.post("/spawn", data={"_xsrf": browser.cookies["_xsrf"], **fields})
