"""Commands about profiles: what is offered, who holds it, and taking it back."""

from __future__ import annotations

from typing import Annotated

import typer

from allotment.cli.options import Json, Url, Yes, control_plane
from allotment.cli.output import Output
from allotment.cli.revoking import agree_to_revoke, list_servers
from allotment.cli.stopping import exit_where_one_goes_on, show_outcomes
from allotment.model.amounts import counted
from allotment.model.documents import Profile
from allotment.model.money import price_words

ProfileName = Annotated[str, typer.Argument(metavar="PROFILE", help="The profile's name.")]


def add_to(app: typer.Typer) -> None:
    """Add these commands to the program."""
    app.command()(profiles)
    app.command()(enable)
    app.command()(disable)
    app.command()(revoke)


def profiles(url: Url = None, as_json: Json = False) -> None:
    """List profiles: what can be launched, how many servers hold each, and what replaces it."""
    out = Output(as_json=as_json)
    with control_plane(url) as client:
        found = client.profiles.all()
    if as_json:
        out.document(found)
        return
    out.table(
        (
            "Profile",
            "Title",
            "#Devices",
            "Per hour",
            "Software",
            "#Held by",
            "State",
            "Replaced by",
        ),
        [
            (
                one.name,
                one.title,
                one.devices,
                "" if one.price is None else price_words(one.price),
                ", ".join(each.name for each in one.software),
                one.servers,
                _state(one),
                one.successor or "",
            )
            for one in found.items
        ],
        empty="There is no profile that you may see.",
    )


def _state(profile: Profile) -> str:
    if profile.problem:
        return "file broken" if profile.offered else "not offered"
    if profile.retired:
        return "withdrawn"
    return "offered" if profile.enabled else "disabled"


def enable(name: ProfileName, url: Url = None, as_json: Json = False) -> None:
    """Offer a profile to new servers again."""
    out = Output(as_json=as_json)
    with control_plane(url) as client:
        before = client.profiles.get(name)
        found = client.profiles.set_enabled(name, True, revision=before.revision)
    if as_json:
        out.document(found)
    out.say(f"{name} is offered again." if found.offered else f"{name} is enabled.")


def disable(name: ProfileName, url: Url = None, as_json: Json = False) -> None:
    """Offer a profile no longer. Servers that hold it keep it, and are listed."""
    out = Output(as_json=as_json)
    with control_plane(url) as client:
        before = client.profiles.get(name)
        found = client.profiles.set_enabled(name, False, revision=before.revision)
        holding = client.servers.all(profile=name, active=True).items
    if as_json:
        out.document(found)
        return
    out.say(f"{name} is no longer offered.")
    if holding:
        keep = "keeps" if len(holding) == 1 else "keep"
        out.say(f"{counted(len(holding), 'server')} {keep} it:")
        list_servers(out, holding)
        out.say(f"To take it from them at once: allotment revoke {name} --reason …")


def revoke(
    name: ProfileName,
    reason: Annotated[str, typer.Option("--reason", "-r", help="Why. It reaches their users.")],
    yes: Yes = False,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Disable a profile and stop every server that holds it, at once.

    Exit status 1 where one of them could not be stopped.
    """
    out = Output(as_json=as_json)
    with control_plane(url) as client:
        holding = client.servers.all(profile=name, active=True).items
        if not yes:
            agree_to_revoke(out, name, holding)
        done = client.profiles.revoke(name, reason)
    if as_json:
        out.document(done)
    else:
        out.say(f"{name} is no longer offered.")
        show_outcomes(out, holding, done.outcomes)
    exit_where_one_goes_on(done.outcomes)
