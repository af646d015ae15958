"""What a hub does before it serves anybody.

The record is opened and brought up to date, devices and profiles are taken in, what the settings
declare is made once, and everybody whom they name gets a first password.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

from allotment.data.assembling import open_vault
from allotment.record import Record, credentials, devices, open_record, people, sign_in
from allotment.record.cluster import AnotherCluster
from allotment.settings import Settings
from allotment.settings.catalogue import Catalogue
from allotment.settings.declare import apply_once
from allotment.settings.parts import Secrets
from allotment.settings.sign_on import LOCAL
from allotment.settings.sources import read_secrets
from allotment.work.observing import observer, take_in
from allotment_hub import passwords
from allotment_hub.identity import refuse_second

log = logging.getLogger(__name__)

ACTOR = "hub"
_NAMED = 10
"""People whom one line of the log names."""


def prepare_record(
    settings: Settings,
    first_passwords: Path | None,
    now: datetime,
    state: Path | None = None,
    *,
    identity: str = "",
) -> None:
    """Bring the record to where the hub can serve from it. Blocks; for the start, before the loop runs.

    ``first_passwords`` is the file for them; None: no file of this hub's lasts, so whoever runs it makes
    them with ``allotment password``. ``state`` is the folder in which the hub keeps the keys of secrets, where the settings name none.
    ``identity`` tells this hub from another one of its name, which may not run at the same time.

    Raises:
        RecordTooNew, RecordUnavailable: the record cannot be used.
        KeysWrong: sources are declared with secrets, and the keys are missing or not this record's.
        SettingsInvalid: the settings declare what cannot be made, or another hub of the name runs.
    """
    named = settings.sign_in.with_password(settings.declared_people)
    record = open_record(settings.record, migrate=True)
    try:
        if identity:
            refuse_second(record, settings, identity)
        if settings.control_plane is None:  # one that stands apart looks by itself, and may
            observe_devices(record, settings, now)
        Catalogue(settings.profiles).refresh(record, now)
        apply_once(record, settings, now, secrets_of(record, settings, state, now))
        with record.writing(ACTOR, now) as writing:
            credentials.confirm_for_good(writing, named)
            if settings.sign_in.kind == LOCAL:
                sign_in.forget_look(writing, settings.hub)
        if first_passwords is not None:
            give_first_passwords(record, named, first_passwords, now)
        else:
            name_without_password(record, named)
    finally:
        record.close()


def secrets_of(
    record: Record, settings: Settings, state: Path | None, now: datetime
) -> Secrets | None:
    """The secrets of declared sources, read where the settings say and encrypted; None where there are none.

    Raises:
        KeysWrong: the keys are missing, or are not this record's.
    """
    if not any(one.secrets for one in settings.sources):
        return None
    vault = open_vault(record, settings, state, now)
    return Secrets(read_secrets(settings.sources), vault.encrypt)


def observe_devices(record: Record, settings: Settings, now: datetime) -> None:
    """Take the devices into the record; what an earlier start knew otherwise is gone.

    Those of another cluster than the record counts are not taken in, and the hub starts: servers that run need it.
    """
    with record.reading() as reading:
        known = {device.id: device.uuid for device in devices.all_devices(reading)}
    looking = observer(settings, known)
    found = looking.observe()
    looking.close()
    if found.note:
        log.warning("%s", found.note)
    gone = () if settings.kubernetes is None else settings.kubernetes.gone_clusters
    try:
        with record.writing(ACTOR, now) as writing:
            take_in(writing, found, gone)
    except AnotherCluster as refused:
        log.warning("%s", refused)


def give_first_passwords(
    record: Record, names: tuple[str, ...], path: Path, now: datetime
) -> tuple[str, ...]:
    """Give a password to each of these people who is here and has none, and write it where the operator finds it.

    The file is written before the record: a start that ends in between gives new ones next time.
    Returns who got one.
    """
    without = _without_password(record, names)
    if not without:
        return ()
    given = {name: passwords.generated() for name in without}
    with ThreadPoolExecutor(2) as threads:
        hashes = dict(zip(given, threads.map(passwords.hashed, given.values()), strict=True))
    _write(path, _lines(path) | given)
    with record.writing(ACTOR, now) as writing:
        for name, hashed in hashes.items():
            credentials.set_password(writing, name, hashed, must_change=True)
    log.warning("First passwords for %s are in %s", ", ".join(without), path)
    return without


def name_without_password(record: Record, names: tuple[str, ...]) -> None:
    """Say in the log who cannot sign in yet, and how they can."""
    without = _without_password(record, names)
    if without:
        shown = ", ".join(without[:_NAMED]) + (" and others" if len(without) > _NAMED else "")
        log.warning(
            "No password yet: %s. Make one in the hub's pod: allotment password NAME", shown
        )


def _without_password(record: Record, names: tuple[str, ...]) -> tuple[str, ...]:
    """Who of these people is here and has no password."""
    with record.reading() as reading:
        known = {one.name for one in people.all_people(reading) if one.left_at is None}
        return tuple(
            name for name in names if name in known and credentials.get(reading, name) is None
        )


def _lines(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    lines = (line.partition(": ") for line in path.read_text().splitlines())
    return {name: password for name, separator, password in lines if separator}


def _write(path: Path, lines: Mapping[str, str]) -> None:
    """Write the file anew, readable by its owner only from its first byte on."""
    beside = path.with_name(f".{path.name}.new")
    beside.unlink(missing_ok=True)
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as stream:
        stream.writelines(f"{name}: {password}\n" for name, password in lines.items())
        stream.flush()
        os.fsync(stream.fileno())
    beside.replace(path)
