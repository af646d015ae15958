"""Commands about versions of datasets, and the targets that keep them."""

from __future__ import annotations

import time
from typing import Annotated, Any

import typer

from allotment.cli.agreeing import agree
from allotment.cli.ending import Exit
from allotment.cli.filling import Fields, Secrets, fields, secrets
from allotment.cli.options import Json, Url, Yes, control_plane
from allotment.cli.output import Output, ago
from allotment.client import AllotmentClient
from allotment.model.amounts import counted, format_size
from allotment.model.documents import Version, VersionFile, VersionTarget
from allotment.model.refusals import NotFound
from allotment.model.versions import VersionState

DatasetName = Annotated[str, typer.Argument(metavar="DATASET", help="The dataset's name.")]
VersionName = Annotated[
    str, typer.Argument(metavar="VERSION", help="A number, a tag, or a day, month or time.")
]
TargetName = Annotated[str, typer.Argument(metavar="TARGET", help="The target's name.")]
LOOK_EVERY = 1.0
"""Seconds between two looks at a commit under way."""


def add_to(app: typer.Typer) -> None:
    """Add these commands to the program."""
    app.command()(versions)
    app.command("version-commit")(commit)
    app.command("version-files")(files)
    app.command("version-diff")(difference)
    app.command("version-tag")(tag)
    app.command()(targets)
    app.command("target")(change_target)
    app.command("target-kinds")(kinds)
    app.command("target-test")(try_target)
    app.command("target-delete")(delete_target)


def versions(name: DatasetName, url: Url = None, as_json: Json = False) -> None:
    """List the versions of a dataset, the newest first."""
    out = Output(as_json=as_json)
    with control_plane(url) as client:
        found = client.versions.all(name)
    if as_json:
        out.document(found)
        return
    out.table(
        ("#Version", "State", "When", "Who", "#Rows", "#Size", "#Files", "Tags", "Message"),
        [
            (
                one.number,
                one.state,
                f"{ago(one.at)} ago",
                one.committed_by,
                one.rows,
                format_size(one.size),
                one.files,
                ", ".join(one.tags),
                one.problem or one.message,
            )
            for one in found.items
        ],
        empty=f"{name} has no version. Commit one: allotment version-commit {name} -m MESSAGE",
    )
    if found.items:
        space = found.items[0].space
        out.say(f"DVC reads them as datasets/{space}, revisions {space}/v1, {space}/TAG.")


def commit(
    name: DatasetName,
    message: Annotated[str, typer.Option("--message", "-m", help="Why there is a version.")],
    wait: Annotated[bool, typer.Option(help="Wait until it is committed.")] = True,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Commit a version of a dataset's files as they are now. Exit status 1 where that fails."""
    out = Output(as_json=as_json)
    with control_plane(url) as client:
        made = client.versions.commit(name, message)
        while wait and made.state is VersionState.COMMITTING:
            time.sleep(LOOK_EVERY)
            made = client.versions.get(name, made.number)
    if as_json:
        out.document(made)
    out.say(_sentence(made), "red" if made.state is VersionState.FAILED else "")
    if made.state is VersionState.FAILED:
        raise typer.Exit(Exit.REFUSED)


def _sentence(made: Version) -> str:
    if made.state is VersionState.FAILED:
        return f"Version {made.number} of {made.dataset} failed: {made.problem}"
    if made.state is VersionState.COMMITTING:
        return f"Version {made.number} of {made.dataset} is being committed."
    return f"Version {made.number} of {made.dataset}: {counted(made.files, 'file')}, {format_size(made.size)}."


def files(name: DatasetName, version: VersionName, url: Url = None, as_json: Json = False) -> None:
    """List the files of a version."""
    out = Output(as_json=as_json)
    with control_plane(url) as client:
        found = client.versions.get(name, version)
    if as_json:
        out.document(found)
        return
    out.say(_sentence(found))
    rows = [(one.path, format_size(one.size), one.md5) for one in found.contents or ()]
    out.table(("File", "#Size", "MD5"), rows, empty="It has no files.")


def difference(
    name: DatasetName,
    version: VersionName,
    before: Annotated[
        str | None, typer.Option("--from", help="The earlier one; else the one before.")
    ] = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Say what is different in a version from an earlier one."""
    out = Output(as_json=as_json)
    with control_plane(url) as client:
        found = client.versions.difference(name, version, before=before)
    if as_json:
        out.document(found)
        return
    rows = [*_files("added", found.added), *_files("removed", found.removed)]
    rows += _files("changed", found.changed)
    out.table(("What", "File", "#Size"), rows, empty="Nothing is different.")
    if found.rows is not None:
        out.say(f"{abs(found.rows):,} rows {'more' if found.rows >= 0 else 'fewer'}.")


def _files(what: str, found: tuple[VersionFile, ...]) -> list[tuple[object, ...]]:
    return [(what, one.path, format_size(one.size)) for one in found]


def tag(
    name: DatasetName,
    version: VersionName,
    tag_name: Annotated[str, typer.Argument(metavar="TAG", help="The name that it gets.")],
    remove: Annotated[bool, typer.Option("--remove", help="Take it away instead.")] = False,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Give a version a name, or take it away."""
    out = Output(as_json=as_json)
    with control_plane(url) as client:
        if remove:
            client.versions.untag(name, version, tag_name)
        else:
            client.versions.tag(name, version, tag_name)
    out.say(f"{tag_name} {'names no version' if remove else f'names version {version}'} of {name}.")


def targets(url: Url = None, as_json: Json = False) -> None:
    """List the targets that keep versions and models."""
    out = Output(as_json=as_json)
    with control_plane(url) as client:
        found = client.targets.all()
    if as_json:
        out.document(found)
        return
    out.table(
        ("Target", "Title", "Histories", "Contents", "Tested", "State"),
        [
            (
                one.name,
                one.title,
                one.metadata_kind,
                one.contents_kind,
                f"{ago(one.tested_at)} ago" if one.tested_at else "never",
                one.problem or ("enabled" if one.enabled else "disabled"),
            )
            for one in found.items
        ],
        empty="There is no target.",
    )


def kinds(url: Url = None, as_json: Json = False) -> None:
    """List what histories and contents of a target can be, with the fields that are asked for."""
    out = Output(as_json=as_json)
    with control_plane(url) as client:
        found = client.targets.forms()
    if as_json:
        out.document(found)
        return
    out.table(
        ("Part", "Kind", "Field", "Type", "Needed", "What"),
        [
            (
                form.part,
                form.kind,
                f"{form.part}.{one.name}",
                one.type,
                "yes" if one.required else "",
                one.help,
            )
            for form in found.items
            for one in form.fields
        ],
        empty="There are none.",
    )


def change_target(  # noqa: PLR0913, PLR0917 - each is an option of the command
    name: TargetName,
    metadata: Annotated[
        str | None, typer.Option(help="What keeps histories: folder or git.")
    ] = None,
    contents: Annotated[
        str | None, typer.Option(help="What keeps contents: folder, s3 or gcs.")
    ] = None,
    set_: Fields = None,
    secret: Secrets = None,
    title: Annotated[str | None, typer.Option(help="What people read.")] = None,
    enable: Annotated[
        bool | None, typer.Option("--enable/--disable", help="Whether it takes new versions.")
    ] = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Set a target up, or change what is given of one; it is tested first.

    Fields and secrets are named metadata.NAME or contents.NAME; see target-kinds.
    """
    out = Output(as_json=as_json)
    entered = fields(set_) | secrets(secret)
    given: dict[str, Any] = {
        part: {
            key.removeprefix(f"{part}."): value
            for key, value in entered.items()
            if key.startswith(f"{part}.")
        }
        for part in ("metadata", "contents")
    }
    given |= {} if title is None else {"title": title}
    with control_plane(url) as client:
        found = _put_target(client, name, (metadata, contents), given, enable=enable)
    if as_json:
        out.document(found)
    state = "enabled" if found.enabled else "disabled"
    out.say(
        f"{found.name} keeps histories in {found.metadata_kind}, contents in {found.contents_kind}; {state}."
    )


def _put_target(
    client: AllotmentClient,
    name: str,
    kinds_: tuple[str | None, str | None],
    given: dict[str, Any],
    *,
    enable: bool | None,
) -> VersionTarget:
    try:
        before = client.targets.get(name)
    except NotFound:
        if kinds_[0] is None or kinds_[1] is None:
            raise
        return client.targets.create(
            name, metadata_kind=kinds_[0], contents_kind=kinds_[1], **given
        )
    changed = {key: value for key, value in given.items() if value}
    changed |= {} if enable is None else {"enabled": enable}
    if not changed:
        return before
    return client.targets.edit(name, revision=before.revision, **changed)


def try_target(name: TargetName, url: Url = None, as_json: Json = False) -> None:
    """Test a target: everything that a commit does, once. Exit status 1 where it fails."""
    out = Output(as_json=as_json)
    with control_plane(url) as client:
        found = client.targets.check(name)
    if as_json:
        out.document(found)
    out.say(found.words, "" if found.reached else "red")
    if not found.reached:
        raise typer.Exit(Exit.REFUSED)


def delete_target(
    name: TargetName, yes: Yes = False, url: Url = None, as_json: Json = False
) -> None:
    """Forget a target that keeps nothing. What lies there stays."""
    out = Output(as_json=as_json)
    with control_plane(url) as client:
        before = client.targets.get(name)
        if not yes:
            agree(f"Forget {name}?")
        client.targets.delete(name, revision=before.revision)
    out.say(f"{name} was deleted.")
