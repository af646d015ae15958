"""The command that stops servers."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import Annotated

import typer

from allotment.cli.ending import Exit, Misused
from allotment.cli.options import Json, Url, Yes, control_plane
from allotment.cli.output import Output
from allotment.cli.tables import server_name, show_reasons
from allotment.model.amounts import counted
from allotment.model.documents import Server, ServerOutcome
from allotment.model.refusals import NotFound

_STOPPED = frozenset({"stopping", "stopped", "not-running", "later"})


def add_to(app: typer.Typer) -> None:
    """Add this command to the program."""
    app.command()(stop)


def stop(
    names: Annotated[
        list[str],
        typer.Argument(
            metavar="SERVER...",
            help="PERSON for a person's default server, PERSON/NAME for a named one, or a server's id.",
        ),
    ],
    reason: Annotated[
        str, typer.Option("--reason", "-r", help="Why. It reaches the servers' users.")
    ] = "",
    yes: Yes = False,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Stop servers. What runs in them ends; their files stay.

    Exit status 1 where one of them could not be stopped.
    """
    out = Output(as_json=as_json)
    with control_plane(url) as client:
        chosen = _chosen(client.servers.all(active=True).items, names)
        if not yes:
            _confirm(out, chosen)
        outcomes = client.servers.stop([server.id for server in chosen], reason)
    if as_json:
        out.document(outcomes)
    else:
        show_outcomes(out, chosen, outcomes.outcomes)
    exit_where_one_goes_on(outcomes.outcomes)


def _chosen(running: Sequence[Server], names: Sequence[str]) -> tuple[Server, ...]:
    """The servers that names mean, each once.

    Raises:
        NotFound: nothing of that name runs, or it may not be seen.
    """
    by_name: dict[str, Server] = {}
    for server in running:
        by_name.setdefault(server_name(server), server)
        by_name[server.id] = server
    for name in names:
        if name not in by_name:
            what = "running server"
            raise NotFound(what, name)
    return tuple({by_name[name].id: by_name[name] for name in names}.values())


def _confirm(out: Output, chosen: Sequence[Server]) -> None:
    if not sys.stdin.isatty():
        message = "Stopping ends what runs in these servers.\nNobody can be asked here: say --yes."
        raise Misused(message)
    for server in chosen:
        devices = counted(len(server.devices), "device")
        out.say(f"  {server_name(server)}: {server.size_words}, {devices}")
    typer.confirm(
        f"Stop {counted(len(chosen), 'server')}? What runs there ends.", abort=True, err=True
    )


def show_outcomes(out: Output, chosen: Sequence[Server], outcomes: Sequence[ServerOutcome]) -> None:
    """Say of each server what became of it."""
    names = {server.id: server_name(server) for server in chosen}
    for one in outcomes:
        note = f": {one.note}" if one.note else ""
        out.say(f"{names.get(one.server, one.server)} {_WORDS.get(one.outcome, one.outcome)}{note}")
        show_reasons(out, one.reasons)


def exit_where_one_goes_on(outcomes: Iterable[ServerOutcome]) -> None:
    """End with status 1 where a server could not be stopped.

    Raises:
        typer.Exit: one could not.
    """
    if any(one.outcome not in _STOPPED for one in outcomes):
        raise typer.Exit(Exit.REFUSED)


_WORDS = {
    "stopping": "is stopping",
    "stopped": "is stopped",
    "not-running": "does not run",
    "running": "still runs",
    "refused": "was not stopped",
    "later": "will be stopped when the hub answers again",
}
