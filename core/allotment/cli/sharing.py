"""The command that shows and changes how a pool is shared."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from allotment.cli.options import Json, Url, control_plane
from allotment.cli.output import Output
from allotment.model.sharing import PoolPolicy


def add_to(app: typer.Typer) -> None:
    """Add this command to the program."""
    app.command()(policy)


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


def policy(
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
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Say how a pool is shared; with options, change it. What is left out stays."""
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
            found = client.pools.set_policy(pool, said, revision=found.revision)
    if as_json:
        out.document({"pool": pool, "policy": found.policy.model_dump(mode="json")})
        return
    out.say(f"Pool {pool}. {found.policy.sentence}")
