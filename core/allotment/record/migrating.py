"""Bringing the schema up to date, and refusing one that is newer than we are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.engine import Connection, Engine

from allotment.model.refusals import AllotmentError, RecordTooNew
from allotment.record import postgresql

_MIGRATION_LOCK = 7_151_414


def scripts() -> ScriptDirectory:
    """The migrations, in their order."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    return ScriptDirectory.from_config(config)


def prepare(engine: Engine, *, migrate: bool) -> None:
    """Check the schema's version, and bring it up to date where asked.

    Raises:
        RecordTooNew: the record knows a version that this program does not.
        RecordUnavailable: the database is not one that a record can be kept in.
        AllotmentError: the record is older and ``migrate`` is False.
    """
    directory = scripts()
    head = directory.get_current_head()
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            postgresql.check(connection)
            postgresql.no_limits(connection)  # another may be at it for minutes
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_MIGRATION_LOCK)))
        found = MigrationContext.configure(connection).get_current_revision()
        if found == head:
            return
        known = {script.revision for script in directory.walk_revisions()}
        if found is not None and found not in known:
            message = (
                f"The record has the schema {found!r}, which is newer than this version of Allotment knows ({head!r}). "
                "Nothing was changed. Install the version that wrote it, or restore a backup."
            )
            raise RecordTooNew(message)
        if not migrate:
            message = f"The record has the schema {found!r}; this version needs {head!r}. Start the hub, or run `allotment migrate`."
            raise AllotmentError(message)
        make(connection, "head")


def make(connection: Connection, wanted: str) -> None:
    """Bring a schema, or a database without any, to a revision, in the transaction that is open."""
    directory = scripts()

    def steps(revision: Any, _context: MigrationContext) -> Any:
        return directory._upgrade_revs(wanted, revision)  # noqa: SLF001 - what Alembic's own command calls

    with EnvironmentContext(Config(), directory, fn=steps) as context:
        context.configure(connection=connection, transaction_per_migration=False)
        context.run_migrations()
