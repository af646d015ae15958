"""Trying to write to a SQLite file with the rights that servers on this machine have."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import sqlite3
import stat
from pathlib import Path
from urllib.parse import quote

from allotment.data.kinds.attempts import Attempts
from allotment.data.kinds.connections import spoken

_DENIED = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
_BESIDE = ("-wal", "-shm", "-journal")
"""What SQLite takes for a part of the database."""


def attempt_writes(place: Path) -> Attempts:
    """Try to open the file for writing, to write by SQLite, and to exchange it for another.

    Servers on this machine share the platform's system account, so they could do what it can.
    """
    attempts = Attempts()
    _open_for_writing(attempts, place)
    for ending in _BESIDE:
        beside = place.with_name(place.name + ending)
        if beside.exists():
            _open_for_writing(attempts, beside)
    if not attempts.possible:
        _create_table(attempts, place)
    _make_beside(attempts, place)
    _read_ownership(attempts, place)
    attempts.remark("tried with the rights of the platform's system account")
    return attempts


def _open_for_writing(attempts: Attempts, file: Path) -> None:
    what = f"open {file} for writing"
    try:
        os.close(os.open(file, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC))
    except OSError as error:
        _judge(attempts, what, error)
    else:
        attempts.succeeded(what)


def _create_table(attempts: Attempts, place: Path) -> None:
    """Only where the file cannot be opened for writing: else a transaction would touch it."""
    what = "create a table"
    made = f"allotment_proof_{secrets.token_hex(6)}"
    address = f"file:{quote(str(place))}?mode=rw"
    try:
        with contextlib.closing(
            sqlite3.connect(address, uri=True, isolation_level=None)
        ) as writing:
            writing.execute("BEGIN")
            writing.execute(f"CREATE TABLE {made} (id)")
            writing.execute("ROLLBACK")
    except sqlite3.Error as error:
        if error.sqlite_errorcode & 0xFF in {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN}:
            attempts.refused(what)
        else:
            attempts.undecided(what, spoken(error, ()))
    else:
        attempts.succeeded(what)


def _make_beside(attempts: Attempts, place: Path) -> None:
    """A file beside it may be taken for its journal, and who may rename here may exchange it."""
    what = f"make a file in {place.parent}"
    made = place.parent / f".allotment-proof-{secrets.token_hex(6)}"
    try:
        os.close(os.open(made, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600))
    except OSError as error:
        _judge(attempts, what, error)
    else:
        made.unlink()
        attempts.succeeded(what)


def _read_ownership(attempts: Attempts, place: Path) -> None:
    """Who owns something may give themselves the right to write to it."""
    me = os.geteuid()
    for one in (place, *place.parents):
        if one.stat().st_uid == me:
            attempts.holds(f"change the rights of {one}, which the platform's system account owns")
    for child, folder in zip(
        (place.parent, *place.parent.parents), place.parent.parents, strict=False
    ):
        if os.access(folder, os.W_OK | os.X_OK, effective_ids=True) and not _is_sticky(
            folder, child
        ):
            attempts.holds(f"exchange {child} for another folder")


def _is_sticky(folder: Path, child: Path) -> bool:
    """Whether only owners may rename what lies in a folder, and the child's owner is another."""
    mode = folder.stat()
    me = os.geteuid()
    return bool(mode.st_mode & stat.S_ISVTX) and me not in {0, mode.st_uid, child.stat().st_uid}


def _judge(attempts: Attempts, what: str, error: OSError) -> None:
    if error.errno in _DENIED:
        attempts.refused(what)
    else:
        attempts.undecided(what, os.strerror(error.errno or 0))
