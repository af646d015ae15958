"""What revoking a profile and revoking an instance type have in common."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

import typer

from allotment.cli.ending import Misused
from allotment.cli.output import Output
from allotment.cli.tables import server_name
from allotment.model.amounts import counted
from allotment.model.documents import Server


def agree_to_revoke(out: Output, name: str, holding: Sequence[Server]) -> None:
    """Say whose servers end, and ask.

    Raises:
        Misused: nobody can be asked.
        typer.Abort: the answer was no.
    """
    if not sys.stdin.isatty():
        message = "Revoking ends what runs in these servers.\nNobody can be asked here: say --yes."
        raise Misused(message)
    list_servers(out, holding)
    number = counted(len(holding), "server")
    typer.confirm(f"Revoke {name} and stop {number}? What runs there ends.", abort=True, err=True)


def list_servers(out: Output, holding: Iterable[Server]) -> None:
    """Say each server with its devices and its state."""
    for server in holding:
        devices = counted(len(server.devices), "device")
        out.say(f"  {server_name(server)}: {devices}, {server.state}")
