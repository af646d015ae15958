"""Commands about people whom a provider knows: whose its accounts are, and what its groups mean."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from allotment.cli.agreeing import agree
from allotment.cli.options import Json, Url, Yes, control_plane
from allotment.cli.output import Output
from allotment.model.amounts import counted

Person = Annotated[str, typer.Argument(help="The person, by the name here.")]


def add_to(app: typer.Typer) -> None:
    """Add these commands to the program."""
    for command in (accounts, link, unlink, mapping):
        app.command()(command)


def accounts(person: Person, url: Url = None, as_json: Json = False) -> None:
    """Show by what providers know a person, in which of their groups, and how long their word holds."""
    out = Output(as_json=as_json)
    with control_plane(url) as client:
        found = client.users.accounts(person)
    if as_json:
        out.document(found)
        return
    out.table(
        ("Provider", "Subject", "Called there", "Confirmed"),
        [
            (one.issuer, one.subject, one.name, f"{one.confirmed_at:%Y-%m-%d %H:%M} UTC")
            for one in found.accounts
        ],
        empty=f"{person} has signed in through no provider.",
    )
    if found.groups:
        out.say(f"Groups there  {', '.join(found.groups)}")
    if found.confirmed_until is not None:
        out.say(f"Holds until   {found.confirmed_until:%Y-%m-%d %H:%M} UTC")


def link(
    person: Person,
    provider_name: Annotated[str, typer.Argument(help="What the provider calls them.")],
    yes: Yes = False,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Say that whoever the provider calls by a name is this person, at the next sign-in within a week."""
    out = Output(as_json=as_json)
    with control_plane(url) as client:
        if not yes:
            agree(
                f"Whoever the provider calls {provider_name} gets everything that {person} has. Go on?"
            )
        done = client.users.link(person, provider_name)
    if as_json:
        out.document(done)
        return
    out.say(
        f"{done.provider_name} is {done.person} at the next sign-in, until {done.until:%Y-%m-%d %H:%M} UTC."
    )


def unlink(person: Person, yes: Yes = False, url: Url = None) -> None:
    """Forget by what providers know a person. What their groups gave ends; they sign in anew."""
    out = Output(as_json=False)
    with control_plane(url) as client:
        if not yes:
            agree(f"Forget whose {person} is at providers?")
        client.users.unlink(person)
    out.say(f"No account of a provider is {person}'s any more.")


def mapping(
    file: Annotated[Path, typer.Argument(help="A settings file.", exists=True, dir_okay=False)],
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Show who would gain and lose what if a settings file's mapping of groups were in force.

    Nothing is changed: the mapping is in force when the hub has started with the file.
    """
    out = Output(as_json=as_json)
    with control_plane(url) as client:
        found = client.sign_on.foresee(file.read_text())
    if as_json:
        out.document(found)
        return
    out.table(
        ("", "Person", "What", "Name"),
        [("+" if one.gains else "-", one.person, one.kind, one.name) for one in found.changes],
        empty="Nobody would gain or lose anything.",
    )
    for note in found.notes:
        out.say(note)
    if found.changes:
        out.say(f"{counted(len(found.changes), 'change')} in all.")
