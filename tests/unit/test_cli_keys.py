"""``allotment keys``: the keys are exchanged, lost, and never shown."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from allotment.cli import app
from allotment.data import keys
from allotment.data.assembling import open_vault
from allotment.data.vault import Vault
from allotment.model.sources import Source, SourceKind
from allotment.record import Record, open_record, sources
from allotment.settings import load_settings

pytestmark = pytest.mark.promise("DATA-5")

SECRET = "hunter2-canary"
NOW = datetime(2026, 3, 1, tzinfo=UTC)


def _run(state: Path, *arguments: str, **variables: str) -> Result:
    settings = str(state / "allotment.yaml")
    return CliRunner().invoke(
        app,
        ["keys", *arguments, "--state", str(state), "--settings", settings],
        env=variables,
    )


def _open(state: Path) -> Record:
    return open_record(f"sqlite:///{state}/record.sqlite", migrate=True)


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A platform that has started once, with one secret."""
    (tmp_path / "allotment.yaml").write_text("data: {accept_secrets: true}\n")
    record = _open(tmp_path)
    settings = load_settings(tmp_path / "allotment.yaml", tmp_path)
    vault = open_vault(record, settings, tmp_path, NOW)
    with record.writing("olga", NOW) as writing:
        sealed = {"password": vault.encrypt(SECRET)}
        sources.create(writing, Source("warehouse", SourceKind.POSTGRESQL), sealed)
    record.close()
    return tmp_path


def _kept(state: Path) -> str:
    vault = Vault(keys.keys_of_file(state / "data.key"))
    record = _open(state)
    with record.reading() as reading:
        sealed = sources.sealed(reading, "warehouse")
    record.close()
    return vault.decrypt(sealed["password"])


def test_keys_are_shown_by_what_they_are_known_only(state: Path) -> None:
    (key,) = keys.keys_of_file(state / "data.key")
    found = _run(state, "show")
    assert found.exit_code == 0, found.output
    assert key.decode() not in found.output
    assert "1 secret" in found.output


def test_rotating_makes_a_new_key_and_keeps_every_secret(state: Path) -> None:
    (before,) = keys.keys_of_file(state / "data.key")
    found = _run(state, "rotate")

    assert found.exit_code == 0, found.output
    first, second = keys.keys_of_file(state / "data.key")
    assert (first != before, second) == (True, before)
    assert _kept(state) == SECRET


def test_rotating_again_drops_the_oldest_key(state: Path) -> None:
    (oldest,) = keys.keys_of_file(state / "data.key")
    _run(state, "rotate")
    _run(state, "rotate")
    assert oldest not in keys.keys_of_file(state / "data.key")
    assert _kept(state) == SECRET


def test_a_control_plane_that_runs_goes_on_while_keys_are_exchanged(state: Path) -> None:
    record = _open(state)
    settings = load_settings(state / "allotment.yaml", state)
    running = open_vault(record, settings, state, NOW)
    _run(state, "rotate")
    with record.reading() as reading:
        sealed = sources.sealed(reading, "warehouse")["password"]
    record.close()

    assert running.decrypt(sealed) == SECRET
    (newest, _) = keys.keys_of_file(state / "data.key")
    assert Vault((newest,)).decrypt(running.encrypt(SECRET)) == SECRET


def test_rotating_with_other_keys_is_refused_and_changes_nothing(state: Path) -> None:
    own = (state / "data.key").read_bytes()
    keys.write_keys(state / "data.key", [keys.new_key()])
    found = _run(state, "rotate")

    assert found.exit_code != 0
    (state / "data.key").write_bytes(own)
    assert _kept(state) == SECRET


def test_keys_in_a_variable_are_rotated_to_its_first(state: Path) -> None:
    (before,) = keys.keys_of_file(state / "data.key")
    (state / "allotment.yaml").write_text("data: {keys_variable: THE_KEYS}\n")
    new = keys.new_key()
    found = _run(state, "rotate", THE_KEYS=f"{new.decode()},{before.decode()}")

    assert found.exit_code == 0, found.output
    keys.write_keys(state / "data.key", [new])
    assert _kept(state) == SECRET


def test_lost_keys_are_said_and_forgotten_on_demand(state: Path) -> None:
    (state / "data.key").unlink()
    assert "not there" in _run(state, "show").output
    assert _run(state, "forget", "--yes").exit_code == 0
    found = json.loads(_run(state, "show", "--json").output)
    assert (found["known"], found["secrets"]) == (True, 0)


def test_forgetting_asks_first(state: Path) -> None:
    assert _run(state, "forget").exit_code != 0
    assert _kept(state) == SECRET


def test_a_new_key_can_be_used() -> None:
    printed = CliRunner().invoke(app, ["keys", "new"]).output
    assert len(keys.read_keys(printed, "standard output")) == 1
