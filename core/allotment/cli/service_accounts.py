"""Commands about service accounts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from allotment.cli.agreeing import agree
from allotment.cli.options import Json, Url, Yes, control_plane
from allotment.cli.output import Output, ago
from allotment.model.documents import ServiceAccount
from allotment.model.people import Permission
from allotment.model.service_accounts import LONGEST


def add_to(app: typer.Typer) -> None:
    """Add these commands to the program."""
    app.command("service-accounts")(service_accounts)
    app.command("service-account")(service_account)


def service_accounts(
    revoke: Annotated[
        str | None, typer.Option(metavar="NAME", help="End this one at once.")
    ] = None,
    yes: Yes = False,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """List service accounts; with --revoke, end one."""
    out = Output(as_json=as_json)
    with control_plane(url) as client:
        if revoke is not None:
            if not yes:
                agree(f"End {revoke}? Whatever uses its token is refused from then on.")
            client.service_accounts.revoke(revoke)
            out.say(f"{revoke} was revoked.")
            return
        found = client.service_accounts.all().items
    if as_json:
        out.document(found)
        return
    out.table(
        ("Name", "State", "May", "Made by", "Ends", "Used", "Note"),
        [_row(one) for one in found],
        empty="There is no service account.",
    )


def _row(one: ServiceAccount) -> tuple[object, ...]:
    used = f"{ago(one.used_at)} ago" if one.used_at else "never"
    may = ", ".join(one.effective)
    return one.name, one.state, may, one.maker, f"{one.expires_at:%Y-%m-%d}", used, one.note


def service_account(
    name: Annotated[str, typer.Argument(help="What to call it.")],
    permission: Annotated[
        list[Permission], typer.Option(help="What it may do; give it for each permission.")
    ],
    days: Annotated[
        int, typer.Option(min=1, max=LONGEST.days, help="For how many days it lasts.")
    ] = 90,
    note: Annotated[str, typer.Option(help="What it is for.")] = "",
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Make a service account: a token for a program, with some of your permissions, shown once."""
    out = Output(as_json=as_json)
    end = datetime.now(UTC) + timedelta(days=days)
    with control_plane(url) as client:
        made = client.service_accounts.create(name, permission, end, note=note)
    if as_json:
        out.document(made)
        return
    out.say(f"Service account {name} was made; it ends {made.account.expires_at:%Y-%m-%d}.")
    out.say("Its token, which is shown only now:")
    out.say(made.token)
