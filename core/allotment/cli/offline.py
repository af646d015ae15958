"""The record itself, without a control plane: for the person who runs the machine.

Needs what a hub needs; the other commands do without.
"""

from __future__ import annotations

import getpass
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from allotment.cli.ending import Misused
from allotment.client.configuration import DeclaredSecrets
from allotment.model.documents import ConfigurationChange, ConfigurationPlan
from allotment.record import Record, open_record, upkeep
from allotment.settings import declare, parse_settings
from allotment.settings.parts import Secrets


@contextmanager
def opened(url: str, *, migrate: bool = False) -> Iterator[Record]:
    """The record at an address.

    Raises:
        Misused: there is no such file.
        RecordTooNew, RecordUnavailable: the record cannot be used.
    """
    file = Path(url.removeprefix("sqlite:///"))
    if url.startswith("sqlite:") and not file.exists():
        message = f"There is no record {file}.\nStart the hub once, or name another: --record FILE"
        raise Misused(message)
    record = open_record(url, migrate=migrate)
    try:
        yield record
    finally:
        record.close()


def whoever_asks() -> str:
    """Who changes the record here: the system user, at this machine."""
    return f"{getpass.getuser()}@{socket.gethostname()}"[:128]


def note_backup(record: Record, rows: int) -> None:
    """Keep in the record that a backup of it was written, for those who look after it."""
    with record.writing(whoever_asks(), datetime.now(UTC), configuration=False) as writing:
        upkeep.note_backup(writing, rows)


class OfflineConfiguration:
    """The same as the client's ``configuration``, on the record itself."""

    def __init__(self, record: Record) -> None:
        self._record = record

    def export(self) -> str:
        """What is configured, as a settings file."""
        with self._record.reading() as reading:
            return declare.export(reading, datetime.now(UTC))

    def plan(self, yaml: str, *, restore: bool = False) -> ConfigurationPlan:
        """What applying this file would change."""
        with self._record.reading() as reading:
            changes = declare.plan(
                reading, parse_settings(yaml), now=datetime.now(UTC), restore=restore
            )
        return _document(changes, applied=False)

    def apply(
        self, yaml: str, *, restore: bool = False, secrets: DeclaredSecrets | None = None
    ) -> ConfigurationPlan:
        """Apply a settings file: all of it or nothing. The system user is who did it.

        A source with secrets is refused: their keys are known to hub and control plane only.
        """
        given = secrets or {}
        changes = declare.apply(
            self._record,
            parse_settings(yaml),
            actor=whoever_asks(),
            now=datetime.now(UTC),
            restore=restore,
            secrets=Secrets(lambda name: given.get(name, {})),
        )
        return _document(changes, applied=True)


def _document(changes: tuple[declare.Change, ...], *, applied: bool) -> ConfigurationPlan:
    return ConfigurationPlan(
        changes=tuple(
            ConfigurationChange(
                action=change.action,
                kind=change.kind,
                name=change.name,
                sentence=change.sentence,
                before=change.before,
                after=change.after,
                note=change.note,
            )
            for change in changes
        ),
        applied=applied,
    )
