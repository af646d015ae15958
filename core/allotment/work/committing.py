"""Committing versions: in fair turns, one after the other for each dataset, in processes of their own."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from threading import Condition, Event

from allotment.data.kinds.kind import Borrower
from allotment.data.opening import Opening
from allotment.data.versions.committing import CommitRequest, Committed
from allotment.data.versions.history import History
from allotment.data.versions.process import commit_apart
from allotment.data.versions.reading import difference, files_of_version
from allotment.data.versions.target import OpenedTarget
from allotment.data.versions.testing import check_target
from allotment.model.datasets import Dataset
from allotment.model.refusals import NotFound, Refusal
from allotment.model.sources import Credential, Source, SourceKind
from allotment.model.versions import Version, VersionDifference, VersionFile
from allotment.record import Reading, Record, datasets, living_commits, sources, targets, versions
from allotment.work.commit_turns import AT_ONCE, LONGEST, Turns, too_long
from allotment.work.rights_of_commits import reading_reason

log = logging.getLogger(__name__)

EVERY = 15.0
SILENT_FOR = timedelta(minutes=2)
"""After so long without a word whoever committed a version has died."""
_LENT = timedelta(hours=1)
_ACTOR = "versions"
_REMEMBERED = 64


class GivenUp(Exception):
    """A commit that does not count any more: its dataset is gone, or another took it for dead."""


class Committing:
    """Carries commits out, and reads what they made. ``folder`` holds caches and copies of histories."""

    def __init__(
        self, record: Record, opening: Opening, folder: Path, clock: Callable[[], datetime]
    ) -> None:
        self._record, self._opening, self._folder, self._clock = record, opening, folder, clock
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="commit")
        self._changed = Condition()
        self._turns = Turns()
        self._closing = Event()
        self._files = lru_cache(_REMEMBERED)(self._read_files)

    def begin(self, dataset: Dataset, target: str, message: str, person: str) -> Version:
        """Give a version its number, and begin it when its turn has come.

        Raises:
            NotFound: the dataset is gone.
            Refusal: the target is disabled, earlier versions lie in another, or enough commits of this
                dataset or person are under way or wait.
        """
        with self._changed:
            crowded = self._turns.refusal(person, dataset.name, dataset.space)
            if crowded is not None:
                raise Refusal(crowded)
            with self._record.writing(person, self._clock()) as writing:
                version = versions.begin(writing, dataset.name, target, message, person)
                if version.space != dataset.space:
                    # Another has taken the name since it was looked who may commit.
                    raise NotFound("dataset", dataset.name)
            self._turns.add(version)
            self._give_turns()
        return version

    def wait(self, seconds: float) -> None:
        """Wait for every commit that was begun."""
        with self._changed:
            self._changed.wait_for(lambda: not self._turns.tokens(), seconds)

    def close(self) -> None:
        """Begin no further commit, and give up what is under way: within seconds this process can end."""
        self._closing.set()
        self._threads.shutdown(wait=False, cancel_futures=True)

    def round(self, now: datetime) -> str:
        """Say of commits that wait for their turn that they live, and give up those whose process died."""
        with self._changed:
            tokens = self._turns.tokens()
        with self._record.writing(_ACTOR, now) as writing:
            living_commits.alive(writing, tokens)
            ended = versions.end_abandoned(writing, SILENT_FOR)
        return f"gave up {', '.join(f'{name}@{one}' for name, one in ended)}" if ended else ""

    def files(self, version: Version) -> tuple[VersionFile, ...]:
        """The files of a committed version, by path.

        Raises:
            SourceProblem: its target does not have it, or does not answer.
        """
        return self._files(version)

    def difference(self, before: Version, after: Version) -> VersionDifference:
        """What is different in ``after`` from ``before``.

        Raises:
            SourceProblem: a target does not have one of them, or does not answer.
        """
        return difference(before, after, self._files(before), self._files(after))

    def label(self, version: Version, tags: Mapping[str, bool]) -> None:
        """Let tags name a version in its history, too; False takes one away.

        Raises:
            SourceProblem: the target refuses it.
        """
        commits = {tag: version.commit if named else None for tag, named in tags.items()}
        opened = self.opened(version.target)
        History(opened, self._opening.door, self._folder).tag(version.space, commits)

    def check(self, opened: OpenedTarget) -> str:
        """Test a target; answers in one sentence what was reached.

        Raises:
            SourceProblem: something of it cannot be done.
        """
        return check_target(opened, self._opening.door, self._folder, self._clock())

    def opened(self, name: str) -> OpenedTarget:
        """A target with its secrets.

        Raises:
            NotFound: there is none.
        """
        with self._record.reading() as reading:
            target = targets.get(reading, name)
            return OpenedTarget(target, self._opening.unsealed(targets.sealed(reading, name)))

    def _read_files(self, version: Version) -> tuple[VersionFile, ...]:
        opened = self.opened(version.target)
        return files_of_version(opened, version, self._opening.door, self._folder)

    def _give_turns(self) -> None:
        """Begin those whose turn has come: never more than there are threads, so that none waits in one."""
        while not self._closing.is_set() and (version := self._turns.next()) is not None:
            self._threads.submit(self._carry_out, version)

    def _carry_out(self, version: Version) -> None:
        until = self._clock() + LONGEST
        try:
            request = self._request(version)
            made = commit_apart(
                request,
                lambda done, total: self._tell(version, done, total, until),
                lambda: self._lent_again(version),
            )
        except GivenUp:
            log.warning("version %d of %s is given up", version.number, version.dataset)
        except Refusal as refusal:
            self._fail(version, str(refusal))
        except Exception as error:  # the version must not stay under way for ever
            log.exception("version %d of %s broke", version.number, version.dataset)
            self._fail(version, f"It broke: {type(error).__name__}. The log says where.")
        else:
            self._finish(version, made)
        finally:
            with self._changed:
                self._turns.done(version)
                self._give_turns()
                self._changed.notify_all()

    def _request(self, version: Version) -> CommitRequest:
        kind, credential, dataset = self._lent(version)
        return CommitRequest(
            dataset=dataset.name,
            space=dataset.space,
            cleanings=dataset.cleanings,
            uris=dataset.uris,
            format=dataset.format,
            options=dict(dataset.options),
            kind=kind,
            credential=credential,
            target=self.opened(version.target),
            number=version.number,
            message=version.message,
            person=version.committed_by,
            at=self._clock(),
            door=self._opening.door,
            closed=self._closed() if kind is None else (),
            work=self._folder,
        )

    def _closed(self) -> tuple[Path, ...]:
        with self._record.reading() as reading:
            return self._opening.own_door(reading).closed_paths

    def _lent(self, version: Version) -> tuple[SourceKind | None, Credential | None, Dataset]:
        """What opens the files, if anything must; asked for without a transaction: a provider takes its time.

        Raises:
            Refusal: whoever commits may not read them any more.
            GivenUp: the dataset is gone.
        """
        now = self._clock()
        with self._record.reading() as reading:
            dataset, source = _still_readable(reading, version, now)
            if source is None:
                return None, None, dataset
            opened = self._opening.source(reading, source)
        borrower = Borrower(version.committed_by, "", "", now + _LENT, "")
        kind = self._opening.kind(source)
        credential = kind.issue(opened, borrower, self._opening.door, now)
        return source.kind, credential, dataset

    def _lent_again(self, version: Version) -> Credential:
        """Another credential, for a commit that outlasts the one that it began with."""
        _kind, credential, _dataset = self._lent(version)
        return credential or Credential({})

    def _tell(self, version: Version, done: int, total: int, until: datetime) -> None:
        """Say how far a commit is; it asks every few seconds, whatever happens.

        Raises:
            Refusal: whoever commits may not read the files any more, or it has taken too long.
            GivenUp: it does not count any more, or the control plane ends.
        """
        if self._closing.is_set():
            raise GivenUp
        now = self._clock()
        with self._record.writing(_ACTOR, now, configuration=False) as writing:
            _still_readable(writing, version, now)
            if not versions.progress(
                writing, version.dataset, version.number, done, total, version.token
            ):
                raise GivenUp
        if now >= until:
            raise Refusal(too_long())

    def _finish(self, version: Version, made: Committed) -> None:
        try:
            with self._record.writing(version.committed_by, self._clock()) as writing:
                _same_dataset(writing, version)
                versions.finish(
                    writing,
                    version.dataset,
                    version.number,
                    commit=made.commit,
                    files=made.files,
                    size=made.size,
                    rows=made.rows,
                    token=version.token,
                )
                datasets.read(writing, version.dataset, made.reading)
        except GivenUp:
            log.warning("version %d of %s is given up", version.number, version.dataset)
        except Refusal as refusal:
            log.warning("version %d of %s: %s", version.number, version.dataset, refusal)

    def _fail(self, version: Version, problem: str) -> None:
        with (
            suppress(GivenUp),
            self._record.writing(version.committed_by, self._clock()) as writing,
        ):
            _same_dataset(writing, version)
            versions.fail(writing, version.dataset, version.number, problem, version.token)


def _same_dataset(reading: Reading, version: Version) -> Dataset:
    """The dataset that a version was begun for, and not another that has taken its name since.

    Raises:
        GivenUp: it is gone.
    """
    try:
        dataset = datasets.get(reading, version.dataset)
    except NotFound:
        raise GivenUp from None
    if dataset.space != version.space:
        raise GivenUp
    return dataset


def _still_readable(
    reading: Reading, version: Version, now: datetime
) -> tuple[Dataset, Source | None]:
    """The dataset of a version, and its source, while whoever commits may read them.

    Raises:
        Refusal: they may not any more.
        GivenUp: the dataset is gone.
    """
    dataset = _same_dataset(reading, version)
    source = None if dataset.source is None else sources.get(reading, dataset.source)
    reason = reading_reason(reading, version.committed_by, dataset, source, now)
    if reason is not None:
        raise Refusal(reason)
    return dataset, source
