"""The record knows the keys of its secrets: others are refused, and they are exchanged all or none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from allotment.data import keys, vault
from allotment.data.assembling import open_vault
from allotment.data.vault import KeysWrong, Vault
from allotment.model.sources import Source, SourceKind
from allotment.record import events, sign_in, sources
from allotment.settings import Settings

pytestmark = pytest.mark.promise("DATA-5")

OLD, NEW = keys.new_key(), keys.new_key()
SETTINGS = Settings.model_validate({"data": {"accept_secrets": True}})


def _open(world: Any, state: Path) -> Vault:
    return open_vault(world.record, SETTINGS, state, world.now)


def _keep(world: Any, keep: Vault, secret: str) -> None:
    with world.write() as writing:
        source = Source("lake", SourceKind.S3, secrets=("secret_access_key",))
        sources.create(writing, source, {"secret_access_key": keep.encrypt(secret)})


def _kept(world: Any, keep: Vault) -> str:
    with world.record.reading() as reading:
        return keep.decrypt(sources.sealed(reading, "lake")["secret_access_key"])


def test_the_first_start_makes_the_keys_and_later_ones_use_them(world: Any, tmp_path: Path) -> None:
    first = _open(world, tmp_path)
    assert _open(world, tmp_path).keys == first.keys == keys.keys_of_file(tmp_path / "data.key")


def test_a_lost_file_of_keys_is_not_made_anew(world: Any, tmp_path: Path) -> None:
    _open(world, tmp_path)
    (tmp_path / "data.key").unlink()
    with pytest.raises(KeysWrong, match="not there"):
        _open(world, tmp_path)


def test_other_keys_are_refused_at_the_start(world: Any, tmp_path: Path) -> None:
    _open(world, tmp_path)
    keys.write_keys(tmp_path / "data.key", [NEW])
    with pytest.raises(KeysWrong, match=vault.fingerprint(NEW)):
        _open(world, tmp_path)


def test_rotating_encrypts_every_secret_with_the_first_key(world: Any) -> None:
    vault.meet(world.record, Vault((OLD,)), "platform", world.now)
    _keep(world, Vault((OLD,)), "hunter2")
    with world.write() as writing:
        assert vault.rotate(writing, Vault((NEW, OLD))) == 1

    assert _kept(world, Vault((NEW,))) == "hunter2"
    with world.record.reading() as reading:
        assert vault.check(reading, Vault((NEW,)))


def test_rotating_with_a_key_missing_changes_nothing(world: Any) -> None:
    vault.meet(world.record, Vault((OLD,)), "platform", world.now)
    _keep(world, Vault((OLD,)), "hunter2")
    with pytest.raises(KeysWrong), world.write() as writing:
        vault.rotate(writing, Vault((NEW,)))
    assert _kept(world, Vault((OLD,))) == "hunter2"


def test_lost_keys_are_forgotten_with_every_secret(world: Any) -> None:
    vault.meet(world.record, Vault((OLD,)), "platform", world.now)
    _keep(world, Vault((OLD,)), "hunter2")
    with world.write() as writing:
        assert vault.forget(writing, Vault((NEW,))) == 1
    with world.record.reading() as reading:
        assert sources.get(reading, "lake").secrets == ()
        assert vault.check(reading, Vault((NEW,)))


def test_no_event_holds_a_secret_or_its_encryption(world: Any) -> None:
    keep = Vault((OLD,))
    _keep(world, keep, "hunter2-canary")
    with world.record.reading() as reading:
        sealed = sources.sealed(reading, "lake")["secret_access_key"].decode()
        said = str(events.after(reading, 0))
    assert "hunter2-canary" not in said
    assert sealed not in said


def _client(world: Any) -> sign_in.ReplacedSecret | None:
    with world.record.reading() as reading:
        return sign_in.replaced_secret(reading, "https://id.example.org", "allotment")


@pytest.mark.promise("AUTH-1")
def test_a_clients_secret_is_exchanged_and_forgotten_with_the_others(world: Any) -> None:
    vault.meet(world.record, Vault((OLD,)), "platform", world.now)
    with world.write() as writing:
        sealed = Vault((OLD,)).encrypt("hunter2")
        sign_in.replace_secret(writing, "https://id.example.org", "allotment", sealed, "a-hash")

    with world.write() as writing:
        assert vault.rotate(writing, Vault((NEW, OLD))) == 1

    kept = _client(world)
    assert kept is not None
    assert Vault((NEW,)).decrypt(kept.sealed) == "hunter2"
    assert "hunter2" not in repr(kept)
    with world.write() as writing:
        assert vault.forget(writing, Vault((NEW,))) == 1
    assert _client(world) is None
