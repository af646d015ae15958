"""Backup, restore, and moving to another database: the same record comes out, or nothing does."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from allotment.model.homes import ArchiveAsk, FoundHome, HomeEnd, HomeTerms, Packed
from allotment.model.refusals import RecordTooNew
from allotment.record import (
    backups,
    copying,
    events,
    home_archives,
    homes,
    leases,
    migrating,
    open_record,
    sealed_secrets,
)
from allotment.record.copying import CopyRefused, Layout, Sum
from allotment.record.engine import writer_of
from allotment.record.schema import secrets
from allotment.rules.keeping import Keeping, Turn, keeping

pytestmark = pytest.mark.promise("OPS-5")


@pytest.fixture
def elsewhere(store: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty place for a record, in the same kind of database."""
    if store == "sqlite":
        return f"sqlite:///{tmp_path}/elsewhere.sqlite"
    make: Callable[[str | None], str] = request.getfixturevalue("database")
    return make(None)


@pytest.fixture
def full(lab: Any) -> Any:
    """The lab with something of everything that is stored in a way of its own: money, times, bytes, text, no value."""
    mine = lab.granted("ann", "gpu", "träning \N{SNOWMAN}")
    lab.granted("bob", "cpu")
    lab.end(mine, 'It\'s "over":\n\ttab, \\ and 100 %.')
    with lab.write() as writing:
        sealed = bytes(range(256))
        row = {"what": "source", "name": "sales", "field": "password", "sealed": sealed}
        writing.run(secrets.insert().values(**row))
        assert leases.take(writing, "mail", "one", timedelta(hours=1))
    return lab


def test_a_restored_record_is_the_one_that_was_backed_up(
    full: Any, elsewhere: str, tmp_path: Path
) -> None:
    written = backups.backup(full.record, tmp_path / "record.backup")
    restored = backups.restore(tmp_path / "record.backup", elsewhere)

    there = open_record(elsewhere)
    assert written == restored == copying.sum_of(there) == copying.sum_of(full.record)
    assert written.number > 20
    with there.reading() as reading, full.record.reading() as original:
        assert events.after(reading, 0) == events.after(original, 0)
        assert leases.holder_of(reading, "mail") is None
    with there.writing("olga", full.now) as writing:
        writing.event("test.goes", "on")
    there.close()


@pytest.mark.promise("SERVER-10")
def test_after_a_restore_homes_are_announced_anew_and_nothing_is_asked_of_them(
    lab: Any, elsewhere: str, tmp_path: Path
) -> None:
    day = timedelta(days=1)
    start = lab.now
    with lab.write() as writing:
        homes.seen(writing, "hub", [FoundHome("ann", "ann"), FoundHome("bob", "bob")])
        ann, bob = homes.all_homes(writing)
        homes.warned(writing, ann, start + 31 * day, HomeEnd.REMOVE)
        homes.ask(writing, bob, HomeEnd.REMOVE)
        home_archives.made(writing, "1", bob, "bob.tar.gz", Packed(1, 1), "olga")
        home_archives.ask(writing, "1", ArchiveAsk.REMOVE)
    backups.backup(lab.record, tmp_path / "record.backup")

    backups.restore(tmp_path / "record.backup", elsewhere)

    there, terms = open_record(elsewhere), HomeTerms(keep=17 * day, warn=14 * day)
    with there.reading() as reading:
        found = homes.all_homes(reading)
        (archive,) = home_archives.all_archives(reading)
    there.close()
    now = start + 32 * day
    assert [keeping(one, terms, now) for one in found] == [Keeping(Turn.WARN, now + 14 * day)] * 2
    assert {(one.asked, one.asked_by) for one in (*found, archive)} == {(None, "")}


def test_a_backup_is_its_owners_only_and_takes_no_other_files_place(
    full: Any, tmp_path: Path
) -> None:
    file = tmp_path / "record.backup"
    backups.backup(full.record, file)
    assert file.stat().st_mode & 0o777 == 0o600

    with pytest.raises(CopyRefused, match="There is a file"):
        backups.backup(full.record, file)
    assert backups.content(file).number > 20


def test_a_record_that_is_not_empty_is_not_written_over(full: Any, tmp_path: Path) -> None:
    file = tmp_path / "record.backup"
    before = backups.backup(full.record, file)

    url = full.record._writer.url.render_as_string(hide_password=False)
    with pytest.raises(CopyRefused, match="something in that database already"):
        backups.restore(file, url)
    assert copying.sum_of(full.record) == before


@pytest.fixture
def damaged(full: Any, tmp_path: Path) -> Callable[[Callable[[list[str]], list[str]]], Path]:
    """Make a backup and change its lines."""
    file = tmp_path / "record.backup"

    def damage(change: Callable[[list[str]], list[str]]) -> Path:
        backups.backup(full.record, file)
        lines = gzip.decompress(file.read_bytes()).decode().splitlines()
        file.write_bytes(gzip.compress("".join(f"{one}\n" for one in change(lines)).encode()))
        return file

    return damage


@pytest.mark.parametrize(
    "change",
    [
        lambda lines: lines[:-1],
        lambda lines: lines[:-2] + lines[-1:],
        lambda lines: [*lines[:-1], lines[-2], lines[-1]],
        lambda lines: [one.replace("ann", "eve") for one in lines],
        lambda lines: [*lines, "{}"],
        lambda lines: lines[1:],
        lambda lines: [lines[0].replace('"devices"', '"devices; DROP"'), *lines[1:]],
        lambda _lines: ["[]"],
        lambda _lines: [],
    ],
    ids=[
        "cut off",
        "a row less",
        "a row twice",
        "changed",
        "more",
        "no head",
        "no name",
        "none",
        "empty",
    ],
)
def test_a_backup_that_is_not_what_was_written_is_refused_and_nothing_is_made(
    damaged: Any, elsewhere: str, change: Any
) -> None:
    file = damaged(change)

    with pytest.raises(CopyRefused, match="Nothing was changed"):
        backups.restore(file, elsewhere)
    assert_nothing_at(elsewhere)


def assert_nothing_at(url: str) -> None:
    engine = writer_of(url, 5)
    with engine.begin() as connection:
        assert sa.inspect(connection).get_table_names() == []
    engine.dispose()


def test_a_file_that_is_no_backup_is_refused(tmp_path: Path, elsewhere: str) -> None:
    (tmp_path / "letter.txt").write_text("Dear Sir or Madam")
    (tmp_path / "half.gz").write_bytes(gzip.compress(b"x" * 10_000)[:30])

    for name in ("letter.txt", "half.gz", "nothing"):
        with pytest.raises(CopyRefused):
            backups.restore(tmp_path / name, elsewhere)


def test_a_backup_of_a_newer_version_is_refused(damaged: Any, elsewhere: str) -> None:
    head = str(Layout.now().schema)
    file = damaged(lambda lines: [lines[0].replace(f'"{head}"', '"9999"'), *lines[1:]])

    with pytest.raises(RecordTooNew, match="'9999', which is newer"):
        backups.restore(file, elsewhere)
    assert_nothing_at(elsewhere)


def test_a_backup_of_an_earlier_version_is_brought_up_to_date(
    elsewhere: str, tmp_path: Path
) -> None:
    file, end = tmp_path / "old.backup", Sum()
    shape = {"name": "counters", "columns": ["name", "value"], "flags": []}
    rows = [["counters", ["event", 41]]]
    end.of((name, values) for name, values in rows)
    lines = [{"allotment": 1, "schema": "0010", "tables": [shape]}, *rows, end.document()]
    file.write_bytes(gzip.compress("".join(f"{json.dumps(one)}\n" for one in lines).encode()))

    backups.restore(file, elsewhere)

    there = open_record(elsewhere)
    with there.reading() as reading:
        assert events.latest_sequence(reading) == 41
    there.close()


def test_a_record_moves_to_another_kind_of_database_and_back(
    full: Any, store: str, database: Callable[[str | None], str], tmp_path: Path
) -> None:
    away = database(None) if store == "sqlite" else f"sqlite:///{tmp_path}/moved.sqlite"
    layout = Layout.now()
    with full.record.reading() as reading:
        moved = copying.fill(away, layout, copying.rows_of(reading.connection, layout))

    there = open_record(away)
    assert moved == copying.sum_of(there) == copying.sum_of(full.record)
    with there.reading() as reading, full.record.reading() as original:
        assert events.after(reading, 0) == events.after(original, 0)
        assert sealed_secrets.count(reading) == sealed_secrets.count(original)
    there.close()


def test_every_table_of_the_record_is_copied_but_what_says_who_runs_now() -> None:
    copied = {one.name for one in Layout.now().tables}
    assert set(migrating_tables()) - copied == {"leases", "hubs"}


def migrating_tables() -> list[str]:
    engine = sa.create_engine("sqlite://")
    with engine.begin() as connection:
        migrating.make(connection, "head")
        names = sa.inspect(connection).get_table_names()
    return [name for name in names if name != "alembic_version"]
