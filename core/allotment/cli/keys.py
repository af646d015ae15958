"""Commands for the keys of secrets: for the person who runs the machine, on the record itself."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from allotment.cli.ending import Misused
from allotment.cli.options import Json, SettingsFile, StateFolder, Yes, needs_a_hubs_parts
from allotment.cli.output import Output
from allotment.model.amounts import counted
from allotment.settings import Settings, load_settings

if TYPE_CHECKING:
    from allotment.record import Record

app = typer.Typer(
    help="The keys with which secrets in the record are encrypted.", no_args_is_help=True
)
DEFAULT_STATE = Path("state")
_ACTOR = "command line"


def add_to(program: typer.Typer) -> None:
    """Add these commands to the program."""
    program.add_typer(app, name="keys")


@dataclass(frozen=True, slots=True)
class _Place:
    """A record, and the file of its keys (None: a variable holds them)."""

    record: Record
    settings: Settings
    state: Path
    file: Path | None


@contextmanager
def _opened(settings: Path | None, state: Path) -> Iterator[_Place]:
    with needs_a_hubs_parts():
        from allotment.cli import offline  # noqa: PLC0415 - these commands need a database
        from allotment.data.assembling import keys_place  # noqa: PLC0415 - likewise
    said = Settings() if settings is None else load_settings(settings, state)
    address = said.record.replace("{state}", str(state.resolve()))
    with offline.opened(address) as record:
        yield _Place(record, said, state, keys_place(said, state))


@app.command()
def new() -> None:
    """Print a new key, for a variable or a file of your own. Whoever has it can read the secrets."""
    with needs_a_hubs_parts():
        from allotment.data.keys import new_key  # noqa: PLC0415 - needs cryptography
    typer.echo(new_key().decode())


@app.command()
def show(
    settings: SettingsFile = None, state: StateFolder = DEFAULT_STATE, as_json: Json = False
) -> None:
    """Say where the keys are, by what each is known, and whether they are the record's. No key is shown."""
    out = Output(as_json=as_json)
    with _opened(settings, state) as place:
        from allotment.data import assembling, vault  # noqa: PLC0415 - these commands need a database
        from allotment.record import sealed_secrets  # noqa: PLC0415 - likewise

        keys = assembling.read_vault(place.settings, place.state)
        with place.record.reading() as reading:
            known = vault.check(reading, keys)
            number = sealed_secrets.count(reading)
    where = str(place.file or f"variable {place.settings.data.keys_variable}")
    if as_json:
        said = {"where": where, "keys": list(keys.fingerprints), "known": known, "secrets": number}
        out.document(said)
        return
    out.say(f"Keys in {where}:")
    for index, one in enumerate(keys.fingerprints):
        out.say(f"  {one}  {'encrypts' if index == 0 else 'decrypts'}")
    out.say(f"They are the record's; it holds {counted(number, 'secret')}." if known else _UNMET)


_UNMET = "The record has met no keys yet: the control plane does that at its first start."


@app.command()
def rotate(settings: SettingsFile = None, state: StateFolder = DEFAULT_STATE) -> None:
    """Encrypt every secret anew: with a new key in the file, or with the first key of the variable.

    A control plane that runs goes on. The key before stays in the file, after the new one, until the
    next time: what was written in the same moment was encrypted with it.
    """
    out = Output(as_json=False)
    with _opened(settings, state) as place:
        from allotment.data import assembling, keys, vault  # noqa: PLC0415 - these commands need a database

        before = assembling.read_vault(place.settings, place.state)
        with place.record.reading() as reading:
            vault.check(reading, before)
        after = before
        if place.file is not None:
            # Both are there before anything is encrypted with the new one.
            after = vault.Vault((keys.new_key(), *before.keys))
            keys.write_keys(place.file, after.keys)
        with place.record.writing(_ACTOR, datetime.now(UTC)) as writing:
            number = vault.rotate(writing, after)
        if place.file is not None:
            keys.write_keys(place.file, after.keys[:2])
    out.say(f"{counted(number, 'secret')} encrypted anew, with the key {after.fingerprints[0]}.")
    out.say("Back up the keys again, apart from the record." if place.file else _VARIABLE)


_VARIABLE = (
    "The other keys of the variable can be taken away once every control plane has started anew."
)


@app.command()
def forget(
    settings: SettingsFile = None, state: StateFolder = DEFAULT_STATE, yes: Yes = False
) -> None:
    """Take every secret out of the record, because its keys are lost, and start with new ones.

    Sources and targets stay, and their secrets are entered anew. Stop the hub first.
    """
    out = Output(as_json=False)
    with _opened(settings, state) as place:
        from allotment.data import assembling, keys, vault  # noqa: PLC0415 - these commands need a database
        from allotment.record import sealed_secrets  # noqa: PLC0415 - likewise

        with place.record.reading() as reading:
            number = sealed_secrets.count(reading)
        if not yes:
            _agree(number)
        if place.file is not None:
            keys.make_file(place.file)
        fresh = assembling.read_vault(place.settings, place.state)
        with place.record.writing(_ACTOR, datetime.now(UTC)) as writing:
            vault.forget(writing, fresh)
    out.say(f"{counted(number, 'secret')} forgotten. Enter them anew.")


def _agree(number: int) -> None:
    if not sys.stdin.isatty():
        message = "Forgetting secrets cannot be undone.\nNobody can be asked here: say --yes."
        raise Misused(message)
    typer.confirm(f"Forget {counted(number, 'secret')}? It cannot be undone.", abort=True, err=True)
