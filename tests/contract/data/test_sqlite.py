"""A SQLite file as a source: read by its path, found out where users could write to it."""

import contextlib
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from allotment.data.door import Door
from allotment.data.forms import fill
from allotment.data.kinds.kind import Borrower, Opened
from allotment.data.kinds.sqlite import SQLite
from allotment.data.problems import SourceProblem
from allotment.model.reasons import Rule
from allotment.model.sources import Verdict

KIND = SQLite()
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
BORROWER = Borrower("ada", "lab", "a1", NOW + timedelta(hours=2), "allotment_0123456789")
NOBODY = 65534
needs_root = pytest.mark.needs("root")


def source(path: Path | str) -> Opened:
    return Opened("shop", fill(KIND.fields, {"path": str(path)}).fields)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that everybody may enter, unlike pytest's."""
    place = Path(tempfile.mkdtemp(prefix="sqlite-"))
    place.chmod(0o755)
    yield place
    shutil.rmtree(place)


@pytest.fixture
def door(folder: Path) -> Door:
    return Door(roots=(folder,))


@pytest.fixture
def file(folder: Path) -> Path:
    path = folder / "shop ?#%.sqlite"
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE sales (id INTEGER PRIMARY KEY, item TEXT)")
        connection.execute("INSERT INTO sales VALUES (1, 'pear')")
        connection.commit()
    return path


@contextlib.contextmanager
def somebody_else() -> Iterator[None]:
    """Have another's rights, as a platform has that does not run as root."""
    os.setegid(NOBODY)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)


@pytest.mark.promise("DATA-1", "DATA-2")
def test_a_server_reads_the_file_by_an_address_that_cannot_write(file: Path, door: Door) -> None:
    lent = KIND.issue(source(file), BORROWER, door, NOW)
    with contextlib.closing(sqlite3.connect(lent.fields["uri"], uri=True)) as connection:
        assert connection.execute("SELECT * FROM sales").fetchall() == [(1, "pear")]
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            connection.execute("DELETE FROM sales")

    assert (lent.shared, lent.expires_at, lent.account) == (False, None, None)
    assert lent.fields["path"] == str(file)


@pytest.mark.promise("DATA-2")
@needs_root
def test_a_file_of_another_in_a_folder_of_another_is_read_only_by_proof(
    file: Path, door: Door
) -> None:
    with somebody_else():
        proof = KIND.prove(source(file), door, NOW)

    assert (proof.verdict, proof.possible, proof.at) == (Verdict.READ_ONLY, (), NOW)
    assert f"open {file} for writing: refused" in proof.tried
    assert "create a table: refused" in proof.tried
    assert f"make a file in {file.parent}: refused" in proof.tried


@pytest.mark.promise("DATA-2")
@pytest.mark.parametrize(
    ("changed", "mode", "owner", "found"),
    [
        ("file", 0o666, 0, "open {file} for writing"),
        ("file", 0o444, NOBODY, "change the rights of {file}, which"),
        ("folder", 0o777, 0, "make a file in {folder}"),
        ("folder", 0o555, NOBODY, "change the rights of {folder}, which"),
        ("above", 0o777, 0, "exchange {folder} for another folder"),
    ],
)
@needs_root
def test_whatever_lets_users_write_is_found(
    file: Path, door: Door, changed: str, mode: int, owner: int, found: str
) -> None:
    inner = file.parent / "inner"
    inner.mkdir()
    moved = file.rename(inner / file.name)
    place = {"file": moved, "folder": inner, "above": file.parent}[changed]
    os.chown(place, owner, 0)
    place.chmod(mode)

    with somebody_else():
        proof = KIND.prove(source(moved), door, NOW)

    assert proof.verdict is Verdict.WRITABLE
    assert any(one.startswith(found.format(file=moved, folder=inner)) for one in proof.possible)
    assert [one.name for one in inner.iterdir()] == [file.name]


@pytest.mark.promise("DATA-2")
def test_a_file_of_the_platform_itself_can_be_written_and_is_left_as_it_was(
    file: Path, door: Door
) -> None:
    before = (file.read_bytes(), file.stat().st_mtime_ns)

    proof = KIND.prove(source(file), door, NOW)

    assert proof.verdict is Verdict.WRITABLE
    assert (file.read_bytes(), file.stat().st_mtime_ns) == before
    assert [one.name for one in file.parent.iterdir()] == [file.name]


@pytest.mark.promise("DATA-6")
def test_tables_and_columns_are_shown_whatever_they_are_called(file: Path, door: Door) -> None:
    hostile = 'x"; DROP TABLE sales; -- :name %'
    quoted = '"' + hostile.replace('"', '""') + '"'
    with contextlib.closing(sqlite3.connect(file)) as connection:
        connection.execute(f"CREATE TABLE {quoted} ({quoted} REAL, plain)")
        connection.execute("CREATE VIEW seen AS SELECT id FROM sales")
        connection.commit()

    (schema,) = KIND.browse(source(file), (), door).entries
    first = KIND.browse(source(file), ("main",), door, limit=2)
    last = KIND.browse(source(file), ("main",), door, after=str(first.next), limit=2)
    columns = KIND.browse(source(file), ("main", hostile), door).entries

    assert (schema.path, schema.holds) == (("main",), True)
    assert [(one.name, one.kind) for one in (*first.entries, *last.entries)] == [
        ("sales", "table"),
        ("seen", "view"),
        (hostile, "table"),
    ]
    assert last.next is None
    assert [(one.name, one.type) for one in columns] == [(hostile, "real"), ("plain", "")]


@pytest.mark.promise("DATA-6")
def test_a_file_that_is_written_ahead_is_read_with_what_was_written_last(
    file: Path, door: Door
) -> None:
    with contextlib.closing(sqlite3.connect(file)) as writer:
        writer.execute("PRAGMA journal_mode = WAL")
        writer.execute("CREATE TABLE later (id)")
        writer.commit()

        shown = KIND.browse(source(file), ("main",), door).entries

    assert [one.name for one in shown] == ["later", "sales"]


@pytest.mark.promise("DATA-6")
@needs_root
def test_a_file_that_was_written_ahead_is_read_where_nothing_can_be_made_beside_it(
    file: Path, door: Door
) -> None:
    with contextlib.closing(sqlite3.connect(file)) as writer:
        writer.execute("PRAGMA journal_mode = WAL")

    with somebody_else():
        lent = KIND.issue(source(file), BORROWER, door, NOW)
        with contextlib.closing(sqlite3.connect(lent.fields["uri"], uri=True)) as connection:
            assert connection.execute("SELECT item FROM sales").fetchall() == [("pear",)]


@pytest.mark.promise("DATA-6")
@needs_root
def test_what_was_written_last_is_not_passed_over_in_silence(file: Path, door: Door) -> None:
    copy = file.parent / "copy.sqlite"
    with contextlib.closing(sqlite3.connect(file)) as writer:
        writer.execute("PRAGMA journal_mode = WAL")
        writer.execute("CREATE TABLE later (id)")
        writer.commit()
        # As a backup made in mid-work: the -wal file is there, what is needed to read it is not.
        shutil.copy(file, copy)
        shutil.copy(f"{file}-wal", f"{copy}-wal")

    with somebody_else(), pytest.raises(SourceProblem, match="written last cannot be read"):
        KIND.check(source(copy), door)


@pytest.mark.promise("DATA-4")
def test_the_check_says_what_was_found(file: Path, door: Door) -> None:
    assert KIND.check(source(file), door) == (
        f"SQLite file {file} with 1 table. Servers read it themselves."
    )


@pytest.mark.promise("DATA-4")
@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "No such file"),
        (b"", "is no SQLite database"),
        (b"name,price\npear,1\n", "is no SQLite database"),
        (b"SQLite format 3\0" + b"\xff" * 4000, "file is not a database|malformed"),
    ],
)
def test_what_is_no_database_is_said(
    folder: Path, door: Door, content: bytes | None, words: str
) -> None:
    path = folder / "shop.sqlite"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(SourceProblem, match=words):
        KIND.check(source(path), door)
    assert KIND.prove(source(path), door, NOW).verdict is Verdict.UNPROVEN


@pytest.mark.promise("DATA-1")
def test_a_path_that_leads_outside_is_not_opened(file: Path, door: Door, tmp_path: Path) -> None:
    outside = tmp_path / "record.sqlite"
    shutil.copy(file, outside)
    link = file.parent / "link.sqlite"
    link.symlink_to(outside)

    for path in (outside, link, f"{file.parent}/../{file.parent.name}/../record.sqlite"):
        with pytest.raises(SourceProblem) as refused:
            KIND.check(source(path), door)
        assert refused.value.reasons[0].rule is Rule.DATA_PATH
