"""Commands about sources: registered, tested, proven, revoked, browsed."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from allotment.cli.agreeing import agree, agree_to_take
from allotment.cli.ending import Exit, Misused
from allotment.cli.filling import (
    Enabled,
    Everyone,
    Fields,
    Groups,
    ManagedBy,
    Nobody,
    People,
    Secrets,
    audience,
    fields,
    secrets,
)
from allotment.cli.options import Json, Url, Yes, control_plane
from allotment.cli.output import Output
from allotment.cli.source_words import audience_words, ending, proof_words, show, state_words
from allotment.client import AllotmentClient
from allotment.model.amounts import format_size
from allotment.model.documents import Source, SourceEntry
from allotment.model.refusals import NotFound
from allotment.model.sources import Audience

SourceName = Annotated[str, typer.Argument(metavar="SOURCE", help="The source's name.")]


def add_to(app: typer.Typer) -> None:
    """Add these commands to the program."""
    app.command("source-kinds")(kinds)
    app.command()(sources)
    app.command("source")(change)
    app.command("source-test")(try_out)
    app.command("source-prove")(prove)
    app.command("source-accept")(accept)
    app.command("source-browse")(browse)
    app.command("source-revoke")(revoke)
    app.command("source-delete")(delete)


def kinds(
    kind: Annotated[str | None, typer.Argument(help="Show the form of this kind.")] = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """List kinds of sources, or the fields that the form of one asks for."""
    out = Output(as_json=as_json)
    with control_plane(url) as client:
        forms = client.sources.forms().items
    chosen = [one for one in forms if kind in {None, one.kind}]
    if not chosen:
        message = f"There is no kind {kind!r}.\nThere are {', '.join(one.kind for one in forms)}"
        raise Misused(message)
    if as_json:
        out.document(chosen)
    elif kind is None:
        rows = [(one.kind, one.title, len(one.fields)) for one in chosen]
        out.table(("Kind", "Title", "#Fields"), rows, empty="There are none.")
    else:
        out.table(
            ("Field", "Type", "Needed", "Default", "What"),
            [
                (one.name, one.type, "yes" if one.required else "", one.default, one.help)
                for one in chosen[0].fields
            ],
            empty="It asks for nothing.",
        )


def sources(url: Url = None, as_json: Json = False) -> None:
    """List the sources that you manage or may use."""
    out = Output(as_json=as_json)
    with control_plane(url) as client:
        found = client.sources.all()
    if as_json:
        out.document(found)
        return
    out.table(
        ("Source", "Kind", "Title", "For", "Proof", "When revoked", "State"),
        [
            (
                one.name,
                one.kind,
                one.title,
                audience_words(one),
                proof_words(one),
                ending(one),
                state_words(one),
            )
            for one in found.items
        ],
        empty="No source is shared with you.",
    )


def change(  # noqa: PLR0913, PLR0917 - each is an option of the command
    name: SourceName,
    kind: Annotated[str | None, typer.Option(help="Of a new source; see source-kinds.")] = None,
    set_: Fields = None,
    secret: Secrets = None,
    title: Annotated[str | None, typer.Option(help="What people read.")] = None,
    description: Annotated[str | None, typer.Option(help="What is in it.")] = None,
    everyone: Everyone = False,
    for_group: Groups = None,
    for_person: People = None,
    for_nobody: Nobody = False,
    group: ManagedBy = None,
    enable: Enabled = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Register a source, or change what is given of one; without an option show it.

    Where its fields change, a write is tried at once with what its users get. Exit status 1 where
    they could write, or nothing could be shown.
    """
    out = Output(as_json=as_json)
    given: dict[str, Any] = {"title": title, "description": description, "enabled": enable}
    given = {key: value for key, value in given.items() if value is not None}
    if group is not None:
        given["group"] = group or None
    entered = fields(set_) | secrets(secret)
    who = audience(for_group, for_person, everyone=everyone, nobody=for_nobody)
    with control_plane(url) as client:
        found = _put(client, name, kind, entered, who, given)
    if as_json:
        out.document(found)
    else:
        show(out, found)
    if entered and not found.proven:
        raise typer.Exit(Exit.REFUSED)


def _put(
    client: AllotmentClient,
    name: str,
    kind: str | None,
    entered: dict[str, Any],
    who: Audience | None,
    given: dict[str, Any],
) -> Source:
    try:
        before = client.sources.get(name)
    except NotFound:
        if kind is None:
            raise
        return client.sources.create(name, kind, entered, audience=who, **given)
    if kind is not None and kind != before.kind:
        message = f"{name} is a {before.kind} source, and stays one.\nDelete it to make another."
        raise Misused(message)
    if not entered and who is None and not given:
        return before
    changed = {"fields": entered} if entered else {}
    return client.sources.edit(name, revision=before.revision, audience=who, **changed, **given)


def try_out(name: SourceName, url: Url = None, as_json: Json = False) -> None:
    """Test the connection from the control plane. Exit status 1 where it was not reached."""
    out = Output(as_json=as_json)
    with control_plane(url) as client:
        found = client.sources.check(name)
    if as_json:
        out.document(found)
    out.say(f"{found.words} {found.remedy}".strip(), "" if found.reached else "red")
    if not found.reached:
        raise typer.Exit(Exit.REFUSED)


def prove(name: SourceName, url: Url = None, as_json: Json = False) -> None:
    """Try to write with what users get, now. Exit status 1 where they could."""
    out = Output(as_json=as_json)
    with control_plane(url) as client:
        found = client.sources.prove(name)
    if as_json:
        out.document(found)
    else:
        show(out, found)
    if not found.proven:
        raise typer.Exit(Exit.REFUSED)


def accept(name: SourceName, yes: Yes = False, url: Url = None, as_json: Json = False) -> None:
    """Let people use a source that is not proven read-only; it is marked wherever it is shown."""
    out = Output(as_json=as_json)
    with control_plane(url) as client:
        if not yes:
            show(out, client.sources.get(name))
            agree(f"Let people use {name} all the same?")
        found = client.sources.accept(name)
    if as_json:
        out.document(found)
    out.say(f"{name} is accepted as it is.")


def browse(
    name: SourceName,
    path: Annotated[list[str] | None, typer.Argument(help="Where: a schema and a table.")] = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """List what lies at a place in a source: schemas, tables and columns, or folders and files."""
    out = Output(as_json=as_json)
    with control_plane(url) as client:
        found = client.sources.browse(name, *(path or ()), limit=1000)
    if as_json:
        out.document(found)
        return
    out.table(
        ("Name", "Kind", "Type", "#Rows", "#Size"),
        [_entry(one) for one in found.entries],
        empty="There is nothing.",
    )
    if found.next is not None:
        out.say(f"… and more after the first {len(found.entries)}.", "dim")


def _entry(one: SourceEntry) -> tuple[object, ...]:
    rows = "" if one.rows is None else f"about {one.rows:,}"
    size = "" if one.size is None else format_size(one.size)
    return one.name, one.kind, one.type, rows, size


def revoke(name: SourceName, yes: Yes = False, url: Url = None, as_json: Json = False) -> None:
    """Disable a source, and take it from every server that holds it, at once."""
    out = Output(as_json=as_json)
    with control_plane(url) as client:
        if not yes:
            before = client.sources.get(name)
            if before.proof is not None and before.proof.ending:
                out.say(before.proof.ending)
            agree_to_take(out, name, before.held_by)
        found = client.sources.revoke(name)
    if as_json:
        out.document(found)
    out.say(f"{name} is revoked.")


def delete(name: SourceName, yes: Yes = False, url: Url = None, as_json: Json = False) -> None:
    """Delete a source that no dataset is read through. What was lent of it ends."""
    out = Output(as_json=as_json)
    with control_plane(url) as client:
        before = client.sources.get(name)
        if not yes:
            agree(f"Delete {name}?")
        client.sources.delete(name, revision=before.revision)
    out.say(f"{name} was deleted.")
