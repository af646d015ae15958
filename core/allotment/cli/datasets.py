"""Commands about datasets: registered, read again, revoked, with documents beside them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from allotment.cli.agreeing import agree, agree_to_take
from allotment.cli.filling import (
    Enabled,
    Everyone,
    Fields,
    Groups,
    ManagedBy,
    Nobody,
    People,
    audience,
    fields,
)
from allotment.cli.options import Json, Url, Yes, control_plane
from allotment.cli.output import Output
from allotment.client import AllotmentClient
from allotment.model.amounts import counted, format_size
from allotment.model.documents import Dataset
from allotment.model.refusals import NotFound
from allotment.model.sources import Audience

DatasetName = Annotated[str, typer.Argument(metavar="DATASET", help="The dataset's name.")]
AttachmentName = Annotated[str, typer.Argument(metavar="NAME", help="The document's name.")]


def add_to(app: typer.Typer) -> None:
    """Add these commands to the program."""
    app.command()(datasets)
    app.command("dataset")(change)
    app.command("dataset-read")(read)
    app.command("dataset-revoke")(revoke)
    app.command("dataset-delete")(delete)
    app.command("dataset-attach")(attach)
    app.command("dataset-detach")(detach)
    app.command("dataset-attachment")(attachment)


def datasets(url: Url = None, as_json: Json = False) -> None:
    """List datasets that you manage or may load, and public ones."""
    out = Output(as_json=as_json)
    with control_plane(url) as client:
        found = client.datasets.all()
    if as_json:
        out.document(found)
        return
    out.table(
        ("Dataset", "Title", "Format", "#Rows", "#Size", "#Files", "Label", "Version", "State"),
        [_row(one) for one in found.items],
        empty="No dataset is shared with you. Register one: allotment dataset NAME --uri s3://…/",
    )


def _row(one: Dataset) -> tuple[object, ...]:
    read = one.reading
    return (
        one.name,
        one.title,
        one.format,
        _rows(one),
        None if read is None else format_size(read.size),
        None if read is None else read.files,
        one.label,
        one.version,
        _state(one),
    )


def _state(one: Dataset) -> str:
    words = [] if one.enabled else ["disabled"]
    words += ["not yours to load"] if one.enabled and not one.usable else []
    words += ["users of its source can write"] if one.caution else []
    return ", ".join(words)


def _rows(one: Dataset) -> str:
    if one.reading is None or one.reading.rows is None:
        return ""
    return f"{'' if one.reading.rows_exact else 'about '}{one.reading.rows:,}"


def change(  # noqa: PLR0913, PLR0917 - each is an option of the command
    name: DatasetName,
    uri: Annotated[
        list[str] | None, typer.Option(help="A file, a folder (ending in /) or a pattern.")
    ] = None,
    format_: Annotated[
        str | None, typer.Option("--format", help="parquet or csv; else it is found out.")
    ] = None,
    option: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="How a CSV is read.")
    ] = None,
    source: Annotated[str | None, typer.Option(help="The source through which it is read.")] = None,
    title: Annotated[str | None, typer.Option(help="What people read.")] = None,
    description: Annotated[str | None, typer.Option(help="What is in it.")] = None,
    label: Annotated[str | None, typer.Option(help="public, internal or personal.")] = None,
    everyone: Everyone = False,
    for_group: Groups = None,
    for_person: People = None,
    for_nobody: Nobody = False,
    group: ManagedBy = None,
    target: Annotated[str | None, typer.Option(help="Where its versions are kept.")] = None,
    enable: Enabled = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Register a dataset, or change what is given of one; without an option show it."""
    out = Output(as_json=as_json)
    given: dict[str, Any] = {
        "uris": uri,
        "format": format_,
        "options": _options(option),
        "source": source,
        "title": title,
        "description": description,
        "label": label,
        "target": target,
        "enabled": enable,
    }
    given = {key: value for key, value in given.items() if value is not None}
    if group is not None:
        given["group"] = group or None
    who = audience(for_group, for_person, everyone=everyone, nobody=for_nobody)
    with control_plane(url) as client:
        found = _put(client, name, who, given)
    if as_json:
        out.document(found)
    else:
        show(out, found)


def _options(given: Fields) -> dict[str, Any] | None:
    """Options of a CSV; numbers and yes or no are such."""
    if not given:
        return None
    words = {"true": True, "yes": True, "false": False, "no": False}
    found = fields(given)
    return {
        name: int(value) if str(value).isdigit() else words.get(str(value).lower(), value)
        for name, value in found.items()
    }


def _put(
    client: AllotmentClient, name: str, who: Audience | None, given: dict[str, Any]
) -> Dataset:
    try:
        before = client.datasets.get(name)
    except NotFound:
        if "uris" not in given:
            raise
        return client.datasets.create(name, given.pop("uris"), audience=who, **given)
    if who is None and not given:
        return before
    return client.datasets.edit(name, revision=before.revision, audience=who, **given)


def show(out: Output, one: Dataset) -> None:
    """Say what a dataset is."""
    state = "enabled" if one.enabled else "disabled"
    who = "" if one.audience is None else f"; for {one.audience.words}"
    out.say(f"{one.name}: {one.format}, {one.label}, {state}{who}.")
    for uri in one.uris:
        out.say(f"  {uri}")
    read = one.reading
    if read is not None:
        out.say(
            f"{_rows(one) or 'Unknown'} rows in {counted(read.files, 'file')}, {format_size(read.size)}."
        )
        columns = [(column.name, column.type) for column in read.columns]
        out.table(("Column", "Type"), columns, empty="It has no columns.")
    if one.caution:
        out.say(one.caution, "red")
    for kept in one.attachments:
        out.say(f"Beside it: {kept.name}, {format_size(kept.size)}.")
    if one.usable:
        out.say(f'In a notebook: allotment.load("{one.name}")')
    elif one.manages and one.enabled:
        out.say(
            "You manage it, and are not among those who load it: share it with yourself for that."
        )
    elif one.obstacle:
        out.say(f"You cannot load it: {one.obstacle}", "yellow")


def read(name: DatasetName, url: Url = None, as_json: Json = False) -> None:
    """Read a dataset's files again, as they are now."""
    out = Output(as_json=as_json)
    with control_plane(url) as client:
        found = client.datasets.read(name)
    if as_json:
        out.document(found)
    else:
        show(out, found)


def revoke(name: DatasetName, yes: Yes = False, url: Url = None, as_json: Json = False) -> None:
    """Disable a dataset, and take it from every server that was promised it, at once."""
    out = Output(as_json=as_json)
    with control_plane(url) as client:
        if not yes:
            agree_to_take(out, name, client.datasets.get(name).held_by)
        found = client.datasets.revoke(name)
    if as_json:
        out.document(found)
    out.say(f"{name} is revoked.")


def delete(name: DatasetName, yes: Yes = False, url: Url = None, as_json: Json = False) -> None:
    """Forget a dataset, its versions and what is beside it. Its files stay."""
    out = Output(as_json=as_json)
    with control_plane(url) as client:
        before = client.datasets.get(name)
        if not yes:
            agree(f"Forget {name} and its versions?")
        client.datasets.delete(name, revision=before.revision)
    out.say(f"{name} was deleted.")


def attach(
    name: DatasetName,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The document.")],
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Keep a document beside a dataset."""
    out = Output(as_json=as_json)
    with control_plane(url) as client:
        found = client.datasets.attach(name, file.name, file.read_bytes())
    if as_json:
        out.document(found)
    out.say(f"{file.name} is kept beside {name}.")


def detach(
    name: DatasetName, attachment_name: AttachmentName, url: Url = None, as_json: Json = False
) -> None:
    """Keep a document no longer."""
    out = Output(as_json=as_json)
    with control_plane(url) as client:
        client.datasets.detach(name, attachment_name)
    out.say(f"{attachment_name} was removed.")


def attachment(
    name: DatasetName,
    attachment_name: AttachmentName,
    into: Annotated[Path, typer.Argument(metavar="FILE", help="Where to write it.")],
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Write a document that is kept beside a dataset to a file."""
    out = Output(as_json=as_json)
    with control_plane(url) as client:
        into.write_bytes(client.datasets.attachment(name, attachment_name))
    out.say(f"{attachment_name} was written to {into}.")
