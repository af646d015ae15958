"""What the control plane needs of a hub, played over a record: for tests and pictures without a hub's processes.

It knows tokens, and it ends and starts servers by stepping their allotments on; no process runs.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

from allotment.model.claims import Claim, Granted
from allotment.record import Record, allotments, claims, sign_in

OPERATE = "custom:allotment:operate"
ACCESS = "access:services!service=allotment"


@dataclass
class StandInHub:
    """Whose tokens are known, and over which record servers are played."""

    record: Record
    owners: dict[str, tuple[str, tuple[str, ...]]] = field(default_factory=dict)
    url: str = ""
    taken: str = "taken-by-the-provider"
    """The secret of the client that the provider takes, besides that of the settings."""
    issuer: str = "https://login.example.org"

    def token(self, person: str, *, operates: bool = True) -> str:
        """A token of a person; one that operates is as far-reaching as the console's."""
        token = f"token-of-{person}{'' if operates else '-plain'}"
        self.owners[token] = (person, (ACCESS, OPERATE) if operates else (ACCESS,))
        return token

    def owner(self, header: str) -> dict[str, Any] | None:
        """Whose token it is, as the hub says it."""
        known = self.owners.get(header.partition(" ")[2])
        if known is None:
            return None
        return {"name": known[0], "kind": "user", "scopes": list(known[1])}

    def looked(self, asked: dict[str, Any]) -> dict[str, Any]:
        """What is found of the provider; as a hub does, it is written down where nothing is tried."""
        wrong = asked.get("secret") not in {None, self.taken}
        said = "sign_in.client_id: the provider does not know this client, or the secret is not its own"
        found = {
            "kind": "oidc",
            "issuer": self.issuer,
            "client_id": "allotment",
            "callback": "https://jupyter.example.org/hub/oauth_callback",
            "problems": [said] if wrong else [],
            "notes": [],
            "away": "",
        }
        if not asked:
            with self.record.writing("hub", datetime.now(UTC)) as writing:
                sign_in.note_look(writing, "hub", found, succeeded=True)
        return found | {"instead_of": "a-hash"}

    def stop(self, person: str, name: str) -> bool:
        """A server ends at once, and nothing of it is left."""
        now = datetime.now(UTC)
        with self.record.reading() as reading:
            active = [
                one for one in allotments.active(reading, person=person) if one.server == name
            ]
        for one in active:
            claims.mark_stopping(self.record, one.id, "", "hub", now)
            claims.release(self.record, one.id, "no process ever ran", now)
        return bool(active)

    def start(self, person: str, name: str) -> tuple[str, ...]:
        """A server is admitted as it was last, and runs; otherwise why not."""
        now = datetime.now(UTC)
        with self.record.reading() as reading:
            last = allotments.latest(reading, "hub", person, name)
        if last is None:
            return ("There is no such server.",)
        outcome = claims.admit(
            self.record, Claim("hub", person, name, last.profile, last.group), now
        )
        if isinstance(outcome, Granted):
            claims.mark_running(self.record, outcome.allotment.id, now)
            return ()
        return tuple(reason.message for reason in outcome.reasons)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: StandInHub

    def do_GET(self) -> None:
        if self.path.split("?")[0] != "/user":
            self._answer(200, {"version": "6.1.1"})
            return
        owner = self.hub.owner(self.headers.get("Authorization", ""))
        self._answer(200 if owner else 403, owner or {"message": "unknown token"})

    def do_POST(self) -> None:
        sent = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path == "/allotment/sign-in":
            self._answer(200, self.hub.looked(json.loads(sent)))
            return
        server = _server(self.path)
        problems = self.hub.start(*server) if server else ()
        self._answer(400 if problems else 201, {"message": " ".join(problems)})

    def do_DELETE(self) -> None:
        server = _server(self.path)
        known = self.hub.stop(*server) if server else True
        self._answer(204 if known else 404, {"message": "no such server"} if not known else None)

    def _answer(self, status: int, document: dict[str, Any] | None) -> None:
        body = b"" if document is None else json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Say nothing: the control plane's log tells what matters."""


def _server(path: str) -> tuple[str, str] | None:
    parts = [unquote(part) for part in path.split("/") if part]
    if len(parts) >= 3 and parts[0] == "users" and parts[2] in {"server", "servers"}:  # noqa: PLR2004 - users, a name, and which
        return parts[1], parts[3] if parts[2] == "servers" else ""
    return None


@contextmanager
def stand_in_hub(record: Record) -> Iterator[StandInHub]:
    """Serve on a free port of the loopback."""
    hub = StandInHub(record)
    handler = type("Handler", (_Handler,), {"hub": hub})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    hub.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
