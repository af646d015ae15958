"""A control plane that is played: a real HTTP server that answers what a test wants, at the seam."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOKEN = "the-servers-own-token"  # noqa: S105 - of nobody
NOW = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)


@dataclass
class ControlPlane:
    """What it answers (``me``, or ``problem`` with a status), and what it was asked."""

    url: str = ""
    me: dict[str, Any] = field(default_factory=dict)
    problem: tuple[int, str] | None = None
    silent: threading.Event = field(default_factory=threading.Event)
    """Set it to let requests hang until ``resume`` is set."""
    resume: threading.Event = field(default_factory=threading.Event)
    asked: list[tuple[str, str, str]] = field(default_factory=list)
    arrived: queue.Queue[str] = field(default_factory=queue.Queue)
    receipt: dict[str, Any] = field(default_factory=lambda: {"endings": []})
    """What a server that reports is told."""
    extended: dict[str, Any] = field(default_factory=lambda: {"endings": []})
    """How a server is described once its end was put off."""
    answers: dict[str, Any] = field(default_factory=dict)
    """Answers to paths below the API's base: a document, or a status and what is wrong."""
    reports: queue.Queue[dict[str, Any]] = field(default_factory=queue.Queue)

    def told(self, method: str, path: str) -> tuple[Any, tuple[int, str] | None]:
        """What is answered to a path, and what is wrong with asking it; each may be None."""
        answer = self.answers.get(path.partition("/api/v1")[2].partition("?")[0])
        if isinstance(answer, tuple):
            return None, answer
        return (self.me if answer is None and method == "GET" else answer), self.problem

    def report(self) -> dict[str, Any]:
        """The next report; waits for it."""
        return self.reports.get(timeout=60)


def handler_of(control_plane: ControlPlane) -> type[BaseHTTPRequestHandler]:
    """What answers each request."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.answer(b"")

        def do_POST(self) -> None:
            self.answer(self.rfile.read(int(self.headers["Content-Length"])))

        def answer(self, body: bytes) -> None:
            control_plane.asked.append(
                (self.command, self.path, self.headers.get("Authorization", ""))
            )
            control_plane.arrived.put(self.path)
            if control_plane.silent.is_set():
                control_plane.resume.wait(60)
            answered, problem = control_plane.told(self.command, self.path)
            if problem is not None:
                status, detail = problem
                document = {"type": "urn:x", "title": "No", "status": status, "detail": detail}
                self.send(status, json.dumps(document).encode())
            elif answered is not None:
                self.send(200, json.dumps(answered).encode())
            elif self.path.endswith("/extend"):
                server = control_plane.me["servers"][0] | control_plane.extended
                self.send(200, json.dumps(server).encode())
            else:
                control_plane.reports.put(json.loads(body))
                self.send(200, json.dumps(control_plane.receipt).encode())

        def send(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Handler


@contextmanager
def playing() -> Iterator[ControlPlane]:
    """A control plane on a port of its own."""
    stand_in = ControlPlane(me=me_document())
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler_of(stand_in))
    server.daemon_threads = True
    stand_in.url = f"http://127.0.0.1:{server.server_port}/services/allotment/api/v1"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield stand_in
    finally:
        stand_in.resume.set()
        server.shutdown()
        thread.join()
        server.server_close()


SHARE: dict[str, Any] = {
    "pool": "a100",
    "guaranteed": 1,
    "ceiling": 2,
    "weight": 1.0,
    "held": 1,
    "free": 3,
}
LIMITS: list[dict[str, Any]] = [
    {
        "kind": "devices",
        "words": "devices at once",
        "value": 2,
        "used": 1,
        "source": "the platform's default",
    },
    {
        "kind": "servers",
        "words": "running servers",
        "value": None,
        "used": 1,
        "source": "no limit is set",
    },
]


def running_server(time: str) -> dict[str, Any]:
    """A running server with a hostile name and an ailing device."""
    device = {
        "id": "sim-0",
        "node": "laptop",
        "model": "Simulated GPU",
        "memory": 16 * 2**30,
        "isolation": "cooperative",
    }
    return {
        "id": "hub~bob~train",
        "hub": "hub",
        "person": "bob",
        "name": "train",
        "display_name": "Training <7>",
        "note": "",
        "profile": "pytorch-gpu",
        "profile_title": "PyTorch on one GPU",
        "group": "vision",
        "pool": "a100",
        "state": "running",
        "since": time,
        "created_at": time,
        "admitted_at": time,
        "running_at": time,
        "allotment": "allotment-1",
        "devices": [device],
        "warnings": ["Device sim-0 is unhealthy."],
    }


def stopped_server(time: str) -> dict[str, Any]:
    """One that does not run any more."""
    return {
        **running_server(time),
        "id": "hub~bob~old",
        "name": "old",
        "display_name": "",
        "state": "stopped",
        "allotment": "allotment-0",
        "warnings": [],
    }


def me_document() -> dict[str, Any]:
    """What it tells of bob: a running server, a stopped one, and why that was stopped."""
    time = NOW.isoformat()
    return {
        "person": "bob",
        "role": "data-scientist",
        "reach": "own",
        "permissions": [],
        "groups": ["vision"],
        "leads": [],
        "limits": [dict(one) for one in LIMITS],
        "shares": {"vision": [dict(SHARE)]},
        "servers": [running_server(time), stopped_server(time)],
        "notices": [
            {
                "at": time,
                "kind": "stopped",
                "message": "carol stopped old: <script>alert(1)</script>",
                "server": "hub~bob~old",
            },
            {
                "at": time,
                "kind": "source",
                "message": "The data source lake was added: test it from your server.",
                "id": f"source:lake:{time}",
                "source": "lake",
            },
        ],
        "sequence": 7,
    }


def spawned(api_url: str) -> dict[str, str]:
    """What a spawner puts into the environment of bob's running server."""
    return {
        "ALLOTMENT_API_URL": api_url,
        "ALLOTMENT_ID": "allotment-1",
        "ALLOTMENT_DEVICES": "sim-0",
        "ALLOTMENT_PROFILE": "pytorch-gpu",
        "ALLOTMENT_GROUP": "vision",
        "ALLOTMENT_HUB": "hub",
        "CUDA_VISIBLE_DEVICES": "sim-0",
        "JUPYTERHUB_API_TOKEN": TOKEN,
        "JUPYTERHUB_USER": "bob",
        "JUPYTERHUB_SERVER_NAME": "train",
        "JUPYTERHUB_BASE_URL": "/jupyter/",
    }


def ending_document(**changes: Any) -> dict[str, Any]:
    """An announced end of a server, a quarter of an hour from now; times in ISO 8601."""
    now = datetime.now(UTC)
    document = {
        "cause": "idle",
        "words": "Idle",
        "message": "Idle since 13:17 UTC: no cell or program ran, and nobody worked in it.",
        "said_at": now.isoformat(),
        "stop_at": (now + timedelta(minutes=15, seconds=30)).isoformat(),
        "extended": 0,
        "extensions_left": 3,
        "extend_by": 3600.0,
    }
    return document | changes
