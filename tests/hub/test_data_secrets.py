"""A hub as people get it, and a secret that is entered there: in no log, no file and no process."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import httpx
import psutil
import pytest

from allotment.client import AllotmentClient
from allotment.model.refusals import Refusal
from hubs import until
from page_hubs import SETTINGS, PageHub

# The hubs of page_hubs.py leave the control plane out; this is the configuration as people get it.
WITH_CONTROL_PLANE = "\nconfigure(c, load_settings(place.settings, place.state), place)\n"
DATA = 'data: {accept_secrets: true, networks: ["127.0.0.0/8"]}\n'
SCOPES = ["access:services!service=allotment", "custom:allotment:operate"]
CLOSED = 9
"""A port at which nobody answers."""


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[PageHub]:
    """A hub of the test's own, with its control plane, which takes secrets."""
    made = PageHub(tmp_path / "hub", settings=SETTINGS + DATA, config=WITH_CONTROL_PLANE)
    try:
        yield made.start()
    finally:
        made.stop()


def client_of(hub: PageHub, name: str) -> AllotmentClient:
    """What asks with a token that somebody has made on the hub's page."""
    api = f"{hub.url}/services/allotment/api/v1"
    until(lambda: httpx.get(f"{api}/ready").is_success, "the control plane", 60)
    with closing(hub.signed_in(name)) as browser:
        answer = browser.post(
            f"/api/users/{name}/tokens",
            headers={"X-XSRFToken": browser.cookies["_xsrf"]},
            json={"scopes": SCOPES, "note": "made by hand"},
        )
    return AllotmentClient(api, str(answer.raise_for_status().json()["token"]))


def processes() -> Iterator[str]:
    """The command lines and environments of all processes that may be looked at."""
    for process in psutil.process_iter():
        with suppress(psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            yield f"{process.cmdline()} {process.environ()}"


@pytest.mark.promise("DATA-5", "OPS-3")
def test_a_sources_secret_is_in_no_log_no_file_and_no_process_of_a_hub(hub: PageHub) -> None:
    olga, secret = client_of(hub, "olga"), secrets.token_hex(24)
    fields = {"host": "127.0.0.1", "port": CLOSED, "database": "shop", "user": "lender"}

    made = olga.sources.create("planted", "postgresql", fields | {"tls": "off", "password": secret})
    with pytest.raises(Refusal):
        olga.sources.create("again", "postgresql", {"password": secret, "unknown": secret})
    tried = olga.sources.prove("planted")

    found = {str(place): place.read_bytes() for place in hub.folder.rglob("*") if place.is_file()}
    found |= {"log": hub.log().encode(), "processes": "".join(processes()).encode()}
    assert (made.secrets, tried.proven) == (("password",), False)
    assert "POST /sources" in hub.log()
    assert [place for place, text in found.items() if secret.encode() in text] == []
