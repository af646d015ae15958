"""The command about software: which versions profiles name, and which servers run older ones."""

from __future__ import annotations

import typer

from allotment.cli.options import Json, Url, control_plane
from allotment.cli.output import Output, ago
from allotment.model.documents import Software


def add_to(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command()(software)


def software(url: Url = None, as_json: Json = False) -> None:
    """List the software of profiles with its versions, and how many servers run which."""
    out = Output(as_json=as_json)
    with control_plane(url) as client:
        found = client.software.all()
    if as_json:
        out.document(found)
        return
    out.table(
        ("Profile", "Software", "Version", "Published", "#Servers", "#Behind", "Update by"),
        [_row(one) for one in found.items],
        empty="No profile is published.",
    )


def _row(one: Software) -> tuple[object, ...]:
    published = one.releases[0].published_at if one.releases else None
    return (
        one.profile,
        one.title if one.software else "",
        one.version,
        "" if published is None else f"{ago(published)} ago",
        one.current + len(one.behind),
        len(one.behind),
        "" if one.update_by is None else f"{one.update_by:%Y-%m-%d %H:%M} UTC",
    )
