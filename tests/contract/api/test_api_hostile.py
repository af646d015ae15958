"""Hostile and unlucky requests: always a problem with a reason, never a fault."""

from __future__ import annotations

import json
from typing import Any

import pytest

LONG = 10**30
BODIES: list[tuple[str, str, bytes]] = [
    ("POST", "/pools", b"{"),
    ("POST", "/pools", b"[]"),
    ("POST", "/pools", b"\xff\xfe"),
    ("POST", "/pools", b'"' + b"9" * 5000 + b'"'),
    ("POST", "/pools", b'{"name": ' + b"9" * 5000 + b"}"),
    ("POST", "/pools", b"[" * 100_000),
    ("POST", "/pools", json.dumps({"name": "a\x00b"}).encode()),
    ("POST", "/pools", b'{"name": "p", "model": "\\ud800"}'),
    ("POST", "/pools", b'{"name": "p", "devices": ["\\ud800"]}'),
    ("POST", "/pools", b'{"name": "p", "\\ud800": 1}'),
    ("POST", "/groups", b'{"name": "g", "title": "\\u0000"}'),
    ("POST", "/groups", b'{"name": "g", "tags": {"k": "\\ud800"}}'),
    ("POST", "/groups", b'{"name": "g", "tags": {"\\ud800": "v"}}'),
    (
        "POST",
        "/groups",
        b'{"name": "g", "shares": [{"pool": "a100", "guaranteed": 1, "weight": NaN}]}',
    ),
    (
        "POST",
        "/groups",
        b'{"name": "g", "shares": [{"pool": "a100", "guaranteed": 1, "weight": 1e999}]}',
    ),
    (
        "POST",
        "/groups",
        json.dumps({"name": "g", "shares": [{"pool": "a100", "guaranteed": LONG}]}).encode(),
    ),
    (
        "PUT",
        "/limits",
        json.dumps({"scope": "platform", "kind": "devices", "value": LONG}).encode(),
    ),
    ("PUT", "/limits", b'{"scope": "platform", "kind": "devices", "value": true}'),
    ("POST", "/configuration/plan", b'{"yaml": "\\ud800"}'),
    ("POST", "/configuration/plan", b'{"yaml": "a: &a [*a]"}'),
    ("POST", "/configuration/plan", b'{"yaml": "!!python/object:os.system x"}'),
    ("POST", "/servers/stop", b'{"servers": ["hub~\\ud800~x"]}'),
    ("POST", "/servers/stop", b'{"servers": ["hub~bob~x"], "reason": "\\ud800"}'),
]
PATHS = [
    "/pools/%00",
    "/pools/%ed%a0%80",
    "/pools/" + "a" * 5000,
    "/users/%2e%2e%2f%2e%2e",
    "/servers/~~",
    "/servers/hub~bob",
    "/devices/..",
    "/nothing",
    "/devices?cursor=%00",
    "/devices?cursor=bm90aGluZw",
    "/devices?cursor=WzFd",
    "/devices?cursor=W1tbW1tbW1tb",
    "/devices?limit=0",
    f"/devices?limit={LONG}",
    "/devices?limit=1e3",
    f"/events?after={LONG}",
    "/events?after=-1",
    "/events?wait=nan",
    "/events?topics=everything",
    f"/devices?changed_after={LONG}",
    "/refusals?cursor=WyJ4Il0",
    "/use?hours=inf",
    "/explain?person=%00&profile=gpu",
    "/explain?person=ann",
]


@pytest.mark.parametrize(("method", "path", "content"), BODIES)
def test_a_body_that_cannot_be_is_a_problem_with_a_reason(
    long_lived: Any, method: str, path: str, content: bytes
) -> None:
    headers = {"Content-Type": "application/json"}
    answer = long_lived.ask(method, path, "olga+", content=content, headers=headers)

    assert answer.status_code in {404, 422}
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["reasons"]


@pytest.mark.parametrize("path", PATHS)
def test_an_address_that_cannot_be_is_a_problem_with_a_reason(long_lived: Any, path: str) -> None:
    answer = long_lived.ask("GET", path, "olga+")

    assert answer.status_code in {404, 422}
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["reasons"]


def test_a_request_that_is_too_large_is_refused_before_it_is_read(long_lived: Any) -> None:
    answer = long_lived.ask("POST", "/pools", "olga+", content=b"x" * (2**20 + 1))

    assert answer.status_code == 413
    assert answer.json()["title"] == "Too large"


def test_a_misfit_does_not_tell_what_was_sent(long_lived: Any) -> None:
    answer = long_lived.ask("POST", "/pools", "olga+", json={"name": "my secret password!"})

    assert "secret" not in answer.text


def test_a_method_that_is_not_there_is_a_problem(long_lived: Any) -> None:
    answer = long_lived.ask("PATCH", "/me", "olga+")

    assert (answer.status_code, answer.json()["title"]) == (405, "Wrong method")
