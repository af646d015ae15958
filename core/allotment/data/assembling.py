"""Door and vault as the settings want them."""

from __future__ import annotations

import functools
import os
from collections.abc import Collection, Mapping
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from allotment.data import keys, vault
from allotment.data.door import Door
from allotment.data.vault import KeysWrong, Vault
from allotment.record import Record, platform
from allotment.settings.data import STATE
from allotment.settings.schema import Settings

KEYS = "data.key"
"""The file of keys in a hub's own folder, where the settings name no other."""
_BESIDE = ("", "-wal", "-shm", "-journal")
_DATABASE = 5432


def keys_place(settings: Settings, state: Path | None) -> Path | None:
    """The file of keys; None where a variable holds them, or there is no folder of the hub's."""
    if settings.data.keys_variable is not None:
        return None
    if settings.data.keys_file is not None:
        return settings.data.keys_file
    return None if state is None else state / KEYS


def read_vault(
    settings: Settings,
    state: Path | None,
    environment: Mapping[str, str] = os.environ,
) -> Vault:
    """The vault with the keys of the file or variable that the settings name.

    Raises:
        KeysWrong: they are not there, or are no keys.
    """
    accepts = settings.servers_apart or settings.data.accept_secrets
    name = settings.data.keys_variable
    if name is not None:
        if not environment.get(name):
            raise KeysWrong(
                f"The variable {name}, which holds the keys of the secrets (data.keys_variable in "
                "the settings), is not set."
            )
        return Vault(keys.read_keys(environment[name], f"The variable {name}"), accepts)
    place = keys_place(settings, state)
    if place is None:
        raise KeysWrong("The settings name no keys: set data.keys_file or data.keys_variable.")
    reread = functools.partial(keys.keys_of_file, place)
    return Vault(reread(), accepts, reread)


def open_vault(
    record: Record,
    settings: Settings,
    state: Path | None,
    now: datetime,
    environment: Mapping[str, str] = os.environ,
) -> Vault:
    """The vault of a record: at its first start a file with a new key is made, later other keys are refused.

    Raises:
        KeysWrong: the keys are missing, or are not those of this record's secrets.
    """
    place = keys_place(settings, state)
    with record.reading() as reading:
        first = platform.key_check(reading) is None
    if place is not None and first:
        keys.make_file(place)
    opened = read_vault(settings, state, environment)
    vault.meet(record, opened, "platform", now)
    return opened


def door_of(
    settings: Settings,
    *,
    state: Path | None,
    ports: Collection[int] = (),
    endpoints: Collection[tuple[str, int | None]] = (),
) -> Door:
    """The door that the settings describe: closed to the record, the hub's folder, the settings and the keys.

    ``ports`` are those of hub, proxy and control plane on this machine; ``endpoints`` where else the
    platform itself is reached.
    """
    roots = tuple(one for one in settings.data.roots if STATE not in one.parts)
    for root in roots:
        if state is not None and root.is_relative_to(state):
            root.mkdir(parents=True, exist_ok=True)
    own = [state, settings.file, keys_place(settings, state), *_files_of_record(settings.record)]
    return Door(
        roots=roots,
        networks=settings.data.allowed,
        forbidden_paths=tuple(one for one in own if one is not None),
        forbidden_ports=frozenset(ports),
        forbidden_endpoints=(*endpoints, *_host_of_record(settings.record)),
    )


def _files_of_record(address: str) -> tuple[Path, ...]:
    parts = urlsplit(address)
    if parts.scheme != "sqlite" or STATE in address:
        return ()
    path = address.removeprefix("sqlite:///")
    return tuple(Path(f"{path}{end}") for end in _BESIDE)


def _host_of_record(address: str) -> tuple[tuple[str, int | None], ...]:
    parts = urlsplit(address)
    if not parts.scheme.startswith("postgres") or not parts.hostname:
        return ()
    return ((parts.hostname, parts.port or _DATABASE),)
