"""Commands for the configuration as a file: plan, apply, export."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Protocol

import typer

from allotment.cli.ending import Exit, Misused
from allotment.cli.options import (
    Json,
    RecordAddress,
    Url,
    Yes,
    control_plane,
    needs_a_hubs_parts,
    record_url,
)
from allotment.cli.output import Output
from allotment.client.configuration import DeclaredSecrets
from allotment.model.amounts import counted
from allotment.model.documents import ConfigurationChange, ConfigurationPlan
from allotment.model.refusals import Refusal
from allotment.settings import parse_settings
from allotment.settings.sources import read_secrets

File = Annotated[
    str, typer.Argument(metavar="FILE", help="The settings file; - reads standard input.")
]
Restore = Annotated[
    bool, typer.Option("--restore", help="Also undo what operators changed or deleted since.")
]
DEFAULT_STATE = Path("state")
_SIGNS = {"create": ("+", "green"), "change": ("~", "yellow"), "keep": ("=", "dim")}


class Configured(Protocol):
    """What can be exported, planned and applied: a platform through its API, or a record itself."""

    def export(self) -> str:
        """What is configured, as a settings file."""

    def plan(self, yaml: str, *, restore: bool = False) -> ConfigurationPlan:
        """What applying this file would change."""

    def apply(
        self, yaml: str, *, restore: bool = False, secrets: DeclaredSecrets | None = None
    ) -> ConfigurationPlan:
        """Apply a settings file: all of it or nothing. ``secrets`` are those that its sources need."""


def add_to(app: typer.Typer) -> None:
    """Add these commands to the program."""
    for command in (plan, apply, export):
        app.command()(command)


@contextmanager
def _configured(url: str | None, record: str | None) -> Iterator[Configured]:
    if record is None:
        with control_plane(url) as client:
            yield client.configuration
        return
    with needs_a_hubs_parts():
        from allotment.cli import offline  # noqa: PLC0415 - the only commands that need a database
    with offline.opened(record_url(record)) as opened:
        yield offline.OfflineConfiguration(opened)


def plan(
    file: File,
    restore: Restore = False,
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="End with status 1 where something would change.")
    ] = False,
    record: RecordAddress = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Say what applying a settings file would do. Nothing is changed."""
    out = Output(as_json=as_json)
    text = _read(file)
    with _configured(url, record) as configured, _called(file):
        found = configured.plan(text, restore=restore)
    _show(out, found, restore=restore)
    if exit_code and _todo(found):
        raise typer.Exit(Exit.REFUSED)


def apply(
    file: File,
    restore: Restore = False,
    yes: Yes = False,
    record: RecordAddress = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Make the platform as a settings file says: all of it, or nothing.

    What exists is left alone, and so is what operators changed since, unless --restore is given.
    Secrets of sources that are made are read here, from the variables and files that the file names.
    """
    out = Output(as_json=as_json)
    text = _read(file)
    with _configured(url, record) as configured, _called(file):
        planned = configured.plan(text, restore=restore)
        if not yes:
            if not _todo(planned):
                _show(out, planned, restore=restore)
                return
            _confirm(out, planned, restore=restore)
        applied = configured.apply(text, restore=restore, secrets=_secrets(file, text, planned))
    if yes or as_json:
        _show(out, applied, restore=restore)
    out.say(f"{counted(_todo(applied), 'change')} made.", "bold")


def export(
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write to this file, which must be new.")
    ] = None,
    record: RecordAddress = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Write what is configured as a settings file."""
    with _configured(url, record) as configured:
        text = configured.export()
    if output is not None:
        _write_new(output, text)
    elif as_json:
        Output(as_json=True).document({"yaml": text})
    else:
        typer.echo(text, nl=False)


def _read(file: str) -> str:
    """The text of a settings file, checked here so that problems name the file as it is called here.

    Raises:
        SettingsInvalid: it cannot be used.
        Misused: it cannot be read.
    """
    try:
        text = sys.stdin.read() if file == "-" else Path(file).read_text()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        message = f"{file} cannot be read: {reason}."
        raise Misused(message) from error
    parse_settings(text, "standard input" if file == "-" else file)
    return text


def _secrets(file: str, text: str, planned: ConfigurationPlan) -> dict[str, Mapping[str, str]]:
    """The secrets of the sources that will be made or led elsewhere, from where the file says they are.

    Raises:
        Refusal: one is not there; nothing was sent.
    """
    folder = Path() if file == "-" else Path(file).resolve().parent
    read = read_secrets(one.beside(folder) for one in parse_settings(text).sources)
    opened = (
        each.name
        for each in planned.changes
        if each.kind == "source" and each.action != "keep" and _leads_elsewhere(each)
    )
    return {name: found for name in opened for found in [read(name)] if found}


def _leads_elsewhere(change: ConfigurationChange) -> bool:
    fields = any(key.startswith("fields.") for key in change.after or {})
    return change.action == "create" or fields


@contextmanager
def _called(file: str) -> Iterator[None]:
    """Have refusals name the file as it is called here: whoever applies it knows it by no name."""
    try:
        yield
    except Refusal as refusal:
        name = "standard input" if file == "-" else file
        raise Refusal(
            *(
                replace(reason, message=_UNNAMED.sub(f"{name}:", reason.message, count=1))
                for reason in refusal.reasons
            )
        ) from refusal


_UNNAMED = re.compile(r"^(?:request|settings):(?=\d+:)")


def _write_new(path: Path, text: str) -> None:
    try:
        with path.open("x") as stream:
            stream.write(text)
    except OSError as error:
        message = f"{path} cannot be written: {error.strerror}."
        raise Misused(message) from error


def _todo(found: ConfigurationPlan) -> int:
    return sum(change.action != "keep" for change in found.changes)


def _show(out: Output, found: ConfigurationPlan, *, restore: bool) -> None:
    if out.as_json:
        out.document(found)
        return
    for change in found.changes:
        sign, style = _SIGNS[change.action]
        out.say(f"{sign} {change.sentence}", style)
    kept = len(found.changes) - _todo(found)
    if not found.changes:
        out.say("The platform is as the file says.")
    elif kept and not restore:
        out.say(
            f"{counted(kept, 'difference')} (=) left alone; --restore makes it as the file says."
        )


def _confirm(out: Output, planned: ConfigurationPlan, *, restore: bool) -> None:
    if not sys.stdin.isatty():
        message = "Nobody can be asked here.\nLook with `allotment plan`, then say --yes."
        raise Misused(message)
    _show(Output(as_json=False) if out.as_json else out, planned, restore=restore)
    typer.confirm(f"Make {counted(_todo(planned), 'change')}?", abort=True, err=True)
