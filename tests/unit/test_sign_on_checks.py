"""What a provider's answer proves of a client's secret."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import SimpleNamespace
from typing import Any, cast

import pytest

from allotment.settings.sign_on import SignIn
from allotment_hub.sign_on_checks import check
from allotment_hub.sign_on_looking import look
from oidc_providers import signing_key

CALLBACK = "http://127.0.0.1:8000/hub/oauth_callback"
TRIED = "a-secret-that-is-in-no-answer"
KEYS = {"keys": [signing_key("one")]}


class _Answers(BaseHTTPRequestHandler):
    token: tuple[int, str]

    def do_GET(self) -> None:
        here = f"http://{self.headers['Host']}"
        document = {
            "issuer": here,
            "authorization_endpoint": f"{here}/auth",
            "token_endpoint": f"{here}/token",
            "jwks_uri": f"{here}/keys",
            "response_types_supported": ["code"],
        }
        self._say(200, json.dumps(KEYS if self.path == "/keys" else document))

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self._say(*self.token)

    def _say(self, status: int, text: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Say nothing."""


@contextmanager
def provider(status: int, said: str) -> Iterator[SignIn]:
    """A provider whose token endpoint answers one thing, and the settings for it."""
    handler = type("Handler", (_Answers,), {"token": (status, said)})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        issuer = f"http://127.0.0.1:{server.server_address[1]}"
        yield SignIn(kind="oidc", issuer=issuer, client_id="us", operators=("olga",))
        server.shutdown()


def tried(settings: SignIn) -> dict[str, Any]:
    """What a hub says of a secret that an operator wants to give."""
    secret = SimpleNamespace(hash_of_said="a-hash")
    hub = SimpleNamespace(
        settings=settings,
        oauth_callback_url=CALLBACK,
        sign_on=SimpleNamespace(secret=secret),
    )
    return asyncio.run(look(cast("Any", hub), TRIED))


@pytest.mark.promise("AUTH-1", "AUTH-2")
@pytest.mark.parametrize(
    ("status", "said", "told"),
    [
        (401, '{"error": "access_denied"}', "answered access_denied"),
        (429, '{"error": "slow_down"}', "answered slow_down"),
        (401, "Unauthorized", "answered 401"),
        (400, f'{{"error": "no client has {TRIED}"}}', "answered 400"),
    ],
)
def test_a_secret_is_good_to_be_given_only_where_the_answer_proves_it(
    status: int, said: str, told: str
) -> None:
    with provider(status, said) as settings:
        found = tried(settings)
        at_start = check(settings, CALLBACK, TRIED)

    (problem,) = found["problems"]
    assert problem.startswith("sign_in.client_id: ")
    assert told in problem
    assert TRIED not in str(found)
    assert at_start.problems == []
    assert told in str(at_start.notes)


@pytest.mark.promise("AUTH-1", "AUTH-2")
def test_a_secret_is_good_where_only_the_code_is_refused() -> None:
    with provider(400, '{"error": "invalid_grant"}') as settings:
        assert tried(settings)["problems"] == []
