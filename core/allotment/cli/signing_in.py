"""Commands about how people sign in: what is active, a look at the provider, another secret of its client."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from allotment.cli.agreeing import agree
from allotment.cli.backing_up import DEFAULT_STATE, address_of
from allotment.cli.ending import Misused
from allotment.cli.options import (
    Json,
    RecordAddress,
    SettingsFile,
    StateFolder,
    Url,
    Yes,
    control_plane,
    needs_a_hubs_parts,
)
from allotment.cli.output import Output, ago
from allotment.model.documents import ClientSecret, SignInLook, SignInState
from allotment.settings import load_settings

app = typer.Typer(
    help="How people sign in, and the client of the company's provider.", no_args_is_help=True
)


def add_to(program: typer.Typer) -> None:
    """Add these commands to the program."""
    program.add_typer(app, name="sign-in")


@app.command()
def show(url: Url = None, as_json: Json = False) -> None:
    """Show what is active: the provider, its client, groups, emergency accounts, and when it was last found good."""
    with control_plane(url) as client:
        _tell(client.sign_on.state(), as_json=as_json)


@app.command()
def check(url: Url = None, as_json: Json = False) -> None:
    """Have the hub ask its provider all that can be asked without a person. It may take a minute."""
    with control_plane(url) as client:
        found = client.sign_on.check()
    _tell(found, as_json=as_json)
    if any(one.state != "good" for one in found.hubs):
        raise typer.Exit(1)


@app.command("replace-secret")
def replace_secret(
    file: Annotated[
        Path | None,
        typer.Option("--from", metavar="FILE", help="Read it from a file; - is standard input."),
    ] = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Give another secret of the hub's client. It is tried first, and used by every hub from then on."""
    secret = _secret(file)
    with control_plane(url) as client:
        found = client.sign_on.replace_secret(secret)
    _tell(found, as_json=as_json)


@app.command("withdraw-secret")
def withdraw_secret(
    context: typer.Context,
    yes: Yes = False,
    url: Url = None,
    record: RecordAddress = None,
    settings: SettingsFile = None,
    state: StateFolder = DEFAULT_STATE,
    as_json: Json = False,
) -> None:
    """Forget the secret that was given, and go back to that of the settings, where the provider takes it.

    With --settings on the record itself: the hub need not run, and its next start tries that of the settings.
    """
    # A variable may name the settings for other commands: where a hub is named too, it is asked.
    source = context.get_parameter_source("settings")
    named = source is not None and source.name == "COMMANDLINE"
    if record is not None or (settings is not None and (named or not url)):
        _withdraw_offline(record, settings, state, yes=yes, out=Output(as_json=as_json))
        return
    with control_plane(url) as client:
        if not yes:
            agree(_WITHDRAW)
        found = client.sign_on.withdraw_secret()
    _tell(found, as_json=as_json)


_WITHDRAW = "Forget the secret that an operator gave, and use that of the settings?"


def _withdraw_offline(
    record: str | None, settings: Path | None, state: Path, *, yes: bool, out: Output
) -> None:
    """Forget the secret in the record itself. Nothing is tried: it is hubs that ask the provider.

    Raises:
        Misused: no settings are named, which say of which client; or there is no record.
    """
    with needs_a_hubs_parts():
        from allotment.cli import offline  # noqa: PLC0415 - this needs a database
        from allotment.record import sign_in  # noqa: PLC0415 - likewise
    if settings is None:
        message = "Of which client? The settings say it.\nName them: --settings FILE"
        raise Misused(message)
    said = load_settings(settings, state).sign_in
    with offline.opened(address_of(record, settings, state)) as opened:
        if not yes:
            agree(_WITHDRAW)
        with opened.writing(offline.whoever_asks(), datetime.now(UTC)) as writing:
            gone = sign_in.withdraw_secret(writing, said.provider_issuer, said.client_id or "")
    if out.as_json:
        out.document({"withdrawn": gone})
        return
    out.say(
        "Forgotten. Hubs use the secret of the settings."
        if gone
        else "Nobody had given one: hubs use the secret of the settings."
    )


def _secret(file: Path | None) -> str:
    """The secret as it is typed without being shown, or read: never from the command line, which others can see.

    Raises:
        Misused: nobody can be asked.
    """
    if file is not None:
        text = sys.stdin.read() if str(file) == "-" else file.read_text()
        return text.strip()
    if not sys.stdin.isatty():
        message = "Nobody can be asked for the secret here.\nGive a file: --from FILE, or --from - for standard input."
        raise Misused(message)
    asked: str = typer.prompt("The new secret", hide_input=True, err=True)
    return asked.strip()


def _tell(found: SignInState, *, as_json: bool) -> None:
    out = Output(as_json=as_json)
    if as_json:
        out.document(found)
        return
    for name, value in _facts(found):
        out.say(f"{name:<14}{value}")
    if found.groups:
        out.table(
            ("Group there", "Means here"),
            [(one.name, one.meaning) for one in found.groups],
            empty="",
        )
    for one in found.hubs:
        out.say(_sentence(one))
        for line in (*one.problems, *one.notes):
            out.say(f"  {line}")
    out.say(found.fixed)


def _facts(found: SignInState) -> Iterator[tuple[str, str]]:
    yield "Kind", found.kind
    if found.issuer is not None:
        yield "Provider", found.issuer
        yield "Client", found.client_id or ""
    yield "Operators", ", ".join(found.operators) or "those of a group of the provider"
    if found.emergency_accounts:
        names = (
            one.name if one.password_changed_at else f"{one.name} (no password yet)"
            for one in found.emergency_accounts
        )
        yield "Emergencies", ", ".join(names)
    if found.client_secret is not None:
        yield "Secret", secret_words(found.client_secret)


def secret_words(secret: ClientSecret) -> str:
    """Where the client's secret comes from, in words."""
    if secret.replaced_at is None:
        return f"that of the settings, in {secret.settings}"
    return f"replaced by {secret.replaced_by} on {secret.replaced_at:%Y-%m-%d %H:%M} UTC"


def _sentence(one: SignInLook) -> str:
    words = {"good": "all is right", "wrong": "something is wrong", "away": "no answer"}
    when = f"looked {ago(one.at)} ago: {words[one.state]}"
    if one.state != "good":
        last = f"{ago(one.succeeded_at)} ago" if one.succeeded_at else "never"
        when = f"{when}; last found good {last}"
    return f"Hub {one.hub}: {when}. People come back to {one.callback}"
