"""Commands about instance types: what there may be of each, what is used, and taking one back."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from allotment.cli.filling import Enabled
from allotment.cli.options import Json, Url, Yes, control_plane
from allotment.cli.output import Output, ago
from allotment.cli.revoking import agree_to_revoke
from allotment.cli.stopping import exit_where_one_goes_on, show_outcomes
from allotment.client import AllotmentClient
from allotment.model.documents import InstanceType, InstanceTypeListing
from allotment.model.money import price_words
from allotment.model.refusals import NotFound

TypeName = Annotated[str, typer.Argument(metavar="TYPE", help="Such as g5.xlarge.")]
NONE = "none"


def add_to(app: typer.Typer) -> None:
    """Add these commands to the program."""
    app.command()(types)
    app.command("type")(change)
    app.command("type-delete")(delete)
    app.command("type-revoke")(revoke)


def types(
    read: Annotated[bool, typer.Option("--read", help="Ask the cloud first.")] = False,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """List instance types with their limits, what is used of each, and the quotas of the account."""
    out = Output(as_json=as_json)
    with control_plane(url) as client:
        found = client.instance_types.read() if read else client.instance_types.all()
    if as_json:
        out.document(found)
        return
    out.table(
        ("Type", "Title", "#Per hour", "#Used", "#Limit", "From", "State", "Profiles"),
        [_row(one) for one in found.items],
        empty="There is no instance type. Make one: allotment type g5.xlarge --limit 8",
    )
    _quotas(out, found)
    for said in (*(one.warning for one in found.items if one.warning), *found.warnings):
        out.say(said, "yellow")


def _row(one: InstanceType) -> tuple[object, ...]:
    return (
        one.name,
        one.title,
        "" if one.price is None else price_words(one.price),
        one.held,
        "no limit" if one.most is None else one.most,
        one.source if one.most is not None else "",
        "enabled" if one.enabled else "disabled",
        ", ".join(one.profiles),
    )


def _quotas(out: Output, found: InstanceTypeListing) -> None:
    if not found.quotas:
        return
    out.table(
        ("Quota", "#Limit", "#Used", "#By servers", "Unit", "Read"),
        [
            (one.title, one.value, one.used, one.held, one.unit, f"{ago(one.read_at)} ago")
            if one.read_at
            else (one.title, one.value, one.used, one.held, one.unit, "never")
            for one in found.quotas
        ],
        empty="",
        title=f"The account in {found.region or found.quotas[0].region}",
    )
    for problem in dict.fromkeys(one.problem for one in found.quotas if one.problem):
        out.say(f"Not read now: {problem}", "red")


def change(  # noqa: PLR0913, PLR0917 - each is an option of the command
    name: TypeName,
    title: Annotated[str | None, typer.Option(help="What people read.")] = None,
    price: Annotated[str | None, typer.Option(help="Per hour; none: no price.")] = None,
    limit: Annotated[
        str | None, typer.Option(help="Instances at most; none: no typed-in limit.")
    ] = None,
    vcpus: Annotated[int | None, typer.Option(min=1, help="vCPUs of one instance.")] = None,
    quota: Annotated[
        str | None, typer.Option(help="The code of its quota, such as L-DB2E81BA; or none.")
    ] = None,
    enable: Enabled = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Make an instance type, or change what is given of one. Servers that run keep what they were promised."""
    out = Output(as_json=as_json)
    given = {
        "title": title,
        "price": price,
        "limit": limit,
        "vcpus": vcpus,
        "quota": quota,
        "enabled": enable,
    }
    fields = {key: _value(key, value) for key, value in given.items() if value is not None}
    with control_plane(url) as client:
        found = _put(client, name, fields)
    if as_json:
        out.document(found)
        return
    state = "enabled" if found.enabled else "disabled"
    most = "no limit" if found.most is None else f"{found.held} of {found.most} used"
    out.say(f"{found.name} is {state}; {most}.")


def _value(key: str, value: Any) -> Any:
    if value == NONE:
        return None
    if key != "limit":
        return value
    if not str(value).isdigit():
        message = f"{value!r} is no limit: give a whole number, or none"
        raise typer.BadParameter(message, param_hint="--limit")
    return int(value)


def _put(client: AllotmentClient, name: str, fields: dict[str, Any]) -> InstanceType:
    try:
        before = client.instance_types.get(name)
    except NotFound:
        return client.instance_types.create(name, **fields)
    return client.instance_types.edit(name, revision=before.revision, **fields)


def delete(name: TypeName, url: Url = None, as_json: Json = False) -> None:
    """Delete an instance type that no server holds and no profile names."""
    out = Output(as_json=as_json)
    with control_plane(url) as client:
        before = client.instance_types.get(name)
        client.instance_types.delete(name, revision=before.revision)
    out.say(f"{name} was deleted.")


def revoke(
    name: TypeName,
    reason: Annotated[str, typer.Option("--reason", "-r", help="Why. It reaches their users.")],
    yes: Yes = False,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Disable an instance type and stop every server that holds it, at once.

    Exit status 1 where one of them could not be stopped.
    """
    out = Output(as_json=as_json)
    with control_plane(url) as client:
        running = client.servers.all(active=True).items
        holding = [one for one in running if one.instance_type == name]
        if not yes:
            agree_to_revoke(out, name, holding)
        done = client.instance_types.revoke(name, reason)
    if as_json:
        out.document(done)
    else:
        out.say(f"{name} is disabled.")
        show_outcomes(out, holding, done.outcomes)
    exit_where_one_goes_on(done.outcomes)
