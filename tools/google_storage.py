"""Google's object store for tests: an emulator that keeps objects, with a doorkeeper that keeps the rules.

The emulator knows nothing of tokens, so they are given out and looked at here: a service account's
signed assertion buys a token that may do everything, and the token exchange narrows one by a
credential access boundary, whose conditions are held to as Google writes them.
"""

from __future__ import annotations

import json
import re
import secrets
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from http import HTTPStatus
from http.server import ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from gcp_storage_emulator.server import RequestHandler
from gcp_storage_emulator.storage import Storage
from google.auth.credentials import AnonymousCredentials
from google.cloud import storage

ACCOUNT = "reader@project.iam.gserviceaccount.com"
OBJECTS = re.compile(r"resource\.name\.startsWith\('projects/_/buckets/([^/]+)/objects/(.*?)'\)")
LISTED = re.compile(r"objectListPrefix', ''\)\.startsWith\('(.*?)'\)")
BUCKET = re.compile(
    r"/storage/v1/b/([^/]+)(?:/o(?:/(.+))?)?$|/download/storage/v1/b/([^/]+)/o/(.+)$"
)


@dataclass
class GoogleStore:
    """The address of both, the service account that they know, and what was exchanged.

    ``enforced`` False lets a narrowed token do everything, as an endpoint without rules would.
    """

    url: str = ""
    enforced: bool = True
    lifetime: timedelta = timedelta(hours=1)
    boundaries: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    owners: dict[str, datetime] = field(default_factory=dict)
    key: rsa.RSAPrivateKey = field(
        default_factory=lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048)
    )

    @property
    def service_account(self) -> str:
        """The JSON file of the service account."""
        private = self.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        return json.dumps(
            {
                "type": "service_account",
                "project_id": "project",
                "private_key_id": "key-1",
                "private_key": private.decode(),
                "client_email": ACCOUNT,
                "token_uri": f"{self.url}/token",
            }
        )

    def client(self, token: str | None = None) -> storage.Client:
        """A client that may do everything."""
        owner = token or self.new_owner()
        nobody = AnonymousCredentials()  # type: ignore[no-untyped-call]  # it has no types
        client = storage.Client("project", nobody, client_options={"api_endpoint": self.url})
        # The library sends nothing for anonymous credentials.
        client._http.headers["Authorization"] = f"Bearer {owner}"  # noqa: SLF001 - no other way in
        return client

    def bucket(self, files: Mapping[str, bytes] | None = None) -> str:
        """Make a bucket with some files; returns its name."""
        name = f"lake-{secrets.token_hex(5)}"
        bucket = self.client().create_bucket(name)
        for key, content in (files or {}).items():
            bucket.blob(key).upload_from_string(content)
        return name

    def fields(self, bucket: str, prefix: str = "") -> dict[str, str | int | bool]:
        """The form's fields of a source in this store."""
        return {
            "bucket": bucket,
            "prefix": prefix,
            "endpoint": self.url,
            "token_endpoint": f"{self.url}/v1/token",
        }

    @property
    def secrets(self) -> dict[str, str]:
        """The form's secret fields."""
        return {"service_account": self.service_account}

    def new_owner(self) -> str:
        """A token that may do everything."""
        token = f"owner-{secrets.token_hex(16)}"
        self.owners[token] = datetime.now(UTC) + self.lifetime
        return token


class Doorkeeper(RequestHandler):  # type: ignore[misc]  # the emulator has no types
    """Hands out tokens, and hands on to the emulator what a token allows."""

    store: GoogleStore
    lock: threading.Lock

    def do_GET(self) -> None:  # noqa: N802 - http.server's name
        """Reading."""
        self._guard("GET")

    def do_POST(self) -> None:  # noqa: N802 - http.server's name
        """Writing, or asking for a token."""
        path = urlsplit(self.path).path
        if path in {"/token", "/v1/token"}:
            length = int(self.headers["Content-Length"])
            asked = {
                name: one[0] for name, one in parse_qs(self.rfile.read(length).decode()).items()
            }
            self._answer(*(self._exchange(asked) if path == "/v1/token" else self._grant(asked)))
            return
        self._guard("POST")

    def do_PUT(self) -> None:  # noqa: N802 - http.server's name
        """Writing."""
        self._guard("PUT")

    def do_PATCH(self) -> None:  # noqa: N802 - http.server's name
        """Writing."""
        self._guard("PATCH")

    def do_DELETE(self) -> None:  # noqa: N802 - http.server's name
        """Writing."""
        self._guard("DELETE")

    def _guard(self, method: str) -> None:
        token = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
        refused = self._refusal(method, token)
        if refused is not None:
            message = {"error": {"code": int(refused), "message": refused.phrase}}
            self._answer(refused, message)
            return
        with self.lock:
            getattr(super(), f"do_{method}")()

    def _refusal(self, method: str, token: str) -> HTTPStatus | None:
        end = self.store.owners.get(token)
        if end is None or end < datetime.now(UTC):
            return HTTPStatus.UNAUTHORIZED
        boundary = self.store.boundaries.get(token)
        if boundary is None or not self.store.enforced:
            return None
        return None if method == "GET" and self._allows(boundary) else HTTPStatus.FORBIDDEN

    def _allows(self, boundary: Mapping[str, Any]) -> bool:
        """Whether some rule of a boundary lets this be read."""
        parts = urlsplit(self.path)
        found = BUCKET.match(parts.path)
        if found is None:
            return False
        bucket, name = found[1] or found[3], unquote(found[2] or found[4] or "")
        listed = parse_qs(parts.query).get("prefix", [""])[0]
        for rule in boundary["accessBoundaryRules"]:
            if rule["availableResource"] != f"//storage.googleapis.com/projects/_/buckets/{bucket}":
                continue
            if rule["availablePermissions"] != ["inRole:roles/storage.objectViewer"]:
                continue
            condition = rule.get("availabilityCondition", {}).get("expression")
            if condition is None:
                return True
            objects, lists = OBJECTS.search(condition), LISTED.search(condition)
            if name and objects and objects[1] == bucket and name.startswith(objects[2]):
                return True
            if not name and lists and listed.startswith(lists[1]):
                return True
        return False

    def _grant(self, asked: Mapping[str, str]) -> tuple[HTTPStatus, Mapping[str, Any]]:
        try:
            said = jwt.decode(
                asked["assertion"],
                self.store.key.public_key(),
                algorithms=["RS256"],
                audience="https://oauth2.googleapis.com/token",
            )
        except jwt.PyJWTError:
            answer = {"error": "invalid_grant", "error_description": "Invalid JWT Signature."}
            return HTTPStatus.BAD_REQUEST, answer
        assert said["iss"] == ACCOUNT  # noqa: S101 - the only one there is
        return HTTPStatus.OK, self._token(self.store.new_owner())

    def _exchange(self, asked: Mapping[str, str]) -> tuple[HTTPStatus, Mapping[str, Any]]:
        if asked["subject_token"] not in self.store.owners:
            return HTTPStatus.BAD_REQUEST, {"error": "invalid_grant"}
        token = self.store.new_owner()
        options = json.loads(unquote(asked["options"]))
        self.store.boundaries[token] = options["accessBoundary"]
        return HTTPStatus.OK, self._token(token)

    def _token(self, token: str) -> Mapping[str, Any]:
        seconds = int(self.store.lifetime.total_seconds())
        return {"access_token": token, "expires_in": seconds, "token_type": "Bearer"}

    def _answer(self, status: HTTPStatus, answer: Mapping[str, Any]) -> None:
        content = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@contextmanager
def google_store() -> Iterator[GoogleStore]:
    """Run both until the end of the block."""
    store = GoogleStore()
    handler = type("Doorkeeper", (Doorkeeper,), {"store": store, "lock": threading.Lock()})
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, Storage(use_memory_fs=True)))
    store.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=partial(server.serve_forever, 0.05), daemon=True)
    thread.start()
    try:
        yield store
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
