"""The client: what it sends, and how it tells what went wrong."""

from __future__ import annotations

import json
import threading
from typing import Any

import httpx
import pytest

from allotment.client import ANY, AllotmentClient, ControlPlaneAway
from allotment.model.reasons import Reason, Rule
from allotment.model.refusals import (
    AllotmentError,
    AlreadyExists,
    NotFound,
    NotPermitted,
    RecordUnavailable,
    Refusal,
    RevisionStale,
)

URL = "http://hub.example/services/allotment/api/v1"
REASON = Reason(Rule.LIMIT_DEVICES, "Too many.", limit=2, used=2, asked=1, remedy="Stop one.")


def answering(
    status: int, document: Any, **headers: str
) -> tuple[AllotmentClient, list[httpx.Request]]:
    """A client whose every request is answered like this, and the requests it made."""
    requests: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        content = document if isinstance(document, bytes) else json.dumps(document).encode()
        return httpx.Response(status, content=content, headers=headers)

    return AllotmentClient(URL, "token", transport=httpx.MockTransport(answer)), requests


def problem(status: int, *reasons: Reason, kind: str = "x", **more: Any) -> dict[str, Any]:
    return {
        "type": f"urn:allotment:problem:{kind}",
        "title": "No",
        "status": status,
        "detail": "No, because.",
        "reasons": [reason.document() for reason in reasons],
        **more,
    }


NAME_TAKEN = Reason(Rule.NAME_TAKEN, "Taken.")


@pytest.mark.parametrize(
    ("status", "document", "raised"),
    [
        (401, problem(401), NotPermitted),
        (403, problem(403, REASON), NotPermitted),
        (404, problem(404), NotFound),
        (409, problem(409, REASON), Refusal),
        (409, problem(409, NAME_TAKEN), AlreadyExists),
        (412, problem(412, expected=3, found=4), RevisionStale),
        (422, problem(422), Refusal),
        (503, problem(503, kind="record-unavailable"), RecordUnavailable),
        (503, problem(503, kind="hub-away"), ControlPlaneAway),
        (502, b"<html>bad gateway</html>", ControlPlaneAway),
        (200, b"<html>a page</html>", ControlPlaneAway),
        (200, {"not": "what was asked for"}, ControlPlaneAway),
    ],
)
def test_each_problem_is_raised_as_what_it_is(
    status: int, document: Any, raised: type[AllotmentError]
) -> None:
    client, _ = answering(status, document)

    with client, pytest.raises(raised) as error:
        client.me()

    assert type(error.value) is raised
    assert str(error.value)


@pytest.mark.promise("LIMIT-4")
def test_a_refusal_carries_every_reason_with_its_amounts() -> None:
    client, _ = answering(409, problem(409, REASON, NAME_TAKEN))

    with pytest.raises(Refusal) as refused:
        client.me()

    assert refused.value.reasons == (REASON, NAME_TAKEN)


def test_a_reason_of_a_newer_control_plane_is_told_in_its_words() -> None:
    newer = REASON.document() | {"rule": "budget.person", "unknown": 1}
    client, _ = answering(409, problem(409) | {"reasons": [newer]})

    with pytest.raises(Refusal) as refused:
        client.me()

    assert refused.value.reasons[0].message == "Too many."


def test_a_change_carries_its_revision_and_a_post_a_key_of_its_own() -> None:
    client, requests = answering(404, problem(404))
    for call in (
        lambda: client.pools.delete("a", revision=3),
        lambda: client.pools.delete("a", revision=ANY),
        lambda: client.pools.create("a"),
        lambda: client.pools.create("a"),
    ):
        with pytest.raises(NotFound):
            call()

    assert [one.headers.get("if-match") for one in requests] == ['"3"', "*", None, None]
    keys = {one.headers.get("idempotency-key") for one in requests if one.method == "POST"}
    assert len(keys) == 2
    assert {one.headers["authorization"] for one in requests} == {"Bearer token"}


@pytest.mark.parametrize("name", ["../admin", "a/b", "a?b", "a#b", "%2e%2e", "ä"])
def test_a_name_never_becomes_part_of_the_path(name: str) -> None:
    client, requests = answering(404, problem(404))

    with pytest.raises(NotFound):
        client.pools.get(name)

    assert requests[0].url.path == f"/services/allotment/api/v1/pools/{name}"
    assert requests[0].url.raw_path.count(b"/") == 6
    assert requests[0].url.query == b""


def test_from_the_environment_takes_the_own_token_before_the_servers() -> None:
    environment = {"ALLOTMENT_API_URL": URL, "JUPYTERHUB_API_TOKEN": "servers"}

    servers = AllotmentClient.from_environment(environment)
    own = AllotmentClient.from_environment(environment | {"ALLOTMENT_TOKEN": "own"})

    assert servers._connection._http.headers["authorization"] == "Bearer servers"
    assert own._connection._http.headers["authorization"] == "Bearer own"


@pytest.mark.parametrize("missing", ["ALLOTMENT_API_URL", "ALLOTMENT_TOKEN"])
def test_an_environment_without_address_or_token_says_which(missing: str) -> None:
    environment = {"ALLOTMENT_API_URL": URL, "ALLOTMENT_TOKEN": "own"}
    del environment[missing]

    with pytest.raises(AllotmentError, match=missing):
        AllotmentClient.from_environment(environment)


def test_following_a_control_plane_that_is_not_there_tells_the_trouble() -> None:
    stop, troubles = threading.Event(), []

    def trouble(words: str) -> None:
        troubles.append(words)
        stop.set()

    with AllotmentClient("http://127.0.0.1:1/api/v1", "token") as nobody:
        assert list(nobody.events.follow(0, on_trouble=trouble, stop=stop)) == []
        with pytest.raises(ControlPlaneAway):
            nobody.about()

    assert "did not answer" in troubles[0]


def test_following_reads_events_reports_and_silence_from_the_stream() -> None:
    event = {
        "sequence": 7,
        "at": "2026-11-22T14:02:11Z",
        "actor": "a",
        "kind": "pool.created",
        "subject": "p",
    }
    lines = f": following\n\nid: 7\nevent: event\ndata: {json.dumps(event)}\n\n: still here\n\nevent: unknown\ndata: {{}}\n\n"
    client, requests = answering(200, lines.encode(), **{"content-type": "text/event-stream"})
    following = client.events.follow(3, use=True)

    assert next(following).sequence == 7  # type: ignore[union-attr]  # an event, not a report
    following.close()
    assert dict(requests[0].url.params) == {"topics": "events,use", "after": "3"}
    assert requests[0].headers["accept"] == "text/event-stream"
