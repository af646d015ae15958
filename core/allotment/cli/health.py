"""Commands about the platform itself: how each part is, which version it is, what is new."""

from __future__ import annotations

from typing import Annotated

import typer

from allotment.cli.options import Json, Url, control_plane
from allotment.cli.output import Output, ago
from allotment.model.documents import HealthReport

_STATES = {
    "ok": "well",
    "off": "off",
    "unknown": "not known",
    "warning": "look",
    "failing": "fails",
}


def add_to(app: typer.Typer) -> None:
    """Add these commands to the program."""
    for command in (health, about):
        app.command()(command)


def health(url: Url = None, as_json: Json = False) -> None:
    """Say how each part of the platform is: hub, proxy, control planes, record, backup, inventory, mail, disk."""
    out = Output(as_json=as_json)
    with control_plane(url) as client:
        report = client.parts()
    if as_json:
        out.document(report)
        return
    show_parts(out, report)
    for part in report.items:
        for line in part.details:
            out.say(f"{part.title}: {line}", "dim")


def show_parts(out: Output, report: HealthReport, *, title: str = "") -> None:
    """The parts as a table."""
    out.table(
        ("Part", "State", "How it is", "Well"),
        (
            (part.title, _STATES[part.state], part.says, f"{ago(part.at)} ago" if part.at else "")
            for part in report.items
        ),
        empty="No part is known.",
        title=title,
    )


def about(
    news: Annotated[bool, typer.Option("--news", help="All that is new, too.")] = False,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Say which platform this is: version, licence, whom servers are protected from; with --news what is new."""
    out = Output(as_json=as_json)
    with control_plane(url) as client:
        found = client.about()
        releases = client.news().items if news else ()
    if as_json:
        said = found.model_dump(mode="json")
        out.document(said | {"news": [one.model_dump(mode="json") for one in releases]})
        return
    out.say(f"Allotment {found.version}, hub {found.hub}, record in {found.record}", "bold")
    out.say(f"Licence: {found.licence}. Open use needs no licence key.")
    out.say(f"Running since {found.started_at:%Y-%m-%d %H:%M} UTC.")
    out.say(found.trust)
    for release in releases:
        out.say(f"\n{release.version}, {release.released}", "bold")
        if release.introduction:
            out.say(release.introduction)
        for section in release.sections:
            out.say(section.title, "bold")
            for note in section.notes:
                out.say(f"- {note}")
