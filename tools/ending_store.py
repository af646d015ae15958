"""A stand-in for stores that keep to an end in a session policy, as Amazon's does and SeaweedFS does not.

A door before SeaweedFS: it takes ``aws:CurrentTime`` out of the policy with which a role is assumed, has
SeaweedFS give out credentials for the rest, and refuses them itself from their end on, by a clock of its
own. Everything else, what the policy allows above all, SeaweedFS decides.
"""

from __future__ import annotations

import hmac
import http.client
import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from object_stores import S3Store

_ENDS = "aws:CurrentTime"
_HOPS = frozenset({"connection", "date", "expect", "keep-alive", "server", "transfer-encoding"})
_DENIED = b"<Error><Code>AccessDenied</Code><Message>Access Denied.</Message></Error>"
_PIECE = 1 << 16


@dataclass
class EndingStore:
    """The store, how far its clock is ahead of this machine's, and what it was asked for.

    ``assumed`` are the ends of the sessions that it gave out (None: without one). ``reading`` is called
    with the path of every object that is read, before it is answered. ``enforced`` False lets
    everybody in after their end, as a store would that does not look at conditions.
    """

    behind: S3Store
    url: str = ""
    ahead: timedelta = timedelta(0)
    enforced: bool = True
    assumed: list[datetime | None] = field(default_factory=list)
    ends: dict[str, datetime] = field(default_factory=dict)
    reading: Callable[[str], object] = lambda _path: None

    @property
    def store(self) -> S3Store:
        """The same store at this address."""
        return replace(self.behind, endpoint=self.url)

    def now(self) -> datetime:
        """What time it is here."""
        return datetime.now(UTC) + self.ahead

    def is_over(self, token: str) -> bool:
        """Whether what was given out with this token has ended."""
        return self.enforced and token in self.ends and self.now() >= self.ends[token]


class _Door(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    ending: EndingStore

    def respond(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        asked = dict(parse_qsl(body.decode(errors="replace"))) if self._is_form() else {}
        if asked.get("Action") in {"AssumeRole", "GetFederationToken"}:
            self._give_out(asked, body)
            return
        if self.ending.is_over(self.headers.get("X-Amz-Security-Token", "")):
            self._answer(403, {"Content-Type": "application/xml"}, _DENIED)
            return
        if self.command == "GET" and "list-type" not in self.path:
            self.ending.reading(urlsplit(self.path).path)
        self._hand_on(self.headers, body)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = respond  # noqa: N815 - http.server's names

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def date_time_string(self, timestamp: float | None = None) -> str:
        """The Date of answers, by the store's clock."""
        del timestamp
        return format_datetime(self.ending.now(), usegmt=True)

    def _is_form(self) -> bool:
        kind = self.headers.get("Content-Type", "")
        return self.command == "POST" and kind.startswith("application/x-www-form-urlencoded")

    def _give_out(self, asked: dict[str, str], body: bytes) -> None:
        """Have credentials given out without the end, and remember it."""
        store = self.ending.behind
        if not _is_signed(self, body, store):
            self._answer(403, {"Content-Type": "application/xml"}, _DENIED)
            return
        policy, end = _without_end(json.loads(asked["Policy"]))
        told = urlencode({**asked, "Policy": json.dumps(policy)}).encode()
        url = f"{store.endpoint}/"
        kind = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
        request = AWSRequest("POST", url, kind, told)
        _signer(store).add_auth(request)
        status, headers, given = self._asked_behind("/", dict(request.headers.items()), told)
        self.ending.assumed.append(end)
        token = re.search(rb"<SessionToken>(.+?)</SessionToken>", given)
        if token is not None and end is not None:
            self.ending.ends[token[1].decode()] = end
        self._answer(status, headers, given)

    def _asked_behind(
        self, path: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, Mapping[str, str], bytes]:
        connection = self._connected()
        try:
            connection.request("POST", path, body, dict(headers))
            answer = connection.getresponse()
            return answer.status, _handed_on(answer.getheaders()), answer.read()
        finally:
            connection.close()

    def _hand_on(self, headers: Any, body: bytes) -> None:
        """Ask the store the same, with the name of this door: that is what was signed."""
        connection = self._connected()
        try:
            connection.putrequest(
                self.command, self.path, skip_host=True, skip_accept_encoding=True
            )
            for name, value in headers.items():
                if name.lower() not in _HOPS:
                    connection.putheader(name, value)
            connection.endheaders(body)
            self._stream(connection.getresponse())
        finally:
            connection.close()

    def _connected(self) -> http.client.HTTPConnection:
        address = urlsplit(self.ending.behind.endpoint)
        return http.client.HTTPConnection(str(address.hostname), address.port, timeout=30)

    def _stream(self, answer: http.client.HTTPResponse) -> None:
        headers = _handed_on(answer.getheaders())
        if self.command == "HEAD" or "Content-Length" not in headers:
            body = answer.read()
            if self.command != "HEAD":
                headers["Content-Length"] = str(len(body))
            self._answer(answer.status, headers, body)
            return
        self._begin(answer.status, headers)
        while piece := answer.read(_PIECE):
            self.wfile.write(piece)

    def _answer(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self._begin(status, {"Content-Length": str(len(body)), **headers})
        if self.command != "HEAD":
            self.wfile.write(body)

    def _begin(self, status: int, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()


def _handed_on(headers: list[tuple[str, str]]) -> dict[str, str]:
    return {name: value for name, value in headers if name.lower() not in _HOPS}


def _signer(store: S3Store) -> Any:
    make: Any = SigV4Auth
    return make(Credentials(store.access_key_id, store.secret_access_key), "sts", store.region)


def _is_signed(door: _Door, body: bytes, store: S3Store) -> bool:
    """Whether the owner has signed this, just as it came."""
    said = door.headers.get("Authorization", "")
    found = re.search(r"Credential=([^/]+)/.*SignedHeaders=([^,]+), *Signature=([0-9a-f]+)", said)
    if found is None or found[1] != store.access_key_id:
        return False
    signed = {name: door.headers[name] for name in found[2].split(";") if name != "host"}
    request = AWSRequest("POST", f"http://{door.headers['Host']}/", signed, body)
    request.context["timestamp"] = door.headers["X-Amz-Date"]
    signer = _signer(store)
    text = signer.string_to_sign(request, signer.canonical_request(request))
    return hmac.compare_digest(signer.signature(text, request), found[3])


def _without_end(policy: dict[str, Any]) -> tuple[dict[str, Any], datetime | None]:
    """A policy without its end, and that end; it must be the same in whatever is allowed."""
    ends = set()
    for statement in policy["Statement"]:
        conditions = statement.get("Condition", {})
        ends.add(conditions.pop("DateLessThan", {}).get(_ENDS))
        if not conditions:
            statement.pop("Condition", None)
    (end,) = ends
    return policy, None if end is None else datetime.fromisoformat(end)


@contextmanager
def ending_store(behind: S3Store) -> Iterator[EndingStore]:
    """Run the door until the end of the block."""
    ending = EndingStore(behind)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Door", (_Door,), {"ending": ending}))
    ending.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=partial(server.serve_forever, 0.02), daemon=True)
    thread.start()
    try:
        yield ending
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
