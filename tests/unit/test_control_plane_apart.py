"""A control plane in a place of its own: what it is told by its settings, and what it says is missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from allotment.api.environment import ServiceEnvironment
from allotment.model.refusals import AllotmentError, SettingsInvalid
from allotment.settings import load_settings

SETTINGS = """
control_plane:
  url: http://allotment:8787/
  public_url: https://jupyter.example.org
  token_file: token
record: postgresql://allotment@database/allotment
record_password_variable: RECORD_PASSWORD
hub: north
"""
HUB = "http://hub:8081/hub/api"


@pytest.fixture
def told(tmp_path: Path) -> dict[str, str]:
    """The environment of its pod, with a settings file and a token beside."""
    (tmp_path / "token").write_text("word-between-hub-and-plane\n")
    (tmp_path / "settings.yaml").write_text(SETTINGS)
    return {
        "ALLOTMENT_SETTINGS": str(tmp_path / "settings.yaml"),
        "ALLOTMENT_STATE": str(tmp_path),
        "JUPYTERHUB_API_URL": HUB,
    }


def test_it_is_told_by_its_settings_where_its_hub_did_not_start_it(told: dict[str, str]) -> None:
    found = ServiceEnvironment.read(told)

    assert found.managed is False
    assert found.address == "0.0.0.0"  # noqa: S104 - in its pod: the network policy says who reaches it
    assert (found.port, found.prefix) == (8787, "/services/allotment/")
    assert (found.hub_api_url, found.token) == (HUB, "word-between-hub-and-plane")
    assert found.record_url.startswith("postgresql://allotment@database/allotment")
    assert "RECORD_PASSWORD" in found.record_url
    assert found.hub == "north"
    assert found.public_url == "https://jupyter.example.org/services/allotment/api/v1"
    assert found.public_origin == "https://jupyter.example.org"
    assert found.client_id == "service-allotment"


def test_what_its_pod_says_goes_before_what_the_settings_say(told: dict[str, str]) -> None:
    found = ServiceEnvironment.read(told | {"JUPYTERHUB_SERVICE_URL": "http://127.0.0.1:9000"})
    assert (found.address, found.port) == ("127.0.0.1", 9000)


def test_a_hub_that_starts_it_says_all_by_itself(told: dict[str, str]) -> None:
    by_hub = {
        "JUPYTERHUB_API_TOKEN": "of-the-hub",
        "JUPYTERHUB_SERVICE_URL": "http://127.0.0.1:9000",
        "JUPYTERHUB_SERVICE_PREFIX": "/services/allotment/",
        "ALLOTMENT_RECORD_URL": "sqlite:////tmp/record.sqlite",
    }
    found = ServiceEnvironment.read(told | by_hub)
    assert (found.managed, found.token) == (True, "of-the-hub")


def test_without_hub_or_settings_it_names_what_is_missing_and_both_ways() -> None:
    with pytest.raises(AllotmentError, match=r"JUPYTERHUB_API_TOKEN.*ALLOTMENT_SETTINGS"):
        ServiceEnvironment.read({})


def test_a_missing_address_of_the_hub_is_named(told: dict[str, str]) -> None:
    with pytest.raises(AllotmentError, match=r"^Not set: JUPYTERHUB_API_URL\."):
        ServiceEnvironment.read(told | {"JUPYTERHUB_API_URL": ""})


@pytest.mark.promise("AUTH-2")
def test_a_token_that_is_not_there_is_named_with_its_place(
    told: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "token").write_text("\n")
    with pytest.raises(SettingsInvalid, match=r"settings.yaml:2.*token holds no token"):
        ServiceEnvironment.read(told)


@pytest.mark.parametrize(
    "wrong",
    [
        "{url: allotment, public_url: https://a.example, token_variable: T}",
        "{url: http://allotment:8787, public_url: https://a.example}",
        "{url: http://allotment:8787, public_url: https://a.example, token_file: a, token_variable: T}",
        "{url: http://allotment:8787, public_url: https://a.example, token: abc}",
    ],
)
def test_a_wrong_section_is_refused(tmp_path: Path, wrong: str) -> None:
    (tmp_path / "settings.yaml").write_text(f"control_plane: {wrong}\n")
    with pytest.raises(SettingsInvalid, match="control_plane"):
        load_settings(tmp_path / "settings.yaml")


def test_its_token_is_in_no_listing(told: dict[str, str]) -> None:
    assert "word-between-hub-and-plane" not in repr(ServiceEnvironment.read(told))
