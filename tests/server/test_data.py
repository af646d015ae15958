"""A server and its data: credentials kept and renewed for kernels, sources tested from here, the banner told."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import botocore.session
import httpx
import pytest

from allotment.client import AllotmentClient
from allotment.model.refusals import NotFound
from allotment.notebook.keeper import KEEPER_TOKEN, KEEPER_URL, lend_from_keeper
from allotment.notebook.lending import Lender
from stand_in_control_plane import TOKEN, ControlPlane


@pytest.fixture
def lake(control_plane: ControlPlane, tmp_path: Path) -> dict[str, Any]:
    """A source that the control plane lends: a folder with one file."""
    folder = tmp_path / "lake"
    folder.mkdir()
    (folder / "notes.txt").write_text("read me")
    now = datetime.now(UTC)
    credential = {
        "source": "lake",
        "kind": "folder",
        "fields": {"path": str(folder)},
        "expires_at": (now + timedelta(hours=1)).isoformat(),
        "now": now.isoformat(),
    }
    control_plane.answers["/sources/lake/credentials"] = credential
    return credential


@pytest.fixture
def kernel(
    started: dict[str, str], control_plane: ControlPlane, run: Callable[[Any], Any]
) -> Callable[[str], Any]:
    """A kernel that asks its server's keeper, while the server's event loop runs."""
    client = AllotmentClient(control_plane.url, TOKEN)
    ask = lend_from_keeper(started, client)
    assert ask is not None
    lender = Lender(ask, lambda _: None)
    return lambda source: run(_beside(lambda: lender.credential(source)))


async def _beside(call: Callable[[], Any]) -> Any:
    from allotment_server.background import in_background  # noqa: PLC0415 - as the server does

    return await in_background(call)


@pytest.mark.promise("DATA-5")
def test_kernels_of_one_server_share_what_it_was_lent(
    kernel: Callable[[str], Any], lake: dict[str, Any], control_plane: ControlPlane
) -> None:
    first = kernel("lake")
    kernel("lake")

    assert first.text("path") == lake["fields"]["path"]
    asked = [path for method, path, _ in control_plane.asked if path.endswith("/credentials")]
    assert len(asked) == 1


@pytest.mark.promise("DATA-5")
@pytest.mark.usefixtures("lake")
def test_a_process_without_the_servers_token_is_lent_nothing(
    started: dict[str, str], run: Callable[[Any], Any]
) -> None:
    def ask() -> httpx.Response:
        headers = {"Authorization": "Bearer guessed"}
        url = f"{started[KEEPER_URL]}/credentials/lake"
        return httpx.post(url, headers=headers, trust_env=False)

    assert run(_beside(ask)).status_code == 401


@pytest.mark.promise("DATA-7")
def test_a_refusal_of_the_control_plane_reaches_the_kernel_as_it_is(
    kernel: Callable[[str], Any], control_plane: ControlPlane
) -> None:
    control_plane.problem = (404, "There is no source 'lake'.")

    with pytest.raises(NotFound, match="There is no source 'lake'"):
        kernel("lake")


@pytest.mark.promise("DATA-5")
def test_amazons_own_libraries_read_the_keys_and_when_to_ask_again(
    started: dict[str, str],
    control_plane: ControlPlane,
    lake: dict[str, Any],
    run: Callable[[Any], Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    keys = {"access_key_id": "AK", "secret_access_key": "SK", "session_token": "ST"}
    control_plane.answers["/sources/lake/credentials"] = lake | {"kind": "s3", "fields": keys}
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{started[KEEPER_URL]}/aws/lake")
    monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", started[KEEPER_TOKEN])
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nothing")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nothing")

    def find() -> Any:
        session = boto3.Session(botocore_session=botocore.session.Session())
        credentials = session.get_credentials()
        return credentials.get_frozen_credentials()

    found = run(_beside(find))

    assert (found.access_key, found.secret_key, found.token) == ("AK", "SK", "ST")


@pytest.mark.promise("DATA-5", "DATA-7")
def test_amazons_own_libraries_take_the_next_key_of_those_that_live_a_minute(
    started: dict[str, str],
    control_plane: ControlPlane,
    lake: dict[str, Any],
    run: Callable[[Any], Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = datetime.now(UTC)
    ends = {"kind": "s3", "expires_at": (now + timedelta(minutes=1)).isoformat()}
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{started[KEEPER_URL]}/aws/lake")
    monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", started[KEEPER_TOKEN])
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nothing")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nothing")
    ask = lend_from_keeper(started, AllotmentClient(control_plane.url, TOKEN))
    assert ask is not None

    def renew(key: str) -> None:
        keys = {"access_key_id": key, "secret_access_key": "SK", "session_token": "ST"}
        control_plane.answers["/sources/lake/credentials"] = lake | ends | {"fields": keys}
        ask("lake", fresh=True)

    def find() -> list[str]:
        found = []
        renew("first")
        credentials = botocore.session.Session().get_credentials()
        for key in ("second", "third"):
            found.append(credentials.get_frozen_credentials().access_key)
            renew(key)
        return [*found, credentials.get_frozen_credentials().access_key]

    assert run(_beside(find)) == ["first", "second", "third"]


@pytest.mark.promise("DATA-4")
@pytest.mark.usefixtures("started", "lake")
def test_a_source_is_tested_from_this_server_as_a_cell_would_read_it(fetch: Any) -> None:
    answer = fetch("allotment", "test", method="POST", body=json.dumps({"name": "lake"}))

    found = json.loads(answer.body)
    assert found["reached"]
    assert "1 entry" in found["words"]


@pytest.mark.promise("DATA-4")
@pytest.mark.usefixtures("started")
def test_a_test_that_finds_a_problem_says_it_in_words(
    fetch: Any, control_plane: ControlPlane
) -> None:
    control_plane.answers["/sources/lake/credentials"] = (404, "There is no source 'lake'.")
    control_plane.answers["/datasets/lake/access"] = (404, "There is no dataset 'lake'.")

    answer = fetch("allotment", "test", method="POST", body=json.dumps({"name": "lake"}))

    assert json.loads(answer.body)["words"] == "There is no source 'lake'."
    assert fetch("allotment", "test", method="POST", body="{}").code == 400


@pytest.mark.promise("DATA-6")
def test_what_this_server_may_use_is_told_to_its_owner_only(
    fetch: Any, control_plane: ControlPlane
) -> None:
    control_plane.answers["/sources"] = {"items": []}
    control_plane.answers["/datasets"] = {"items": []}

    answer = fetch("allotment", "data")
    stranger = fetch("allotment", "data", headers={"Authorization": "token guessed"})

    assert json.loads(answer.body) == {"sources": [], "datasets": []}
    assert stranger.code in {401, 403}
