"""Commands for shares: how a pool is shared, and what a group has of it."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from allotment.cli.agreeing import agreed
from allotment.cli.options import Json, Url, Yes, control_plane
from allotment.cli.output import Output
from allotment.cli.tables import share_table
from allotment.client import AllotmentClient, NewShare
from allotment.model.documents import Group
from allotment.model.sharing import PoolPolicy


def add_to(app: typer.Typer) -> None:
    """Add these commands to the program."""
    app.command()(policy)
    app.command()(share)


def _checked(text: str | None) -> str | None:
    """A duration as it was written, or typer's own error."""
    if text is not None:
        try:
            PoolPolicy.model_validate({"grace": text})
        except ValueError:
            message = f"expected a duration such as 30m, 12h or 1h30m, found {text[:40]!r}"
            raise typer.BadParameter(message) from None
    return text


def _option(words: str) -> Any:
    return typer.Option(metavar="DURATION", callback=_checked, help=words)


def policy(  # noqa: PLR0913, PLR0917 - each is an option of the command
    pool: Annotated[str, typer.Argument(help="The pool.")],
    sharing: Annotated[
        bool | None,
        typer.Option(
            "--sharing/--strict",
            help="Lend what groups do not use to low-priority servers, or keep it.",
        ),
    ] = None,
    minimum_runtime: Annotated[str | None, _option("What a borrower gets at least.")] = None,
    grace: Annotated[str | None, _option("From the notice of a reclaim to its stop.")] = None,
    protect_after: Annotated[str | None, _option("Who waited so long is not overtaken.")] = None,
    yes: Yes = False,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Say how a pool is shared; with options, change it, after saying what that does. What is left out stays."""
    out = Output(as_json=as_json)
    given = {
        "sharing": sharing,
        "minimum_runtime": minimum_runtime,
        "grace": grace,
        "protect_after": protect_after,
    }
    wanted = {key: value for key, value in given.items() if value is not None}
    with control_plane(url) as client:
        found = client.pools.get(pool)
        if wanted:
            said = PoolPolicy.model_validate(found.policy.model_dump(mode="json") | wanted)
            agreed(out, client.pools.consequences(pool, policy=said), yes=yes)
            found = client.pools.set_policy(pool, said, revision=found.revision)
    if as_json:
        out.document({"pool": pool, "policy": found.policy.model_dump(mode="json")})
        return
    out.say(f"Pool {pool}. {found.policy.sentence}")


def share(  # noqa: PLR0913, PLR0917 - each is an option of the command
    group: Annotated[str, typer.Argument(help="The group.")],
    pool: Annotated[
        str | None, typer.Argument(help="The pool; left out: all of its shares.")
    ] = None,
    guaranteed: Annotated[
        int | None, typer.Option(metavar="DEVICES", min=0, help="What it is guaranteed.")
    ] = None,
    ceiling: Annotated[
        int | None, typer.Option(metavar="DEVICES", min=0, help="What it may hold at most.")
    ] = None,
    weight: Annotated[
        float | None, typer.Option(min=0.01, help="Its weight for devices that nobody uses.")
    ] = None,
    remove: Annotated[bool, typer.Option("--remove", help="Take the share away.")] = False,
    yes: Yes = False,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Say what a group has of a pool; with options, change it, after saying what that does.

    What is left out stays; a ceiling is lifted with its guarantee.
    """
    out = Output(as_json=as_json)
    given = {"guaranteed": guaranteed, "ceiling": ceiling, "weight": weight}
    wanted = {key: value for key, value in given.items() if value is not None}
    if (wanted or remove) and pool is None:
        message = "say of which pool the share is"
        raise typer.BadParameter(message, param_hint="POOL")
    with control_plane(url) as client:
        found = client.groups.get(group)
        if pool is not None and (wanted or remove):
            found = _change(
                out, client, found, _shares(found, pool, None if remove else wanted), yes=yes
            )
    if as_json:
        out.document(found)
        return
    shown = [one for one in found.shares if pool in {None, one.pool}]
    share_table(out, shown, f"Shares of {group}")


def _shares(group: Group, pool: str, wanted: dict[str, Any] | None) -> list[NewShare]:
    """All shares of a group, with that in one pool as it is wanted; None: without it."""
    kept = [
        NewShare(one.pool, one.guaranteed, one.ceiling, one.weight)
        for one in group.shares
        if one.pool != pool
    ]
    if wanted is None:
        return kept
    before = next((one for one in group.shares if one.pool == pool), None)
    guaranteed = wanted.get("guaranteed", before.guaranteed if before else 0)
    ceiling = wanted.get("ceiling", max(guaranteed, before.ceiling if before else 0))
    weight = wanted.get("weight", before.weight if before else 1.0)
    return [*kept, NewShare(pool, guaranteed, ceiling, weight)]


def _change(
    out: Output, client: AllotmentClient, group: Group, shares: list[NewShare], *, yes: bool
) -> Group:
    """Change a group's shares, once it is agreed what that does."""
    agreed(out, client.groups.consequences(group.name, shares), yes=yes)
    return client.groups.edit(group.name, revision=group.revision, shares=shares)
