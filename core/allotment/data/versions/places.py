"""Where targets lie: two of them on one place would clean each other's versions away."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from os.path import realpath
from pathlib import Path
from urllib.parse import urlsplit

from allotment.model.reasons import Reason, Rule
from allotment.model.versions import ContentsKind, MetadataKind, VersionTarget

_FOLDER = "folder"


@dataclass(frozen=True, slots=True)
class Place:
    """A folder, or a prefix of a bucket: ``store`` says in which store, ``steps`` lead there from its top."""

    store: str
    steps: tuple[str, ...]

    def overlaps(self, other: Place) -> bool:
        """Whether one of both lies within the other."""
        shorter = min(len(self.steps), len(other.steps))
        return self.store == other.store and self.steps[:shorter] == other.steps[:shorter]


def places_of(target: VersionTarget) -> tuple[Place, ...]:
    """Where a target keeps things: its contents, and its histories where they are in a folder."""
    places = [_contents(target)]
    if target.metadata_kind is MetadataKind.FOLDER and target.metadata.get("path"):
        places.append(_folder(str(target.metadata["path"])))
    return tuple(one for one in places if one.steps)


def overlap_reason(target: VersionTarget, others: Iterable[VersionTarget]) -> Reason | None:
    """Why a target may not lie where it does: another of these keeps things there."""
    own = places_of(target)
    for other in others:
        theirs = places_of(other)
        if other.name != target.name and any(one.overlaps(each) for one in own for each in theirs):
            return Reason(
                Rule.DATA_VERSION,
                f"The target {target.name!r} would lie where {other.name!r} keeps its own.",
                remedy="Choose a folder or a prefix of its own, neither within the other's nor around it.",
            )
    return None


def _contents(target: VersionTarget) -> Place:
    fields = target.contents
    if target.contents_kind is ContentsKind.FOLDER:
        path = str(fields.get("path") or "")
        return _folder(path) if path else Place(_FOLDER, ())
    endpoint = str(fields.get("endpoint") or "").strip().lower()
    store = urlsplit(endpoint).netloc or endpoint
    prefix = str(fields.get("prefix") or "").strip("/").split("/")
    bucket = str(fields.get("bucket") or "")
    return Place(
        f"{target.contents_kind} {store}",
        (bucket, *(one for one in prefix if one)) if bucket else (),
    )


def _folder(path: str) -> Place:
    return Place(_FOLDER, Path(realpath(path)).parts)
