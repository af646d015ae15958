"""Commands about money: usage, budgets, budget."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

import typer
from pydantic import ValidationError

from allotment.cli.agreeing import agreed
from allotment.cli.options import Json, Url, Yes, control_plane
from allotment.cli.output import Output
from allotment.client import ANY, AllotmentClient
from allotment.model.budgets import LEVELS, PLATFORM, AtLimit, BudgetScope, BudgetTerms, Period
from allotment.model.documents import Budget, UsageListing, UsageSum
from allotment.model.money import Dimension, money_words
from allotment.model.refusals import NotFound

LAST = LEVELS[-1]

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
    for command in (usage, budgets, budget):
        app.command()(command)


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


def budgets(url: Url = None, as_json: Json = False) -> None:
    """List budgets: what is spent of each, and when it ends at the present rate."""
    out = Output(as_json=as_json)
    with control_plane(url) as client:
        found = client.budgets.all()
    if as_json:
        out.document(found)
        return
    _budget_table(out, found.items)


def _budget_table(out: Output, found: Iterable[Budget]) -> None:
    out.table(
        ("Budget", "#Spent", "#Of", "For", "#Used", "Ends", "At the limit", "From"),
        (
            (
                f"{one.scope} {one.subject}",
                money_words(one.spent),
                money_words(one.amount),
                one.period.words,
                f"{one.percent} %",
                _ends(one),
                one.at_limit.words,
                one.source,
            )
            for one in found
        ),
        empty="No budget is set that you may see.",
    )


def _ends(one: Budget) -> str:
    if one.percent >= LAST:
        return "used up"
    if one.ends_at is not None:
        return f"{one.ends_at:%Y-%m-%d %H:%M} UTC"
    return "lasts" if one.rate else "nothing runs"


def budget(  # noqa: PLR0913, PLR0917 - each is an option of the command
    scope: Annotated[BudgetScope, typer.Argument(help="Whose it is.")],
    subject: Annotated[
        str,
        typer.Argument(
            help="The name of the person, group or department; of members, their group's; of everybody, none."
        ),
    ] = PLATFORM,
    amount: Annotated[str | None, typer.Option(help="How much money.")] = None,
    period: Annotated[
        Period | None, typer.Option(help="Renewed each month or quarter; none: free credit.")
    ] = None,
    at_limit: Annotated[
        AtLimit | None, typer.Option(help="What happens when it is used up.")
    ] = None,
    grace: Annotated[
        str | None, typer.Option(metavar="DURATION", help="From being told to the stop.")
    ] = None,
    minimum_session: Annotated[
        str | None,
        typer.Option(metavar="DURATION", help="How long a launch must be able to pay for."),
    ] = None,
    remove: Annotated[bool, typer.Option("--remove", help="Take it away.")] = False,
    yes: Yes = False,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Show a budget; with options, set or change it, after saying what that does. What is left out stays."""
    out = Output(as_json=as_json)
    given = {
        "amount": amount,
        "period": period,
        "at_limit": at_limit,
        "grace": grace,
        "minimum_session": minimum_session,
    }
    wanted = {key: str(value) for key, value in given.items() if value is not None}
    with control_plane(url) as client:
        if remove:
            client.budgets.delete(scope, subject, revision=ANY)
            out.say(f"The budget of {scope} {subject} was taken away.")
            return
        if wanted:
            _change(out, client, (scope, subject), wanted, yes=yes)
        found = client.budgets.get(scope, subject)
    if as_json:
        out.document(found)
        return
    _budget_table(out, [found])


def _change(
    out: Output,
    client: AllotmentClient,
    whose: tuple[BudgetScope, str],
    wanted: dict[str, str],
    *,
    yes: bool,
) -> None:
    """Change what is given of a budget, or make one, once it is agreed what that does."""
    try:
        before = client.budgets.get(*whose)
        known = before.model_dump(mode="json", include=set(BudgetTerms.model_fields))
        revision = before.revision
    except NotFound:
        known, revision = {}, 0
    try:
        terms = BudgetTerms.model_validate(known | wanted)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]).replace("_", "-")
        raise typer.BadParameter(first["msg"], param_hint=f"--{place}") from None
    agreed(out, client.budgets.consequences(*whose, terms), yes=yes)
    client.budgets.put(*whose, terms, revision=revision)
