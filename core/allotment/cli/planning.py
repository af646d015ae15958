"""The command that shows what was promised and used of every pool, against what is there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import typer

from allotment.cli.options import Json, Url, control_plane
from allotment.cli.output import Output
from allotment.model.documents import CapacityPlan, PlannedPool

_HEADS = ("Pool", "Group", "#Devices", "#Guaranteed", "#Ceiling", "#Held", "#Peak", "#Average", "")


def add_to(app: typer.Typer) -> None:
    """Add this command to the program."""
    app.command()(capacity)


def capacity(
    begin: Annotated[
        str | None, typer.Option("--from", metavar="DAY", help="From this day on; else 30 days.")
    ] = None,
    end: Annotated[
        str | None,
        typer.Option("--to", metavar="DAY", help="Up to this day's end; else until now."),
    ] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Write comma-separated values.")] = False,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Show the capacity plan: guarantees, ceilings, present use and peak of every pool."""
    out = Output(as_json=as_json)
    with control_plane(url) as client:
        if as_csv:
            typer.echo(client.planning.csv(begin=begin, end=end), nl=False)
            return
        found = client.planning.plan(begin=begin, end=end)
    if as_json:
        out.document(found)
        return
    out.table(_HEADS, list(_lines(found)), empty="There is no pool.")


def _lines(plan: CapacityPlan) -> Iterator[tuple[object, ...]]:
    for pool in plan.items:
        yield (
            pool.name,
            "in all",
            pool.available,
            pool.guaranteed,
            pool.ceilings,
            pool.held,
            pool.peak,
            f"{pool.average:,.1f}",
            _mark(pool),
        )
        for share in pool.shares:
            promised = (share.guaranteed, share.ceiling)
            used = (share.held, share.peak, f"{share.average:,.1f}", "")
            yield ("", share.group or "no group", "", *promised, *used)


def _mark(pool: PlannedPool) -> str:
    if pool.overcommitted:
        return f"{pool.fit.words} by {pool.overcommitted}"
    return pool.fit.words
