"""Secrets at rest: what the keys are, and what is refused."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allotment.data import keys
from allotment.data.problems import SourceProblem
from allotment.data.vault import KeysWrong, Vault

pytestmark = pytest.mark.promise("DATA-5")

OLD, NEW = keys.new_key(), keys.new_key()


@given(st.text())
def test_what_was_encrypted_comes_back(secret: str) -> None:
    vault = Vault((OLD,))
    assert vault.decrypt(vault.encrypt(secret)) == secret


def test_the_same_secret_never_looks_the_same() -> None:
    vault = Vault((OLD,))
    assert vault.encrypt("hunter2") != vault.encrypt("hunter2")


def test_every_key_decrypts_and_the_first_encrypts() -> None:
    both = Vault((NEW, OLD))
    assert both.decrypt(Vault((OLD,)).encrypt("hunter2")) == "hunter2"
    assert Vault((NEW,)).decrypt(both.encrypt("hunter2")) == "hunter2"


def test_a_renewed_secret_needs_the_first_key_only() -> None:
    sealed = Vault((OLD,)).encrypt("hunter2")
    assert Vault((NEW,)).decrypt(Vault((NEW, OLD)).renewed(sealed)) == "hunter2"


@pytest.mark.parametrize(
    "change", [lambda one: b"x" + one[1:], lambda one: one[:-4], lambda _: b""]
)
def test_a_secret_that_was_changed_is_refused(change: object) -> None:
    sealed = Vault((OLD,)).encrypt("hunter2")
    with pytest.raises(SourceProblem):
        Vault((OLD,)).decrypt(change(sealed))  # type: ignore[operator]  # one of the lambdas above


def test_another_key_decrypts_nothing() -> None:
    with pytest.raises(SourceProblem, match="cannot be decrypted"):
        Vault((NEW,)).decrypt(Vault((OLD,)).encrypt("hunter2"))


def test_a_vault_never_shows_its_keys() -> None:
    vault = Vault((OLD, NEW))
    shown = repr(vault) + str(vault.fingerprints)
    assert OLD.decode() not in shown
    assert NEW.decode() not in shown


def test_a_platform_whose_people_could_read_secrets_takes_none() -> None:
    with pytest.raises(SourceProblem, match="accept_secrets"):
        Vault((OLD,), accepts=False).encrypt("hunter2")


def test_the_check_value_tells_keys_apart() -> None:
    known = Vault((OLD,)).check_value
    assert Vault((NEW, OLD)).fits(known)
    assert not Vault((NEW,)).fits(known)


@pytest.mark.parametrize("text", ["", "# nothing\n", "hunter2", "ä" * 44, "M" * 43])
def test_what_is_no_key_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(KeysWrong) as refused:
        keys.read_keys(text, "the file")
    assert not text.strip("# \n") or text not in str(refused.value)


def test_keys_are_read_one_a_line_or_between_commas() -> None:
    written = f"# the new one\n{NEW.decode()}\n\n{OLD.decode()}\n"
    assert keys.read_keys(written, "") == (NEW, OLD)
    assert keys.read_keys(f"{NEW.decode()}, {OLD.decode()}", "") == (NEW, OLD)


def test_a_file_of_keys_is_its_owners_alone(tmp_path: Path) -> None:
    keys.make_file(tmp_path / "data.key")
    assert (tmp_path / "data.key").stat().st_mode & 0o777 == 0o600


def test_a_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "data.key"
    keys.make_file(file)
    file.chmod(0o644)
    with pytest.raises(KeysWrong, match="chmod 600"):
        keys.keys_of_file(file)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(KeysWrong, match=r"data\.key"):
        keys.keys_of_file(tmp_path / "data.key")


def test_a_file_of_keys_is_made_once_by_many_at_once(tmp_path: Path) -> None:
    file, made = tmp_path / "data.key", []
    threads = [threading.Thread(target=lambda: made.append(keys.make_file(file))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made.count(True) == 1
    assert [one.name for one in tmp_path.iterdir()] == ["data.key"]
