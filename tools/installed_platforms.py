"""The platform as it is installed on a cluster: hub and control plane with the shipped settings and roles.

Hub, control plane and proxy are processes of this machine and not pods, so addresses differ from the
shipped ones: people find it, and their servers, by names below jupyter.test. What they ask of the cluster they ask as the service accounts that the manifests name.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from ruamel.yaml import YAML

from cluster import Cluster, Image
from database_servers import DatabaseServer
from hubs import TINY, free_port, until

FILES = Path(__file__).parents[1] / "hub_config" / "kubernetes"
CONFIG = Path(__file__).with_name("installed_config.py")
NAMESPACE = "jupyterhub"
HOST = "jupyter.test"
TOKEN = "token-between-hub-and-control-plane"  # noqa: S105 - of a hub that lives for one test


class OnThisMachine(httpx.HTTPTransport):
    """Finds every host name on this machine, as a name server would for a test."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request to the loopback, with the headers that it has."""
        here = httpx.Request(
            request.method,
            request.url.copy_with(host="127.0.0.1"),
            headers=request.headers,
            stream=request.stream,
            extensions=request.extensions,
        )
        return super().handle_request(here)


@dataclass
class Installed:
    """A hub and a control plane that run, over a cluster and a database."""

    folder: Path
    cluster: Cluster
    environment: Mapping[str, str]
    public: int
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Where people open it."""
        return f"http://{HOST}:{self.public}"

    def start(self, name: str, *command: str, **variables: str) -> None:
        """Start one of the two."""
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [sys.executable, "-m", *command],
                env={**os.environ, **self.environment, **variables},
                cwd=self.folder,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def log(self, name: str) -> str:
        """What one of the two has said."""
        return (self.folder / f"{name}.log").read_text(errors="replace")

    def answers(self, path: str) -> bool:
        """Whether something answers behind the proxy."""
        for name, process in self.processes.items():
            if process.poll() is not None:
                message = f"{name} ended:\n{self.log(name)[-4000:]}"
                raise RuntimeError(message)
        try:
            return self.get(path).is_success
        except httpx.TransportError:
            return False

    def browser(self, path: str = "", *, of: str = "") -> httpx.Client:
        """A browser at the platform's own host name, or at that of somebody's servers."""
        host = f"{of}.{HOST}" if of else HOST
        base = f"http://{host}:{self.public}{path}"
        return httpx.Client(base_url=base, timeout=60, transport=OnThisMachine())

    def get(self, path: str, *, of: str = "") -> httpx.Response:
        """What a page is, for somebody who has not signed in."""
        with self.browser(of=of) as browser:
            return browser.get(path)

    def run(self, *words: str, **variables: str) -> str:
        """What a command says in the control plane's pod."""
        kubeconfig = str(self.cluster.kubeconfig_of("allotment", NAMESPACE))
        done = subprocess.run(
            [str(Path(sys.executable).with_name(words[0])), *words[1:]],
            env={**os.environ, **self.environment, "KUBECONFIG": kubeconfig, **variables},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            message = f"{' '.join(words)} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
            raise RuntimeError(message)
        return done.stdout

    def settings_with(self, record: DatabaseServer) -> Path:
        """The settings, but with another database for the record."""
        file = self.folder / "settings" / "another.yaml"
        text = (self.folder / "settings" / "allotment.yaml").read_text()
        file.write_text(re.sub(r"(postgresql://[^/\s]+)/\S+", rf"\1/{record.database}", text))
        return file

    def new_password(self, name: str) -> str:
        """What whoever may enter the hub's pod makes for somebody."""
        said = self.run("allotment", "password", name, "--json")
        return str(json.loads(said)["passwords"][name])

    def signed_in(self, name: str) -> httpx.Client:
        """A browser in which somebody has signed in with a password that was made in the hub's pod."""
        password = self.new_password(name)
        browser = self.browser("/hub")
        browser.get("/login").raise_for_status()
        form = {"username": name, "password": password, "_xsrf": browser.cookies["_xsrf"]}
        answer = browser.post("/login", data=form)
        if not answer.is_redirect:
            message = f"{name} could not sign in: {answer.status_code}"
            raise RuntimeError(message)
        browser.get("/home").raise_for_status()
        return browser

    def stop(self) -> None:
        """End both; a hub that was told by a chart leaves its servers."""
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            process.wait(30)


def apply(cluster: Cluster, *names: str) -> None:
    """Apply shipped manifests, as kustomize would."""
    for name in names:
        for document in YAML(typ="safe").load_all((FILES / name).read_text()):
            for subject in document.get("subjects", []):
                subject.setdefault("namespace", NAMESPACE)
            cluster.apply(document, document["metadata"].get("namespace", NAMESPACE))


def settings_of(record: DatabaseServer, ports: Mapping[str, int], cluster: Cluster) -> str:
    """The shipped settings, with the addresses of this machine."""
    text = (FILES / "allotment.yaml").read_text()
    changed = {
        r"postgresql://\S+": f"postgresql://{record.user}@127.0.0.1:{record.port}/{record.database}",
        r"http://allotment:8787": f"http://127.0.0.1:{ports['service']}",
        r"https://jupyter.example.org": f"http://{HOST}:{ports['public']}",
        r"/usr/local/etc/jupyterhub/secret/\S+": "token",
        r"(?m)^kubernetes:$": "kubernetes:\n"
        f"  hub_url: http://127.0.0.1:{ports['hub']}\n"
        f"  kubeconfigs: {{server: '{cluster.url}', certificate_authority: '{cluster.authority}'}}",
    }
    for old, new in changed.items():
        text, times = re.subn(old, new, text)
        if not times:
            message = f"{old} is not in the shipped settings"
            raise RuntimeError(message)
    return text


@contextmanager
def installed(folder: Path, cluster: Cluster, record: DatabaseServer) -> Iterator[Installed]:
    """Install it on a cluster without nodes, and start both."""
    ports: dict[str, int] = {
        name: free_port() for name in ("public", "hub", "proxy_api", "service")
    }
    (folder / "settings").mkdir(parents=True)
    (folder / "profiles").symlink_to(FILES / "profiles")
    (folder / "settings" / "allotment.yaml").write_text(settings_of(record, ports, cluster))
    (folder / "settings" / "token").write_text(TOKEN)
    cluster.add_namespace(NAMESPACE)
    cluster.apply(_account("hub"), NAMESPACE)
    apply(cluster, "rbac.yaml", "priority-classes.yaml", "kubeconfigs.yaml")
    cluster.images["registry.example.org/allotment-server:0.1.0"] = Image(command=tuple(TINY))
    place: dict[str, Any] = {**ports, "folder": str(folder)}
    environment = {
        "TEST_PLACE": json.dumps(place),
        "ALLOTMENT_SETTINGS": str(folder / "settings" / "allotment.yaml"),
        "ALLOTMENT_STATE": str(folder / "state"),
        "ALLOTMENT_RECORD_PASSWORD": record.password,
        "ALLOTMENT_DATA_KEYS": _new_key(),
    }
    platform = Installed(folder, cluster, environment, ports["public"])
    try:
        kubeconfig = str(cluster.kubeconfig_of("hub", NAMESPACE))
        platform.start("hub", "jupyterhub", "--config", str(CONFIG), KUBECONFIG=kubeconfig)
        until(lambda: platform.answers("/hub/health"), "the hub", 90)
        platform.start(
            "control-plane",
            "allotment.api",
            KUBECONFIG=str(cluster.kubeconfig_of("allotment", NAMESPACE)),
            JUPYTERHUB_API_URL=f"http://127.0.0.1:{ports['hub']}/hub/api",
            JUPYTERHUB_SERVICE_URL=f"http://127.0.0.1:{ports['service']}",
        )
        until(lambda: platform.answers("/services/allotment/api/v1/ready"), "the control plane", 60)
        yield platform
    finally:
        platform.stop()


def _account(name: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name}}


def _new_key() -> str:
    command = [str(Path(sys.executable).with_name("allotment")), "keys", "new"]
    return subprocess.check_output(command, text=True).strip()
