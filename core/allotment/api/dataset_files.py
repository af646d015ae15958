"""The files of datasets: which source opens them, what they tell of themselves, where they lie now."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import timedelta
from os.path import realpath
from pathlib import Path

from allotment.api.plane import ControlPlane
from allotment.api.views.onlooker import Onlooker
from allotment.data.datasets.reading import read_dataset
from allotment.data.datasets.stores import open_store
from allotment.data.datasets.stores.store import Store
from allotment.data.datasets.uris import covering, covers, parse_all
from allotment.data.kinds.kind import Borrower
from allotment.data.problems import SourceProblem
from allotment.model.datasets import Dataset, FileFormat
from allotment.model.reasons import Reason, Rule
from allotment.model.refusals import Refusal
from allotment.model.sources import Source, SourceKind
from allotment.record import Reading, sources
from allotment.record.kept_folders import kept_folders
from allotment.rules.data_access import source_grounds

_FOR_ONE_CALL = timedelta(minutes=15)
_TOLD = 20
"""Files whose problems are told in a refusal; the others are counted."""


def source_for(
    reading: Reading, onlooker: Onlooker, uris: tuple[str, ...], named: str | None
) -> Source | None:
    """The source through which files are read: the one that is named, else the best that opens them all.

    None for files of the platform's own folders, where no source covers them.

    Raises:
        SourceProblem: none that may be used opens them.
    """
    parsed = parse_all(uris)
    known = [one for one in sources.all_sources(reading) if onlooker.knows_source(one)]
    usable = [
        one
        for one in known
        if onlooker.manages_source(one) or source_grounds(one, onlooker.asker) is not None
    ]
    found = covering(parsed, usable)
    if named is not None:
        chosen = next((one for one in usable if one.name == named), None)
        if chosen is None or not all(covers(chosen.kind, chosen.fields, uri) for uri in parsed):
            message = f"No source {named!r} that you may use opens all of these URIs."
            others = ", ".join(one.name for one in found) or "none that you may use"
            raise SourceProblem(message, remedy=f"What opens them: {others}.")
        return chosen
    if found:
        return found[0]
    must_be_nobodys(reading, uris)
    return None


def must_be_nobodys(reading: Reading, uris: tuple[str, ...]) -> None:
    """Refuse what is not of the platform's own folders, or reaches into a source or target there.

    Those are shared with some; whoever may use them reads them through the source. Folders are compared
    as they are, not as they are written: a folder above holds a source's files too, and so does a link.

    Raises:
        SourceProblem: with the first URI that does.
    """
    kept = [Path(realpath(one)) for one in kept_folders(reading)]
    for uri in parse_all(uris):
        if uri.kind is SourceKind.FOLDER:
            place = Path(realpath(uri.folder if uri.is_pattern else uri.path))
            if not any(one.is_relative_to(place) or place.is_relative_to(one) for one in kept):
                continue
        message = f"No source that you may use opens {uris[0][:200]}."
        raise SourceProblem(message, remedy="Ask whoever manages sources to share one with you.")


@contextmanager
def opened_files(plane: ControlPlane, source: Source | None, person: str) -> Iterator[Store]:
    """Open files with what a server would get, for one call of the control plane."""
    door, now = plane.data.opening.door, plane.now()
    if source is None:
        with plane.record.reading() as reading:
            own = plane.data.opening.own_door(reading)
        with closing(open_store(None, None, own)) as store:
            yield store
        return
    with plane.record.reading() as reading:
        opened = plane.data.opening.source(reading, source)
    kind = plane.data.opening.kind(source)
    borrower = Borrower(person, "", "", now + _FOR_ONE_CALL, "")
    if not kind.holds_files:
        message = f"{source.name} is a {kind.title} source: it holds tables, not files."
        raise SourceProblem(message, remedy="Load its tables by allotment.sql.")
    credential = kind.issue(opened, borrower, door, now)
    with closing(open_store(source.kind, credential, door)) as store:
        yield store


def with_reading(
    plane: ControlPlane,
    dataset: Dataset,
    source: Source | None,
    person: str,
    asked: FileFormat | None,
) -> Dataset:
    """A dataset with what its files tell of themselves now; ``asked`` None finds out how they are written.

    Raises:
        Refusal: a reason for each file that cannot be used.
        SourceProblem: nothing could be read.
    """
    with opened_files(plane, source, person) as store:
        found, reading = read_dataset(
            dataset.uris, asked, dataset.options, store, plane.data.footers, plane.now()
        )
    if reading.problems:
        told = [
            Reason(
                Rule.DATA_SOURCE,
                f"{one.uri} {one.problem}.".strip(),
                remedy="Mend or remove it, or name other files.",
                details=(one.uri,),
            )
            for one in reading.problems[:_TOLD]
        ]
        raise Refusal(*told)
    return replace(dataset, format=found, reading=reading)
