"""Passwords, attempts and first passwords, without a hub."""

from __future__ import annotations

import asyncio
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from allotment.model.refusals import Refusal
from allotment.record import Record, credentials, leaving, open_record, people
from allotment_hub import passwords
from allotment_hub.attempts import FORGOTTEN_AFTER, FREE, LONGEST_WAIT, MOST_NAMES, Attempts
from allotment_hub.first_start import give_first_passwords
from allotment_hub.sign_in import LocalAuthenticator

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def fail(attempts: Attempts, number: int, name: str = "ada") -> float:
    """Fail so many times, each as soon as it is allowed; returns when the last one was."""
    at = 0.0
    for _ in range(number):
        wait = attempts.begin(name, at)
        at += wait
        if wait:
            assert attempts.begin(name, at) == 0.0
    return at


def test_the_first_attempts_of_a_name_wait_for_nothing() -> None:
    attempts = Attempts()
    assert [attempts.begin("ada", 0.0) for _ in range(FREE)] == [0.0] * FREE


def test_many_attempts_at_once_are_as_slow_as_many_in_a_row() -> None:
    attempts = Attempts()
    allowed = [attempts.begin("ada", 0.0) == 0 for _ in range(1000)]
    assert sum(allowed) == FREE


def test_each_further_attempt_waits_longer_up_to_five_minutes() -> None:
    waits = []
    for number in range(FREE, FREE + 12):
        attempts = Attempts()
        at = fail(attempts, number)
        waits.append(attempts.begin("ada", at))
    assert waits == sorted(waits)
    assert (waits[0], waits[-1]) == (2.0, LONGEST_WAIT)


def test_a_refused_attempt_does_not_make_the_wait_longer() -> None:
    attempts = Attempts()
    fail(attempts, FREE)
    first = attempts.begin("ada", 0.5)
    assert attempts.begin("ada", 0.5) == first


def test_a_right_password_forgets_the_failures() -> None:
    attempts = Attempts()
    fail(attempts, FREE - 1)
    attempts.begin("ada", 1.0)
    attempts.succeeded("ada")
    assert attempts.begin("ada", 1.0) == 0.0


def test_failures_are_forgotten_after_a_quarter_of_an_hour() -> None:
    attempts = Attempts()
    at = fail(attempts, FREE + 3)
    assert attempts.begin("ada", at + FORGOTTEN_AFTER + 1) == 0.0
    assert attempts.begin("ada", at + FORGOTTEN_AFTER + 1) == 0.0


def test_one_name_does_not_slow_another() -> None:
    attempts = Attempts()
    fail(attempts, FREE + 3)
    assert attempts.begin("ben", 0.0) == 0.0


def test_names_that_nobody_has_cannot_fill_the_memory() -> None:
    attempts = Attempts()
    for number in range(MOST_NAMES + 100):
        attempts.begin(f"name-{number}", float(number) / 1000)
    assert len(attempts._failures) == MOST_NAMES


def test_a_password_fits_its_own_hash_only() -> None:
    stored = passwords.hashed("correct horse battery")
    assert passwords.fits(stored, "correct horse battery")
    assert not passwords.fits(stored, "correct horse batterz")
    assert not passwords.fits(None, "correct horse battery")
    assert not passwords.fits("no hash at all", "correct horse battery")


@pytest.mark.parametrize(
    ("password", "again", "word"),
    [
        ("short", "short", "10 to 200"),
        ("x" * 201, "x" * 201, "10 to 200"),
        ("correct horse battery", "correct horse batter", "not the same"),
        ("my name is Ada", "my name is Ada", "easily guessed"),
        ("aaaaaaaaaaaaaaaa", "aaaaaaaaaaaaaaaa", "easily guessed"),
        ("1212121212", "1212121212", "easily guessed"),
    ],
)
def test_a_weak_password_is_refused_with_what_is_wrong(
    password: str, again: str, word: str
) -> None:
    with pytest.raises(Refusal, match=word) as refused:
        passwords.check_new("ada", password, again)
    assert password not in str(refused.value)


def test_generated_passwords_are_long_enough_and_differ() -> None:
    made = {passwords.generated() for _ in range(1000)}
    assert len(made) == 1000
    assert {len(password) for password in made} == {19}


@pytest.fixture
def record(tmp_path: Path) -> Iterator[Record]:
    opened = open_record(f"sqlite:///{tmp_path}/record.sqlite", migrate=True)
    with opened.writing("settings", NOW) as writing:
        people.onboard(writing, ["ada", "ben"])
    yield opened
    opened.close()


@pytest.mark.promise("AUTH-1")
def test_first_passwords_are_one_line_each_and_only_the_hubs_user_reads_them(
    record: Record, tmp_path: Path
) -> None:
    path = tmp_path / "first-passwords"
    assert give_first_passwords(record, ("ada", "ben", "gone"), path, NOW) == ("ada", "ben")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    lines = dict(line.split(": ") for line in path.read_text().splitlines())
    with record.reading() as reading:
        for name, password in lines.items():
            credential = credentials.get(reading, name)
            assert credential
            assert passwords.fits(credential.hash, password)
            assert credential.must_change


@pytest.mark.promise("AUTH-5")
def test_somebody_who_left_gets_no_new_password_and_signs_in_with_none(
    record: Record, tmp_path: Path
) -> None:
    path = tmp_path / "first-passwords"
    with record.writing("settings", NOW) as writing:
        credentials.set_password(writing, "ben", passwords.hashed("of ben's own"))
        leaving.leave(writing, "ada")
    sign_in = LocalAuthenticator(record_url=f"sqlite:///{tmp_path}/record.sqlite")
    assert asyncio.run(sign_in.knows_password("ben", "of ben's own"))

    given = give_first_passwords(record, ("ada", "ben"), path, NOW)
    with record.writing("settings", NOW) as writing:
        leaving.leave(writing, "ben")
        credentials.set_password(writing, "ben", passwords.hashed("of ben's own"))

    assert given == ()
    assert not path.exists()
    assert not asyncio.run(sign_in.knows_password("ben", "of ben's own"))


def test_who_has_a_password_keeps_it_and_the_others_lines_stay(
    record: Record, tmp_path: Path
) -> None:
    path = tmp_path / "first-passwords"
    give_first_passwords(record, ("ada",), path, NOW)
    before = path.read_text()
    assert give_first_passwords(record, ("ada", "ben"), path, NOW) == ("ben",)
    assert path.read_text().startswith(before)
    assert give_first_passwords(record, ("ada", "ben"), path, NOW) == ()


def test_a_start_that_ended_between_file_and_record_gives_new_passwords(
    record: Record, tmp_path: Path
) -> None:
    path = tmp_path / "first-passwords"
    path.write_text("ada: never-came-into-force\n")
    give_first_passwords(record, ("ada",), path, NOW)
    with record.reading() as reading:
        credential = credentials.get(reading, "ada")
    name, password = path.read_text().strip().split(": ")
    assert name == "ada"
    assert credential
    assert passwords.fits(credential.hash, password)


def test_no_password_and_no_hash_is_in_an_event(record: Record, tmp_path: Path) -> None:
    path = tmp_path / "first-passwords"
    give_first_passwords(record, ("ada",), path, NOW)
    password = path.read_text().split(": ")[1].strip()
    with record.reading() as reading:
        rows = reading.driver('SELECT kind, subject, "before", "after" FROM events', {}).all()
        credential = credentials.get(reading, "ada")
    assert credential
    said = str(rows)
    assert password not in said
    assert credential.hash not in said
    assert credential.hash not in repr(credential)
