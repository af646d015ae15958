"""Commands about registered models."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from allotment.cli.agreeing import agree
from allotment.cli.ending import Misused
from allotment.cli.filling import Everyone, Groups, Nobody, People, audience
from allotment.cli.options import Json, Url, Yes, control_plane
from allotment.cli.output import Output
from allotment.model.amounts import format_size

ModelName = Annotated[str, typer.Argument(metavar="MODEL", help="The model's name.")]
ModelVersion = Annotated[str, typer.Argument(metavar="VERSION", help="Its version.")]


def add_to(app: typer.Typer) -> None:
    """Add these commands to the program."""
    app.command()(models)
    app.command("model")(register)
    app.command("model-share")(share)
    app.command("model-download")(download)
    app.command("model-delete")(delete)


def models(url: Url = None, as_json: Json = False) -> None:
    """List your models, and those that are shared with you."""
    out = Output(as_json=as_json)
    with control_plane(url) as client:
        found = client.models.all()
    if as_json:
        out.document(found)
        return
    out.table(
        ("Model", "Version", "Person", "Where", "#Size", "Metrics", "From"),
        [
            (
                one.name,
                one.version,
                one.person,
                one.uri or f"{one.target}: {one.file or 'no file yet'}",
                None if one.size is None else format_size(one.size),
                ", ".join(f"{name} {value:g}" for name, value in one.metrics.items()),
                ", ".join(one.datasets),
            )
            for one in found.items
        ],
        empty="No model is shared with you.",
    )


def register(  # noqa: PLR0913, PLR0917 - each is an option of the command
    name: ModelName,
    version: ModelVersion,
    uri: Annotated[str | None, typer.Option(help="Where it lies.")] = None,
    file: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="The file that a target is to keep."),
    ] = None,
    target: Annotated[str | None, typer.Option(help="The target that keeps the file.")] = None,
    description: Annotated[str, typer.Option(help="What it does.")] = "",
    metric: Annotated[
        list[str] | None, typer.Option(metavar="NAME=NUMBER", help="How good it is.")
    ] = None,
    dataset: Annotated[
        list[str] | None, typer.Option(metavar="NAME@NUMBER", help="What it came from.")
    ] = None,
    everyone: Everyone = False,
    for_group: Groups = None,
    for_person: People = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Register a version of a model: where it lies, or a file that a target keeps."""
    out = Output(as_json=as_json)
    if (file is None) != (target is None):
        message = "A file and the target that keeps it go together: --file FILE --target TARGET"
        raise Misused(message)
    place: dict[str, Any] = {"uri": uri, "target": target}
    with control_plane(url) as client:
        made = client.models.create(
            name,
            version,
            metrics=_metrics(metric),
            datasets=dataset or (),
            audience=audience(for_group, for_person, everyone=everyone, nobody=False),
            description=description,
            **{key: value for key, value in place.items() if value is not None},
        )
        if file is not None:
            made = client.models.upload(name, version, file)
    if as_json:
        out.document(made)
    out.say(f"{name} {version} is registered.")


def _metrics(given: list[str] | None) -> dict[str, float]:
    found = {}
    for text in given or ():
        name, _, value = text.partition("=")
        try:
            found[name] = float(value)
        except ValueError as error:
            message = f"{text!r} is no metric.\nWrite it as --metric NAME=NUMBER"
            raise Misused(message) from error
    return found


def share(  # noqa: PLR0913, PLR0917 - each is an option of the command
    name: ModelName,
    version: ModelVersion,
    everyone: Everyone = False,
    for_group: Groups = None,
    for_person: People = None,
    for_nobody: Nobody = False,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Say who may load a version of a model, beside whoever registered it."""
    out = Output(as_json=as_json)
    who = audience(for_group, for_person, everyone=everyone, nobody=for_nobody)
    if who is None:
        message = (
            "With whom?\nSay --for-group GROUP, --for-person PERSON, --everyone or --for-nobody"
        )
        raise Misused(message)
    with control_plane(url) as client:
        found = client.models.share(name, version, who)
    if as_json:
        out.document(found)
    out.say(f"{name} {version} is shared with {who.words}.")


def download(
    name: ModelName,
    version: ModelVersion,
    into: Annotated[Path, typer.Argument(metavar="FILE", help="Where to write it.")],
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Write the file of a model to a file here."""
    out = Output(as_json=as_json)
    with control_plane(url) as client:
        client.models.download(name, version, into)
    out.say(f"{name} {version} was written to {into}.")


def delete(
    name: ModelName,
    version: ModelVersion,
    yes: Yes = False,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Forget a version of a model, and the file that a target keeps of it."""
    out = Output(as_json=as_json)
    with control_plane(url) as client:
        if not yes:
            agree(f"Delete {name} {version}?")
        client.models.delete(name, version)
    out.say(f"{name} {version} was deleted.")
