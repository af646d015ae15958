"""What the record asks of PostgreSQL, whatever the database's own defaults are."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa

from allotment.model.refusals import RecordUnavailable
from allotment.record import open_record
from allotment.record.postgresql import problem_of
from hubs import now

pytestmark = pytest.mark.promise("LIMIT-2")


def of_every_connection(url: str, setting: str) -> None:
    """Give a database a default of its own."""
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        name = connection.exec_driver_sql("SELECT current_database()").scalar()
        connection.exec_driver_sql(f'ALTER DATABASE "{name}" SET {setting}')
    engine.dispose()


@pytest.mark.parametrize("default", ["serializable", "repeatable read"])
def test_writers_see_what_is_committed_and_readers_one_state_whatever_the_default_is(
    database: Callable[[str | None], str], default: str
) -> None:
    url = database(None)
    of_every_connection(url, f"default_transaction_isolation = '{default}'")
    record = open_record(url, migrate=True)
    shown = sa.text("SHOW transaction_isolation")

    for _ in range(2):  # a connection that was used before, too
        with record.writing("test", now()) as writing:
            assert writing.connection.execute(shown).scalar() == "read committed"
        with record.reading() as reading:
            assert reading.connection.execute(shown).scalar() == "repeatable read"
    record.close()


def test_a_database_that_lets_nobody_write_is_refused_at_once_and_in_words(
    database: Callable[[str | None], str],
) -> None:
    url = database(None)
    of_every_connection(url, "default_transaction_read_only = on")

    with pytest.raises(RecordUnavailable, match=r"lets nobody write: it is a standby.*record: …"):
        open_record(url, migrate=True)


@pytest.mark.parametrize(
    ("version", "isolation", "said"),
    [
        (13, "read committed", "PostgreSQL 13; 14 or newer is needed"),
        (16, "serializable", "are serializable although read committed was asked for"),
        (14, "read committed", ""),
    ],
)
def test_what_a_record_needs_of_a_database(version: int, isolation: str, said: str) -> None:
    problem = problem_of(version, isolation, "off")
    assert said in problem
    assert bool(problem) == bool(said)
