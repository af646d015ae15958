"""Commands about homes: what is kept, how long, and what was packed away."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from allotment.cli.agreeing import agree
from allotment.cli.options import Json, Url, Yes, control_plane
from allotment.cli.output import Output
from allotment.model.amounts import format_memory
from allotment.model.documents import Home, HomeArchive
from allotment.model.homes import ArchiveAsk, HomeEnd

HomeId = Annotated[str, typer.Argument(metavar="HOME", help="As `allotment homes` says.")]
ArchiveId = Annotated[
    str, typer.Argument(metavar="ID", help="As `allotment homes --archives` says.")
]


def add_to(app: typer.Typer) -> None:
    """Add these commands to the program."""
    app.command()(homes)
    app.command("keep-home")(keep_home)
    app.command("end-home")(end_home)
    app.command("restore-home")(restore_home)
    app.command("delete-archive")(delete_archive)


def homes(
    archives: Annotated[
        bool, typer.Option("--archives", help="List those that were packed away.")
    ] = False,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """List homes: what they hold, whether they are used, and until when they are kept."""
    out = Output(as_json=as_json)
    with control_plane(url) as client:
        found = client.homes.all()
    if as_json:
        out.document(found)
    elif archives:
        out.table(
            ("Person", "Hub", "Home", "Size", "Made", "State", "Id"),
            [_archive(one) for one in found.archives],
            empty="Nothing was packed away.",
        )
    else:
        out.table(
            ("Person", "Holds", "Of", "State", "Ends", "Home"),
            [_home(one) for one in found.items],
            empty="There is no home.",
        )


def _home(one: Home) -> tuple[object, ...]:
    held = "" if one.used is None else format_memory(one.used)
    size = "" if one.size is None else format_memory(one.size)
    ends = "" if one.ends_at is None else _local(one.ends_at)
    return (one.person, held, size, _state(one), ends, one.id)


def _state(one: Home) -> str:
    if one.problem:
        return one.problem
    if one.asked is not None:
        return f"being {one.asked.words}"
    if one.unused_since is None:
        return "used"
    if one.heir is not None:
        return f"due to {one.heir}: move it, then remove it"
    warned = ", its person was told" if one.ends_at and one.warned_at is not None else ""
    return f"unused since {_local(one.unused_since)}{warned}"


def _archive(one: HomeArchive) -> tuple[object, ...]:
    state = one.problem or (f"{one.asked}, soon" if one.asked is not None else "")
    if not state and one.restored_at is not None:
        state = f"restored {_local(one.restored_at)}"
    made = (format_memory(one.size), _local(one.made_at), state or "kept", one.id)
    return (one.person, one.hub, one.place, *made)


def _local(moment: datetime) -> str:
    return f"{moment.astimezone():%Y-%m-%d %H:%M}"


def keep_home(
    home: HomeId,
    until: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M"],
            metavar="TIME",
            help="Until then at least; left out: as long as all others.",
        ),
    ] = None,
    url: Url = None,
) -> None:
    """Keep a home that nobody uses until a time, in this machine's time zone."""
    out = Output(as_json=False)
    with control_plane(url) as client:
        kept = client.homes.keep(home, None if until is None else until.astimezone())
    if kept.keep_until is None:
        out.say(f"The home of {kept.person} is kept as long as all others.")
    else:
        out.say(f"The home of {kept.person} is kept until {_local(kept.keep_until)} at least.")


def end_home(
    home: HomeId,
    archive: Annotated[
        bool, typer.Option("--archive", help="Pack it into a file first, which is read back.")
    ] = False,
    yes: Yes = False,
    url: Url = None,
) -> None:
    """Remove a home that nobody uses, now and without a warning; with --archive it can be restored."""
    out = Output(as_json=False)
    what = HomeEnd.ARCHIVE if archive else HomeEnd.REMOVE
    if not archive:
        _agree(f"Everything in {home} is lost for good. Go on?", yes=yes)
    with control_plane(url) as client:
        asked = client.homes.end(home, what)
    out.say(f"The home of {asked.person} is {what.words} within a minute.")


def restore_home(key: ArchiveId, url: Url = None) -> None:
    """Unpack an archive where the home is gone or empty. The archive stays."""
    with control_plane(url) as client:
        asked = client.homes.archive(key, ArchiveAsk.RESTORE)
    Output(as_json=False).say(f"The home of {asked.person} is restored within a minute.")


def delete_archive(key: ArchiveId, yes: Yes = False, url: Url = None) -> None:
    """Delete an archive for good."""
    _agree(f"The archive {key} is lost for good. Go on?", yes=yes)
    with control_plane(url) as client:
        asked = client.homes.archive(key, ArchiveAsk.REMOVE)
    Output(as_json=False).say(f"{asked.file} is deleted within a minute.")


def _agree(question: str, *, yes: bool) -> None:
    if not yes:
        agree(question)
