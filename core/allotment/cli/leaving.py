"""The command that lets a person go."""

from __future__ import annotations

from typing import Annotated

import typer

from allotment.cli.agreeing import agree
from allotment.cli.options import Json, Url, Yes, control_plane
from allotment.cli.output import Output


def add_to(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command()(leave)


def leave(
    person: Annotated[str, typer.Argument(help="Who leaves.")],
    heir: Annotated[
        str | None,
        typer.Option(help="Who gets the home, and what was registered; left out, it is kept."),
    ] = None,
    reason: Annotated[str, typer.Option(help="Why; it stays in the record.")] = "",
    preview: Annotated[bool, typer.Option("--preview", help="Only say what it would end.")] = False,
    yes: Yes = False,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Let a person go: sign-in, servers, tickets, tokens and data end at once; the record stays.

    What it ends is shown first.
    """
    out = Output(as_json=as_json)
    with control_plane(url) as client:
        found = client.users.foresee_leaving(person, heir=heir)
        if not preview and found.left_at is None:
            if not yes:
                _say(out, found.words)
                agree(f"Let {person} go?")
            found = client.users.let_go(person, reason=reason, heir=heir)
    if as_json:
        out.document(found)
        return
    _say(out, found.words)


def _say(out: Output, lines: tuple[str, ...]) -> None:
    for line in lines:
        out.say(line)
