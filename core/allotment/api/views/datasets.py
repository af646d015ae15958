"""Datasets as documents."""

from __future__ import annotations

from collections.abc import Mapping

from allotment.api.views.onlooker import Onlooker
from allotment.api.views.sources import audience_document
from allotment.model import documents
from allotment.model.datasets import Dataset, DatasetColumn, DatasetReading
from allotment.model.sources import Source
from allotment.rules.data_access import dataset_grounds, dataset_reason

COLUMNS_LISTED = 200
"""Columns of a dataset that a list tells; who asks for it alone is told all."""


def dataset_document(
    dataset: Dataset,
    sources: Mapping[str, Source],
    onlooker: Onlooker,
    held_by: tuple[str, ...] = (),
    columns: int | None = None,
) -> documents.Dataset:
    """A dataset, as far as whoever looks may know it.

    ``sources`` are all of them, by name; ``held_by`` is told to those who manage it; of its columns
    at most ``columns`` are told, None for all.
    """
    through = None if dataset.source is None else sources[dataset.source]
    asker = onlooker.asker
    manages = onlooker.manages_dataset(dataset)
    inside = manages or onlooker.sees_all
    grounds = dataset_grounds(dataset, through, asker)
    obstacle = dataset_reason(dataset, through, asker)
    promise = asker.datasets.get(dataset.name)
    may_open = inside or grounds is not None
    return documents.Dataset(
        name=dataset.name,
        title=dataset.title,
        description=dataset.description,
        uris=dataset.uris if may_open else (),
        format=dataset.format,
        options=dict(dataset.options),
        source=dataset.source if may_open else None,
        label=dataset.label,
        audience=audience_document(dataset.audience) if inside else None,
        group=dataset.group,
        enabled=dataset.enabled,
        revoked_at=dataset.revoked_at,
        reading=None
        if dataset.reading is None
        else _reading(dataset.reading, columns, tell=may_open),
        target=dataset.target,
        version=dataset.version,
        promised_version=None if promise is None else promise.version,
        attachments=_attachments(dataset) if may_open else (),
        manages=manages,
        usable=grounds is not None,
        grounds="" if grounds is None else grounds.value,
        obstacle="" if obstacle is None else obstacle.sentence,
        created_by=dataset.created_by,
        created_at=dataset.created_at,
        changed_at=dataset.changed_at,
        caution=through.caution(f"Users of its source {through.name!r}")
        if may_open and through is not None
        else "",
        opened=dataset.opened_by is not None,
        held_by=held_by if inside else (),
        revision=dataset.revision,
    )


def _reading(
    reading: DatasetReading, columns: int | None, *, tell: bool
) -> documents.DatasetReading:
    return documents.DatasetReading(
        at=reading.at,
        columns=column_documents(reading.columns[:columns]),
        width=len(reading.columns),
        rows=reading.rows,
        rows_exact=reading.rows_exact,
        size=reading.size,
        files=reading.files,
        options=dict(reading.options),
        problems=tuple(
            documents.FileProblem(uri=one.uri, problem=one.problem) for one in reading.problems
        )
        if tell
        else (),
    )


def column_documents(columns: tuple[DatasetColumn, ...]) -> tuple[documents.DatasetColumn, ...]:
    """Columns and their types."""
    return tuple(
        documents.DatasetColumn(name=one.name, type=one.type, nullable=one.nullable)
        for one in columns
    )


def _attachments(dataset: Dataset) -> tuple[documents.Attachment, ...]:
    return tuple(
        documents.Attachment(
            name=one.name,
            size=one.size,
            sha256=one.sha256,
            added_by=one.added_by,
            added_at=one.added_at,
        )
        for one in dataset.attachments
    )
