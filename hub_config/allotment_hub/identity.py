"""Which hub this is, of all that may have its name: no two of one name serve from one record."""

from __future__ import annotations

import atexit
import os
import secrets
import signal
import sys
from typing import Any

from allotment.model.refusals import SettingsInvalid
from allotment.record import Record, open_record
from allotment.settings import Settings
from allotment.work.hub_names import HubName, HubNameTaken, SignsOfLife
from allotment_hub.launch.place import Place


def identity_of(settings: Settings, place: Place) -> str:
    """What stays the same when this hub starts again, and tells it from another one of its name.

    With a control plane in a place of its own it follows from the token that both know, for the hub
    of a cluster keeps no file; else it was drawn at the first start.

    Raises:
        SettingsInvalid: the token cannot be read.
    """
    if settings.control_plane is not None:
        try:
            return settings.control_plane.identity()
        except (OSError, ValueError) as error:
            where = settings.where(("control_plane",))
            raise SettingsInvalid((f"{where}: the token cannot be read: {error}",)) from error
    return _kept(place)


def _kept(place: Place) -> str:
    if not place.identity.exists():
        beside = place.identity.with_suffix(".new")
        beside.touch(mode=0o600)
        beside.write_text(f"{secrets.token_hex(20)}\n")
        beside.replace(place.identity)
    return place.identity.read_text().strip()


def refuse_second(record: Record, settings: Settings, identity: str) -> None:
    """Refuse to go on where another hub of this name runs. Blocks for up to a minute if one was killed elsewhere.

    Raises:
        SettingsInvalid: another one runs.
        RecordUnavailable: the record does not answer.
    """
    try:
        HubName(record, settings.hub, identity).wait_until_free()
    except HubNameTaken as taken:
        raise SettingsInvalid((f"{settings.where(('hub',))}: {taken}",)) from taken


def serve_as(app: Any, record_url: str, name: str, identity: str) -> None:
    """Take the name for this process, which is about to serve, and say from now on that it runs.

    Where the name becomes another process's, this one ends and leaves its servers.

    Raises:
        SystemExit: another hub has taken it in this moment.
    """
    record = open_record(record_url)
    mine = HubName(record, name, identity)
    try:
        mine.take()
    except HubNameTaken as taken:
        record.close()
        sys.stderr.write(f"The hub cannot start.\n{taken}\n")
        raise SystemExit(2) from None

    def lost() -> None:
        app.cleanup_servers = False  # they are the other's now
        os.kill(os.getpid(), signal.SIGTERM)

    signs = SignsOfLife(mine, lost)
    signs.start()
    atexit.register(signs.end)
