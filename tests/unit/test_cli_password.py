"""``allotment password``: who runs the machine lets somebody in whose password nobody knows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from allotment.cli import app
from allotment.record import Record, credentials, events, leaving, open_record, people, session_ends
from allotment.record.schema import identities
from allotment.record.schema import people as table
from allotment_hub import passwords

pytestmark = pytest.mark.promise("AUTH-1")

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def record(tmp_path: Path) -> Iterator[Record]:
    """A platform with an operator whose password nobody knows any more, and somebody who has left."""
    (tmp_path / "allotment.yaml").write_text("{}\n")
    with closing(open_record(f"sqlite:///{tmp_path}/record.sqlite", migrate=True)) as made:
        with made.writing("settings", NOW) as writing:
            people.onboard(writing, ["olga"], role="operator")
            people.onboard(writing, ["ada", "gone"])
            leaving.leave(writing, "gone")
        yield made


def run(folder: Path, *arguments: str) -> Result:
    where = ("--settings", str(folder / "allotment.yaml"), "--state", str(folder))
    return CliRunner().invoke(app, ["password", *arguments, *where])


def test_a_new_password_is_printed_once_and_its_hash_kept(tmp_path: Path, record: Record) -> None:
    given = json.loads(run(tmp_path, "olga", "--json").stdout)["passwords"]["olga"]

    with record.reading() as reading:
        kept = credentials.get(reading, "olga")
        written = str(events.after(reading, 0))
    assert kept is not None
    assert passwords.fits(kept.hash, given)
    assert kept.must_change
    assert given not in written


def test_sessions_of_before_are_to_end_at_each_hub(tmp_path: Path, record: Record) -> None:
    run(tmp_path, "olga")

    with record.reading() as reading:
        word = session_ends.due(reading, "olga", "north")
        assert session_ends.due(reading, "ada", "north") is None
    assert word is not None
    with record.writing("hub", NOW) as writing:
        session_ends.done(writing, "olga", "north", word)
    with record.reading() as reading:
        assert session_ends.due(reading, "olga", "north") is None
        assert session_ends.due(reading, "olga", "south") == word


def test_an_operator_whom_no_provider_confirms_has_power_again(
    tmp_path: Path, record: Record
) -> None:
    with record.writing("test", NOW) as writing:
        writing.run(table.update().values(confirmed_until=NOW))

    run(tmp_path, "olga")

    with record.reading() as reading:
        assert people.authority(reading, "olga", NOW + timedelta(days=1)).permissions


@pytest.mark.parametrize(
    ("names", "said"),
    [(["olga", "nobody"], "nobody"), (["gone"], "gone has left")],
)
def test_all_of_them_get_one_or_nobody(
    tmp_path: Path, record: Record, names: list[str], said: str
) -> None:
    answer = run(tmp_path, *names)

    assert answer.exit_code != 0
    assert said in " ".join(answer.output.split())
    with record.reading() as reading:
        assert credentials.get(reading, "olga") is None


def test_with_a_provider_only_those_who_keep_a_password_get_one(
    tmp_path: Path, record: Record
) -> None:
    (tmp_path / "allotment.yaml").write_text(
        "sign_in: {kind: oidc, issuer: 'https://id.example.org', client_id: us, "
        "client_secret_file: secret, accept_shared_user: true, operators: [ada], local: [olga]}\n"
    )

    answer = run(tmp_path, "ada")

    assert answer.exit_code != 0
    assert "sign_in.local names who keeps a password (now olga)" in " ".join(answer.output.split())
    assert run(tmp_path, "olga").exit_code == 0
    with record.reading() as reading:
        assert credentials.get(reading, "ada") is None


def signed_in_there(record: Record, name: str) -> None:
    """Somebody whom a provider confirmed until now."""
    subject = {"issuer": "https://id.example.org", "subject": name, "person": name, "name": name}
    with record.writing("test", NOW) as writing:
        row = {**subject, "groups": [], "confirmed_at": NOW, "ended": False}
        writing.run(identities.insert().values(**row))
        writing.run(table.update().where(table.c.name == name).values(confirmed_until=NOW))


def lapses(record: Record, name: str) -> bool:
    """Whether what somebody may do ends without the provider's word."""
    with record.reading() as reading:
        return people.get(reading, name).confirmed_until is not None


def test_without_settings_nobody_of_a_provider_gets_a_password(
    tmp_path: Path, record: Record
) -> None:
    signed_in_there(record, "ada")
    asked = ["password", "olga", "ada", "--record", str(tmp_path / "record.sqlite")]

    answer = CliRunner().invoke(app, asked)

    assert answer.exit_code != 0
    assert "Name the settings of the hub: --settings FILE" in " ".join(answer.output.split())
    assert lapses(record, "ada")
    with record.reading() as reading:
        assert credentials.get(reading, "ada") is None
        assert credentials.get(reading, "olga") is None


def test_without_settings_a_password_leaves_what_a_provider_confirmed(
    tmp_path: Path, record: Record
) -> None:
    with record.writing("test", NOW) as writing:
        writing.run(table.update().values(confirmed_until=NOW))
    asked = ["password", "olga", "--record", str(tmp_path / "record.sqlite")]

    assert CliRunner().invoke(app, asked).exit_code == 0
    assert lapses(record, "olga")


def test_whom_a_provider_knows_is_confirmed_by_signing_in_and_not_by_a_password(
    tmp_path: Path, record: Record
) -> None:
    signed_in_there(record, "ada")

    assert run(tmp_path, "ada").exit_code == 0
    assert lapses(record, "ada")
