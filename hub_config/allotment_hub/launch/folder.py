"""The folder of one hub: made, protected, and given to one hub at a time."""

import fcntl
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager

from allotment_hub.launch.place import Place
from allotment_hub.launch.ports import read_known

LOG_LIMIT = 20_000_000
"""Bytes after which a log is put aside at the next start."""


class FolderInUseError(Exception):
    """Another hub runs in this folder; the message names it."""


def prepare(place: Place) -> str:
    """Make the folder and what must be in it before the hub starts.

    Returns:
        A warning for the person who starts the hub, or an empty string.
    """
    place.state.mkdir(mode=0o700, parents=True, exist_ok=True)
    place.homes.mkdir(exist_ok=True)
    place.logs.mkdir(exist_ok=True)
    # JupyterHub would make its database readable for everyone.
    place.hub_database.touch(mode=0o600)
    if not place.proxy_token.exists():
        place.proxy_token.touch(mode=0o600)
        place.proxy_token.write_text(secrets.token_hex(32) + "\n")
    if place.state.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        return f"Others on this machine can look into {place.state}: chmod 700 it."
    return ""


@contextmanager
def held(place: Place) -> Iterator[None]:
    """Hold the folder for this process, and say so in ``hub.pid``; the system lets go at its end.

    Raises:
        FolderInUseError: another hub holds it.
    """
    place.state.mkdir(mode=0o700, parents=True, exist_ok=True)
    with place.lock.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise FolderInUseError(_who_holds(place)) from None
        place.pid.write_text(f"{os.getpid()}\n")
        try:
            yield
        finally:
            place.pid.unlink(missing_ok=True)


def _who_holds(place: Place) -> str:
    known = read_known(place.known_ports)
    address = f" at http://127.0.0.1:{known.public}" if known else ""
    pid = place.pid.read_text().strip() if place.pid.exists() else "unknown"
    return (
        f"A hub already runs in {place.state}: process {pid}{address}.\n"
        f"Stop it (kill {pid}), or give this one a folder and a port of its own: "
        "make hub STATE=another-folder PORT=8001"
    )


def open_log(place: Place) -> int:
    """File descriptor to which hub, proxy, control plane and servers write; appended to.

    What grew past a limit is put aside first, one generation.
    """
    file = place.logs / "hub.log"
    if file.exists() and file.stat().st_size > LOG_LIMIT:
        file.replace(place.logs / "hub.log.1")
    return os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
