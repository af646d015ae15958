"""The command that cleans a target: what it would free is told first."""

from __future__ import annotations

from typing import Annotated

import typer

from allotment.cli.agreeing import agree
from allotment.cli.options import Json, Url, Yes, control_plane
from allotment.cli.output import Output
from allotment.cli.versions import TargetName
from allotment.client import AllotmentClient
from allotment.model.amounts import counted, format_size
from allotment.model.documents import TargetCleaning


def add_to(app: typer.Typer) -> None:
    """Add this command to the program."""
    app.command("target-clean")(clean)


def clean(
    name: TargetName,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only tell what would be removed.")
    ] = False,
    yes: Yes = False,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Remove what no version, no commit under way and no model needs.

    That is what deleted datasets and models have left, and commits that failed.
    """
    out = Output(as_json=as_json)
    with control_plane(url) as client:
        found = client.targets.leftovers(name)
        if not dry_run and any(one.files for one in found.items):
            if not as_json:
                _show(out, found)
            if not yes:
                agree(f"Remove {_amount(found)} from {name}? Nothing brings them back.")
            found = _clean(client, name)
    if as_json:
        out.document(found)
        return
    _show(out, found)


def _clean(client: AllotmentClient, name: str) -> TargetCleaning:
    """Clean until all was looked at, or nothing more goes."""
    found = client.targets.clean(name)
    items, removed = list(found.items), True
    while not found.complete and removed:
        found = client.targets.clean(name)
        removed = any(one.removed for one in found.items)
        items += found.items
    return found.model_copy(update={"items": tuple(items)})


def _show(out: Output, found: TargetCleaning) -> None:
    out.table(
        ("Of", "#Files", "#Size", "#Removed", "Note"),
        [
            (one.label, one.files, format_size(one.size), one.removed or "", one.problem)
            for one in found.items
        ],
        empty=f"{found.target} keeps nothing that is not needed.",
    )
    removed = sum(one.removed for one in found.items)
    if removed:
        out.say(f"{counted(removed, 'file')} removed.")


def _amount(found: TargetCleaning) -> str:
    files = counted(sum(one.files for one in found.items), "file")
    return f"{files} ({format_size(sum(one.size for one in found.items))})"
