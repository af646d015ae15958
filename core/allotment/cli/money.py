"""Commands about money: usage."""

from __future__ import annotations

from typing import Annotated

import typer

from allotment.cli.options import Json, Url, control_plane
from allotment.cli.output import Output
from allotment.model.documents import UsageListing, UsageSum
from allotment.model.money import Dimension, money_words

_HEADS = {
    Dimension.PERSON: "Person",
    Dimension.GROUP: "Group",
    Dimension.DEPARTMENT: "Department",
    Dimension.TAG: "Tag",
    Dimension.POOL: "Pool",
    Dimension.PROFILE: "Profile",
    Dimension.DAY: "Day",
    Dimension.MONTH: "Month",
}


def add_to(app: typer.Typer) -> None:
    """Add these commands to the program."""
    app.command()(usage)


def usage(  # noqa: PLR0913, PLR0917 - each is an option of the command
    by: Annotated[
        str, typer.Option(help=f"What to add up by: one or several of {', '.join(Dimension)}.")
    ] = "person",
    begin: Annotated[
        str | None,
        typer.Option(
            "--from", metavar="DAY", help="From this day on; else from the month's beginning."
        ),
    ] = None,
    end: Annotated[
        str | None,
        typer.Option("--to", metavar="DAY", help="Up to this day's end; else until now."),
    ] = None,
    person: Annotated[str | None, typer.Option(help="Only this person's.")] = None,
    group: Annotated[str | None, typer.Option(help="Only what this group pays.")] = None,
    pool: Annotated[str | None, typer.Option(help="Only on this pool's devices.")] = None,
    profile: Annotated[str | None, typer.Option(help="Only of this profile.")] = None,
    tag: Annotated[str | None, typer.Option(help="The tag's name, with --by tag.")] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Write comma-separated values.")] = False,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Say what was used and what it cost: by person, group, pool, profile, day, month, tag."""
    out = Output(as_json=as_json)
    only = {"person": person, "group": group, "pool": pool, "profile": profile, "tag": tag}
    with control_plane(url) as client:
        if as_csv:
            typer.echo(client.usage.csv([by], begin=begin, end=end, **only), nl=False)
            return
        found = client.usage.all([by], begin=begin, end=end, **only)
    if as_json:
        out.document(found)
        return
    _show(out, found)


def _show(out: Output, found: UsageListing) -> None:
    heads = [_HEADS[one] for one in found.by]
    rows: list[tuple[object, ...]] = [
        (
            *(getattr(row, str(one)) or "none" for one in found.by),
            *_numbers(row),
            row.sessions,
        )
        for row in found.items
    ]
    if len(rows) > 1 and heads:
        rows.append(("in all", *[""] * (len(heads) - 1), *_numbers(found.total), ""))
    out.table(
        (*heads, "#Hours", "#Device hours", "#Cost", "#Sessions"),
        rows,
        empty="Nothing was used in this time that you may see.",
    )


def _numbers(use: UsageSum) -> tuple[str, str, str]:
    return f"{use.hours:,.2f}", f"{use.device_hours:,.2f}", money_words(use.cost)
