"""Parts of the control plane that need nothing running: cookies, cursors, ids, paths, environment."""

from __future__ import annotations

import gc
import weakref

import pytest
from starlette.testclient import TestClient

from allotment.api.application import API, routed
from allotment.api.environment import ServiceEnvironment
from allotment.api.paging import Page, cut, read_cursor, write_cursor
from allotment.api.port import listen
from allotment.api.problems import RequestInvalid
from allotment.api.sessions import Sessions, SignIn
from allotment.api.signing_in import own_path
from allotment.api.views.names import server_id, server_key
from allotment.model.refusals import AllotmentError, NotFound

PREFIX = "/services/allotment/"


@pytest.mark.parametrize(
    ("following", "goes_to"),
    [
        (f"{PREFIX}api/v1/me", f"{PREFIX}api/v1/me"),
        (f"{PREFIX}api/v1/me?a=b", f"{PREFIX}api/v1/me?a=b"),
        ("https://evil.example/", PREFIX),
        ("https:/services/allotment/", PREFIX),
        ("//evil.example/services/allotment/", PREFIX),
        ("\\\\evil.example", PREFIX),
        (f"\\{PREFIX}", PREFIX),
        ("/user/bob/steal", PREFIX),
        (f"{PREFIX}../../user/bob/", PREFIX),
        (f"{PREFIX}\r\nSet-Cookie: x=y", PREFIX),
        (f"{PREFIX}é", PREFIX),
        ("", PREFIX),
    ],
)
def test_a_sign_in_goes_on_inside_the_control_plane_only(following: str, goes_to: str) -> None:
    assert own_path(following, PREFIX) == goes_to


@pytest.mark.parametrize("cookie", ["", "x", "a" * 5000, "gAAAAABforged", "é", "\x00"])
def test_a_forged_cookie_opens_to_nothing(cookie: str) -> None:
    sessions = Sessions("secret")

    assert sessions.token(cookie) is None
    assert sessions.sign_in(cookie) is None


def test_a_cookie_opens_with_the_secret_that_sealed_it_and_for_its_own_purpose() -> None:
    sessions = Sessions("secret")
    sealed = sessions.seal("token")
    begun = sessions.seal_sign_in(SignIn("state", "verifier", PREFIX))

    assert sessions.token(sealed) == "token"
    assert Sessions("another").token(sealed) is None
    assert sessions.token(begun) is None
    assert sessions.sign_in(begun) == SignIn("state", "verifier", PREFIX)
    assert "token" not in sealed


@pytest.mark.parametrize(
    "key", [("gpu-0",), ("ann", "", "hub"), ("Jörg Müller", "~", "…"), ("a" * 300,)]
)
def test_a_cursor_reads_back_as_what_it_was_written_from(key: tuple[str, ...]) -> None:
    assert read_cursor(write_cursor(key)) == key


@pytest.mark.parametrize("cursor", ["x", "bm90aGluZw", "WzFd", "e30", "W1tbW1tbW1tb", "9" * 100])
def test_a_cursor_of_somebody_elses_making_is_refused(cursor: str) -> None:
    with pytest.raises(RequestInvalid):
        read_cursor(cursor)


def test_pages_tell_everything_once_though_the_list_changes_between_them() -> None:
    items = [f"device-{number:02}" for number in range(10)]
    first, cursor = cut(items, lambda one: (one,), Page(4, None))
    assert cursor is not None
    items.remove("device-03")
    items.insert(0, "device-00a")

    second, _ = cut(items, lambda one: (one,), Page(10, read_cursor(cursor)))

    assert first == ("device-00", "device-01", "device-02", "device-03")
    assert second == ("device-04", "device-05", "device-06", "device-07", "device-08", "device-09")


@pytest.mark.parametrize(
    ("hub", "person", "name"),
    [("hub", "ann", ""), ("hub", "ann", "train"), ("east", "a.b@c+d", "x-1"), ("hub", "a~b", "c")],
)
def test_a_servers_id_reads_back_as_what_it_names(hub: str, person: str, name: str) -> None:
    assert tuple(server_key(server_id(hub, person, name))) == (hub, person, name)


@pytest.mark.parametrize("text", ["", "hub", "hub~ann", "~ann~x", "hub~~x"])
def test_what_is_no_servers_id_is_not_found(text: str) -> None:
    with pytest.raises(NotFound):
        server_key(text)


COMPLETE = {
    "JUPYTERHUB_API_TOKEN": "very-secret",
    "JUPYTERHUB_API_URL": "http://127.0.0.1:8081/hub/api",
    "JUPYTERHUB_SERVICE_URL": "http://127.0.0.1:10101",
    "JUPYTERHUB_SERVICE_PREFIX": "/base/services/allotment/",
    "JUPYTERHUB_BASE_URL": "/base/",
    "ALLOTMENT_RECORD_URL": "sqlite:////somewhere",
    "ALLOTMENT_API_URL": "https://hub.example/base/services/allotment/api/v1",
}


def test_the_environment_tells_where_the_control_plane_lives() -> None:
    where = ServiceEnvironment.read(COMPLETE)

    assert (where.address, where.port, where.prefix) == (
        "127.0.0.1",
        10101,
        "/base/services/allotment/",
    )
    assert where.hub_path == "/base/hub/"
    assert where.callback_url == "/base/services/allotment/oauth_callback"
    assert where.public_origin == "https://hub.example"
    assert "very-secret" not in repr(where)


@pytest.mark.promise("AUTH-2")
def test_an_environment_with_holes_is_refused_with_all_of_them_named() -> None:
    incomplete = {
        name: value
        for name, value in COMPLETE.items()
        if name not in {"JUPYTERHUB_API_TOKEN", "ALLOTMENT_RECORD_URL"}
    }

    with pytest.raises(AllotmentError) as refused:
        ServiceEnvironment.read(incomplete)

    assert "JUPYTERHUB_API_TOKEN" in str(refused.value)
    assert "ALLOTMENT_RECORD_URL" in str(refused.value)


def test_a_port_that_another_program_holds_is_named() -> None:
    with listen("127.0.0.1", 0) as held:
        port = held.getsockname()[1]
        with pytest.raises(AllotmentError, match=str(port)):
            listen("127.0.0.1", port, patience=0.1)


def test_a_port_that_was_let_go_is_taken() -> None:
    with listen("127.0.0.1", 0) as held:
        port = held.getsockname()[1]

    with listen("127.0.0.1", port, patience=0.1) as again:
        assert again.getsockname()[1] == port


def test_an_application_that_nobody_holds_is_forgotten() -> None:
    app = routed()
    assert TestClient(app).get(f"{API}/openapi.json").json()["openapi"]

    kept = weakref.ref(app)
    del app
    gc.collect()

    assert kept() is None
