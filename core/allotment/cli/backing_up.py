"""Commands for the record as a whole: backup, restore, migrate. For the person who runs the machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from allotment.cli.ending import Misused
from allotment.cli.options import (
    Json,
    RecordAddress,
    SettingsFile,
    StateFolder,
    needs_a_hubs_parts,
    record_url,
)
from allotment.cli.output import Output
from allotment.model.amounts import counted
from allotment.model.reasons import Reason, Rule
from allotment.model.refusals import Refusal
from allotment.settings import Settings, load_settings

if TYPE_CHECKING:
    from allotment.record import Record
    from allotment.record.copying import Sum

DEFAULT_STATE = Path("state")
BackupFile = Annotated[Path, typer.Argument(metavar="FILE", help="The file of the backup.")]


def add_to(app: typer.Typer) -> None:
    """Add these commands to the program."""
    for command in (backup, restore, migrate):
        app.command()(command)


def address_of(record: str | None, settings: Path | None, state: Path) -> str:
    """The record that is named, else that of the settings, else record.sqlite in the state folder."""
    if record is not None:
        return record_url(record)
    said = Settings() if settings is None else load_settings(settings, state)
    return said.record.replace("{state}", str(state.resolve()))


def backup(
    file: BackupFile,
    record: RecordAddress = None,
    settings: SettingsFile = None,
    state: StateFolder = DEFAULT_STATE,
    as_json: Json = False,
) -> None:
    """Write the whole record to a new file, as it is at one moment; the hub may run.

    Keep the file as you keep passwords, and the keys of secrets apart from it.
    """
    with needs_a_hubs_parts():
        from allotment.cli import offline  # noqa: PLC0415 - these commands need a database
        from allotment.record import backups  # noqa: PLC0415 - likewise
    with offline.opened(address_of(record, settings, state)) as opened:
        found = backups.backup(opened, file)
        offline.note_backup(opened, found.number)
    _tell(Output(as_json=as_json), found, f"written to {file}, and read back")


def restore(
    file: BackupFile,
    record: RecordAddress = None,
    settings: SettingsFile = None,
    state: StateFolder = DEFAULT_STATE,
    as_json: Json = False,
) -> None:
    """Make a record of a backup: in an empty database, or a file that is not there yet.

    A backup of an earlier version is brought to this version's schema.
    """
    with needs_a_hubs_parts():
        from allotment.record import backups  # noqa: PLC0415 - these commands need a database
    found = backups.restore(file, address_of(record, settings, state))
    _tell(Output(as_json=as_json), found, "restored, and found as they were")


def migrate(
    record: RecordAddress = None,
    settings: SettingsFile = None,
    state: StateFolder = DEFAULT_STATE,
    to: Annotated[
        str | None,
        typer.Option(
            "--to",
            metavar="URL",
            help="Copy the record to this empty database, such as PostgreSQL.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Bring the record's schema up to date, or copy the record to another database; the hub must not run."""
    with needs_a_hubs_parts():
        from allotment.cli import offline  # noqa: PLC0415 - these commands need a database
        from allotment.record import copying  # noqa: PLC0415 - likewise
    out = Output(as_json=as_json)
    with offline.opened(address_of(record, settings, state), migrate=True) as opened:
        if to is None:
            out.say("The record's schema is up to date.")
            return
        if "://" not in to:
            message = f"{to!r} is no address of a database.\nGive one such as postgresql://me@host/allotment"
            raise Misused(message)
        _refuse_while_worked_on(opened)
        layout = copying.Layout.now()
        with opened.reading() as reading:
            rows = copying.rows_of(reading.connection, layout)
            found = copying.fill(to, layout, rows)
    _tell(out, found, "copied, and found as they were")
    out.say("Name the new database in the settings (record:), and start the hub.")


def _refuse_while_worked_on(opened: Record) -> None:
    from allotment.record import hubs, leases  # noqa: PLC0415 - these commands need a database
    from allotment.work.holders import known_to_be_gone  # noqa: PLC0415 - likewise

    with opened.reading() as reading:
        running = (one.holder for one in hubs.seen(reading) if one.rest)
        holders = (*leases.holders(reading, "work:"), *running)
    if any(not known_to_be_gone(one) for one in holders):
        message = "A hub or its control plane works on this record now, and what it writes would be left behind."
        remedy = "Stop the hub; where its machine has failed, wait a minute."
        raise Refusal(Reason(Rule.REQUEST, message, remedy=remedy))


def _tell(out: Output, found: Sum, what: str) -> None:
    if out.as_json:
        out.document(found.document())
    tables = counted(len(found.rows), "table")
    out.say(f"{counted(found.number, 'row')} of {tables} {what}.", "bold")
