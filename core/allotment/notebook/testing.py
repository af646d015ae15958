"""``allotment.test``: whether a source or dataset can be read from here, tried for real."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict, dataclass

from allotment.model.refusals import AllotmentError, NotFound
from allotment.notebook.databases import DATABASES
from allotment.notebook.explaining import explained, explained_query, in_words
from allotment.notebook.files import Wanted, is_for_polars, scan
from allotment.notebook.lending import Lent
from allotment.notebook.progress import Progress
from allotment.notebook.sessions import Session
from allotment.notebook.source_paths import OpenedStore, SourcePath

_PROBES = {"oracle": "select 1 as one from dual"}


@dataclass(frozen=True, slots=True)
class Tested:
    """What a test from here found. ``seconds`` is how long it took, ``words`` what was seen or is wrong."""

    name: str
    reached: bool
    words: str
    seconds: float

    def __str__(self) -> str:
        return f"{self.name}: {'reached' if self.reached else 'not reached'}. {self.words} ({self.seconds:.1f} s)"

    __repr__ = __str__


def test_from_here(session: Session, name: str) -> Tested:
    """Read a little of a source or a dataset of this name with a new credential. Never raises for what it finds."""
    began = time.perf_counter()
    session.forget()

    def tested(reached: bool, words: str) -> Tested:  # noqa: FBT001 - called here only
        return Tested(name, reached, words, time.perf_counter() - began)

    try:
        return tested(True, _probed(session, name))  # noqa: FBT003 - reached
    except AllotmentError as problem:
        return tested(False, str(problem))  # noqa: FBT003 - not reached


def _probed(session: Session, name: str) -> str:
    """What was seen of a source, or else of a dataset, of this name."""
    try:
        lent = session.lender.renewed(name)
    except NotFound as no_source:
        try:
            return _dataset(session, name)
        except NotFound:
            raise no_source from None
    return _database(lent) if lent.kind in DATABASES else _store(session, name)


def _database(lent: Lent) -> str:
    query = _PROBES.get(str(lent.kind), "select 1 as one")
    with in_words(lambda error: explained_query(lent.source, error, lent.fields)):
        DATABASES[lent.kind].read(lent, query, Progress(lent.source))
    whose = "the source's registered account" if lent.shared else "an account of this server"
    return f"A query was answered, with {whose}."


def _store(session: Session, name: str) -> str:
    entries = sum(1 for _ in SourcePath(OpenedStore(name, session.lender)).iterdir())
    return f"It lists {entries} {'entry' if entries == 1 else 'entries'} at its top."


def _dataset(session: Session, name: str) -> str:
    access = session.access(name)
    lend = session.lend(name)
    with in_words(lambda error: explained(name, error, access.storage.fields)):
        if is_for_polars(access):
            Wanted(limit=1).of(scan(access, lend, access.files[:1])).collect()
    return f"The first of its {len(access.files)} files was read."


def main() -> None:
    """Test what standard input names, for a server that must not load what a test needs. Answers JSON."""
    from allotment.notebook.sessions import session  # noqa: PLC0415 - only here

    tested = test_from_here(session(), sys.stdin.read().strip())
    sys.stdout.write(json.dumps(asdict(tested)))


if __name__ == "__main__":
    main()
