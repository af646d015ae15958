"""Versions as they are read: their files, what differs between two, where their contents lie."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from allotment.data.datasets.uris import written
from allotment.data.door import Door
from allotment.data.problems import SourceProblem
from allotment.data.versions import layout
from allotment.data.versions.contents import get, open_contents
from allotment.data.versions.history import History
from allotment.data.versions.target import OpenedTarget
from allotment.model.reasons import Rule
from allotment.model.sources import SourceKind
from allotment.model.versions import Version, VersionDifference, VersionFile


def files_of_version(
    opened: OpenedTarget, version: Version, door: Door, work: Path
) -> tuple[VersionFile, ...]:
    """The files of a committed version, by path.

    Raises:
        SourceProblem: the target does not answer, or does not have it any more.
    """
    pointer = History(opened, door, work).pointer(version.space, version.commit)
    try:
        tree = layout.tree_of(pointer)
        with closing(open_contents(opened, door, version.space)) as contents:
            return layout.read_sizes(get(contents, layout.sizes_key(tree)))
    except ValueError:
        raise SourceProblem(
            f"Version {version.number} of {version.dataset!r} cannot be read from "
            f"{opened.name!r}: what names its files is broken.",
            remedy="Ask an operator whether somebody else writes into the target.",
            rule=Rule.DATA_VERSION,
        ) from None


def uris_of(opened: OpenedTarget, space: str, files: Iterable[VersionFile]) -> tuple[str, ...]:
    """Where the contents of these files lie, in their order, for a reader with the target's credential."""
    fields = opened.contents_source(space).fields
    if opened.source_kind is SourceKind.FOLDER:
        return tuple(f"{fields['path']}/{layout.object_key(one.md5)}" for one in files)
    place, prefix = str(fields["bucket"]), str(fields["prefix"])
    return tuple(
        written(opened.source_kind, place, prefix + layout.object_key(one.md5)) for one in files
    )


def difference(
    before: Version,
    after: Version,
    files_before: Iterable[VersionFile],
    files_after: Iterable[VersionFile],
) -> VersionDifference:
    """What is different in one version from another: files by path, and rows where both know theirs."""
    old = {file.path: file for file in files_before}
    new = {file.path: file for file in files_after}
    known = before.rows is not None and after.rows is not None
    return VersionDifference(
        before=before.number,
        after=after.number,
        added=tuple(new[path] for path in sorted(new.keys() - old.keys())),
        removed=tuple(old[path] for path in sorted(old.keys() - new.keys())),
        changed=tuple(
            new[path] for path in sorted(new.keys() & old.keys()) if new[path].md5 != old[path].md5
        ),
        rows=(after.rows or 0) - (before.rows or 0) if known else None,
    )
