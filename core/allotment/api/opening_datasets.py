"""What a server is given to load a dataset: where its files lie, and what opens them."""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta

from allotment.api.dataset_files import opened_files
from allotment.api.plane import ControlPlane
from allotment.api.views.datasets import column_documents
from allotment.data.datasets.listing import ListedFile, list_files
from allotment.data.datasets.stores import open_store
from allotment.data.datasets.stores.store import Store
from allotment.data.datasets.uris import parse_all, parts_of_store
from allotment.data.kinds.kind import Borrower
from allotment.data.opening import known_kind
from allotment.data.problems import SourceProblem
from allotment.data.versions.reading import uris_of
from allotment.model import documents
from allotment.model.allotments import Allotment
from allotment.model.datasets import Dataset
from allotment.model.partitions import partitions_of
from allotment.model.reasons import Reason, Rule
from allotment.model.refusals import NotFound, Refusal
from allotment.model.sources import Credential, Part, Source, SourceKind
from allotment.model.versions import Version, VersionState
from allotment.record import versions
from allotment.rules.data_access import Asker, promised_version
from allotment.work.lending import FilesOf
from allotment.work.rights_of_loans import right_of

PROMISED = "promised"
_HOUR = timedelta(hours=1)


def wanted_version(
    plane: ControlPlane, dataset: Dataset, asker: Asker, wanted: int | str | None
) -> Version | None:
    """The version that is asked for; None: the files as they are now.

    Raises:
        NotFound: there is none.
        Refusal: this server was promised none, or it is not committed.
    """
    if wanted is None:
        return None
    if wanted == PROMISED:
        wanted = promised_version(dataset, asker)
        if wanted is None:
            message = f"There was no version of {dataset.name!r} when this server started."
            remedy = "Load it without a version, or name one."
            raise Refusal(Reason(Rule.DATA_VERSION, message, remedy=remedy))
    with plane.record.reading() as reading:
        found = versions.get(reading, dataset.name, wanted)
    if found.state is not VersionState.COMMITTED:
        message = f"Version {found.number} of {dataset.name!r} is {found.state}."
        remedy = "Wait until it is committed, or name another."
        raise Refusal(Reason(Rule.DATA_VERSION, message, remedy=remedy))
    return found


def open_now(
    plane: ControlPlane,
    dataset: Dataset,
    source: Source | None,
    server: Allotment,
    *,
    listed: bool = True,
) -> documents.DatasetAccess:
    """The files of a dataset as they are now, and what opens them; not ``listed``: only that.

    Raises:
        SourceProblem: they cannot be listed, or a URI names none.
    """
    door, credential = plane.data.opening.door, None
    found: tuple[ListedFile, ...] | None = None
    if source is not None:
        files_of, found = _files_of(plane, dataset, source, server)
        credential = plane.data.lending.lend(source, server, plane.now(), files_of)
    else:
        with plane.record.reading() as reading:
            door = plane.data.opening.own_door(reading)
    kind = None if source is None else source.kind
    files: tuple[documents.DatasetFile, ...] = ()
    if listed:
        if found is None:
            with closing(open_store(kind, credential, door)) as store:
                found = _listed(dataset, store)
        files = tuple(
            documents.DatasetFile(path=one.path, uri=one.uri, size=one.size) for one in found
        )
    storage = _storage(plane, kind or SourceKind.FOLDER, dataset.source, credential)
    return _access(dataset, files, storage)


def _files_of(
    plane: ControlPlane, dataset: Dataset, source: Source, server: Allotment
) -> tuple[FilesOf, tuple[ListedFile, ...] | None]:
    """The parts of a source that a dataset's files are in, and the files where they had to be looked for.

    What a pattern begins with holds other files, too: who may not use the source is lent those that match.
    """
    uris = parse_all(dataset.uris)
    exact = not any(one.is_pattern for one in uris)
    with plane.record.reading() as reading:
        whole = right_of(reading, source, None, server, plane.now()) is not None
    if exact or whole:
        return FilesOf(dataset.name, parts_of_store(uris), exact), None
    with opened_files(plane, source, server.person) as store:
        found = _listed(dataset, store)
    parts = tuple(Part(one.stored.uri.path, exact=True) for one in found)
    return FilesOf(dataset.name, parts, exact=True), found


def _listed(dataset: Dataset, store: Store) -> tuple[ListedFile, ...]:
    found = list_files(dataset.uris, store)
    if found.problems:
        first = found.problems[0]
        message = f"{first.uri} {first.problem}."
        remedy = "Ask whoever manages the dataset to look after its files."
        raise SourceProblem(message, remedy=remedy)
    return found.files


def open_version(
    plane: ControlPlane, dataset: Dataset, version: Version, server: Allotment
) -> documents.DatasetAccess:
    """The files of a version in its target, and what reads just this dataset's there.

    Raises:
        NotFound: it is of another dataset, which has taken the name meanwhile.
        SourceProblem: the target does not give it, or only by an account that can write.
    """
    if version.space != dataset.space:
        raise NotFound("version", f"{dataset.name}@{version.number}")
    opened, door, now = (
        plane.data.committing.opened(version.target),
        plane.data.opening.door,
        plane.now(),
    )
    if plane.system_users and opened.source_kind is SourceKind.FOLDER:
        message = f"The target {version.target!r} is a folder that only the platform itself reads."
        remedy = (
            "Ask an operator for a target in a bucket: servers here have system users of their own."
        )
        raise SourceProblem(message, remedy=remedy, rule=Rule.DATA_VERSION)
    found = plane.data.committing.files(version)
    lasts = plane.data.target_ends.lasting(opened, door, now)
    borrower = Borrower(server.person, server.server, server.id, now + _HOUR, "", lasts)
    kind = known_kind(opened.source_kind)
    credential = kind.issue(opened.contents_source(version.space), borrower, door, now)
    if credential.shared:
        # That account writes every dataset's versions: nobody is lent it.
        message = f"The target {version.target!r} cannot lend what only reads."
        remedy = "Ask an operator for a target whose store issues short-lived credentials."
        raise SourceProblem(message, remedy=remedy, rule=Rule.DATA_VERSION)
    uris = uris_of(opened, version.space, found)
    files = tuple(
        documents.DatasetFile(path=one.path, uri=uri, size=one.size)
        for one, uri in zip(found, uris, strict=True)
    )
    storage = _storage(plane, opened.source_kind, None, credential)
    return _access(dataset, files, storage, version)


def _access(
    dataset: Dataset,
    files: tuple[documents.DatasetFile, ...],
    storage: documents.DatasetStorage,
    version: Version | None = None,
) -> documents.DatasetAccess:
    reading = dataset.reading
    now = version is None
    return documents.DatasetAccess(
        dataset=dataset.name,
        version=None if version is None else version.number,
        format=dataset.format,
        options=dict(dataset.options if reading is None else reading.options),
        columns=() if reading is None or not now else column_documents(reading.columns),
        partitions=column_documents(partitions_of(one.path for one in files)),
        rows=(None if reading is None else reading.rows) if version is None else version.rows,
        files=files,
        storage=storage,
    )


def _storage(
    plane: ControlPlane, kind: SourceKind, source: str | None, credential: Credential | None
) -> documents.DatasetStorage:
    return documents.DatasetStorage(
        kind=kind,
        source=source,
        fields={} if credential is None else dict(credential.fields),
        expires_at=None if credential is None else credential.expires_at,
        shared=credential is not None and credential.shared,
        now=plane.now(),
    )
