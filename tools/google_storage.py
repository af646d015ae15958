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
TEXT = r"'((?:[^'\\]|\\.)*)'"
OBJECTS = re.compile(rf"resource\.name\.startsWith\({TEXT}\)")
OBJECT = re.compile(rf"resource\.name == {TEXT}")
LISTED = re.compile(rf"objectListPrefix', ''\)\.startsWith\({TEXT}\)")
SHORT = re.compile(r"/v1/projects/-/serviceAccounts/([^/]+):generateAccessToken")
BUCKET = re.compile(
    r"/storage/v1/b/([^/]+)(?:/o(?:/(.+))?)?$|/download/storage/v1/b/([^/]+)/o/(.+)$"
)


@dataclass
class GoogleStore:
    """The address of both, the service account that they know, and what was exchanged.

    ``enforced`` False lets a narrowed token do everything, as an endpoint without rules would.
    ``makes_tokens`` is whether the account may make short tokens for itself, ``slow`` is how far its clock
    goes after this machine's.
    """

    url: str = ""
    enforced: bool = True
    makes_tokens: bool = True
    slow: timedelta = timedelta(0)
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
            "iam_endpoint": self.url,
        }

    @property
    def secrets(self) -> dict[str, str]:
        """The form's secret fields."""
        return {"service_account": self.service_account}

    @property
    def now(self) -> datetime:
        """What time it is there."""
        return datetime.now(UTC) - self.slow

    def new_owner(self, end: datetime | None = None) -> str:
        """A token that may do everything, until an end."""
        token = f"owner-{secrets.token_hex(16)}"
        self.owners[token] = end or self.now + self.lifetime
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
        if short := SHORT.fullmatch(path):
            length = int(self.headers["Content-Length"])
            self._answer(*self._shorten(unquote(short[1]), json.loads(self.rfile.read(length))))
            return
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
        token = self._bearer()
        refused = self._refusal(method, token)
        if refused is not None:
            message = {"error": {"code": int(refused), "message": refused.phrase}}
            self._answer(refused, message)
            return
        with self.lock:
            getattr(super(), f"do_{method}")()

    def _bearer(self) -> str:
        return (self.headers.get("Authorization") or "").removeprefix("Bearer ")

    def date_time_string(self, timestamp: float | None = None) -> str:
        """The header Date, by the store's clock."""
        return str(super().date_time_string(timestamp or self.store.now.timestamp()))

    def _refusal(self, method: str, token: str) -> HTTPStatus | None:
        end = self.store.owners.get(token)
        if end is None or end < self.store.now:
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
            full = f"projects/_/buckets/{bucket}/objects/{name}"
            if name and any(map(full.startswith, said(OBJECTS, condition))):
                return True
            if name and full in said(OBJECT, condition):
                return True
            if not name and any(map(listed.startswith, said(LISTED, condition))):
                return True
        return False

    def _grant(self, asked: Mapping[str, str]) -> tuple[HTTPStatus, Mapping[str, Any]]:
        try:
            said = jwt.decode(
                asked["assertion"],
                self.store.key.public_key(),
                algorithms=["RS256"],
                audience="https://oauth2.googleapis.com/token",
                options={"verify_exp": False, "verify_iat": False},
            )
        except jwt.PyJWTError:
            answer = {"error": "invalid_grant", "error_description": "Invalid JWT Signature."}
            return HTTPStatus.BAD_REQUEST, answer
        if not said["iat"] - 300 < self.store.now.timestamp() < said["exp"]:
            return HTTPStatus.BAD_REQUEST, {  # as Google words it
                "error": "invalid_grant",
                "error_description": "Invalid JWT: Token must be a short-lived token (60 minutes)"
                " and in a reasonable timeframe. Check your iat and exp values in the JWT claim.",
            }
        assert said["iss"] == ACCOUNT  # noqa: S101 - the only one there is
        return HTTPStatus.OK, self._token(self.store.new_owner())

    def _exchange(self, asked: Mapping[str, str]) -> tuple[HTTPStatus, Mapping[str, Any]]:
        """What is narrowed ends with what it was made of; when that is, it need not say."""
        end = self.store.owners.get(asked["subject_token"])
        if end is None:
            return HTTPStatus.BAD_REQUEST, {"error": "invalid_grant"}
        token = self.store.new_owner(end)
        options = json.loads(unquote(asked["options"]))
        self.store.boundaries[token] = options["accessBoundary"]
        return HTTPStatus.OK, {"access_token": token, "token_type": "Bearer"}

    def _shorten(
        self, email: str, asked: Mapping[str, Any]
    ) -> tuple[HTTPStatus, Mapping[str, Any]]:
        """A token that ends sooner: by the reference of "projects.serviceAccounts.generateAccessToken"."""
        if self.store.owners.get(self._bearer()) is None:
            return HTTPStatus.UNAUTHORIZED, {"error": {"status": "UNAUTHENTICATED"}}
        if email != ACCOUNT or not self.store.makes_tokens:
            return HTTPStatus.FORBIDDEN, {"error": {"status": "PERMISSION_DENIED"}}
        seconds = int(asked["lifetime"].removesuffix("s"))
        if not 0 < seconds <= 3600 or not asked["scope"]:  # noqa: PLR2004 - an hour
            return HTTPStatus.BAD_REQUEST, {"error": {"status": "INVALID_ARGUMENT"}}
        end = (self.store.now + timedelta(seconds=seconds)).replace(microsecond=0)
        token = self.store.new_owner(min(end, self.store.now + self.store.lifetime))
        return HTTPStatus.OK, {"accessToken": token, "expireTime": f"{end:%Y-%m-%dT%H:%M:%SZ}"}

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


def said(pattern: re.Pattern[str], condition: str) -> list[str]:
    """The texts that a condition compares with in one way."""
    return [re.sub(r"\\(.)", r"\1", text) for text in pattern.findall(condition)]


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
