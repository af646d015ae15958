"""Datasets: registered files, what was read of them, and the documents beside them."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from allotment.model.allotments import Allotment
from allotment.model.datasets import (
    MOST_ATTACHMENTS,
    Attachment,
    Dataset,
    DatasetReading,
    FileFormat,
    PrivacyLabel,
)
from allotment.model.names import check_name
from allotment.model.reasons import Reason, Rule
from allotment.model.refusals import AlreadyExists, NotFound, Refusal
from allotment.model.sources import Audience
from allotment.record import audiences, leftovers, memberships, sources
from allotment.record.audiences import Shared
from allotment.record.dataset_readings import reading_document, reading_of
from allotment.record.engine import Reading, Writing, expect_revision
from allotment.record.leftovers import Leftover, LeftoverKind
from allotment.record.rows import bump, for_change, named
from allotment.record.schema import attachments, groups, version_targets, versions
from allotment.record.schema import datasets as table
from allotment.record.schema import sources as source_rows
from allotment.rules.data_access import Asker, dataset_grounds
from allotment.rules.data_sharing import label_reason

_AT_ONCE = 500
_SPACE_BYTES = 8
"""Of chance in the name of a dataset's space."""


def all_datasets(reading: Reading, *, read: bool = True) -> tuple[Dataset, ...]:
    """Every dataset, by name; without what was read of its files where not ``read``, for that is long."""
    shared = audiences.all_of(reading, Shared.DATASET)
    beside = _attachments(reading)
    columns = [one for one in table.c if read or one is not table.c.reading]
    return tuple(
        _from_row(row, shared.get(row.name, Audience()), beside.get(row.name, ()))
        for row in reading.all(sa.select(*columns).order_by(table.c.name))
    )


def with_readings(reading: Reading, some: Sequence[Dataset]) -> tuple[Dataset, ...]:
    """These datasets with what was read of their files."""
    found: dict[str, DatasetReading | None] = {}
    for start in range(0, len(some), _AT_ONCE):
        names = [one.name for one in some[start : start + _AT_ONCE]]
        rows = reading.all(sa.select(table.c.name, table.c.reading).where(table.c.name.in_(names)))
        found |= {row.name: reading_of(row.reading) for row in rows}
    return tuple(replace(one, reading=found.get(one.name)) for one in some)


def registered_by(reading: Reading, person: str) -> int:
    """How many datasets a person has registered."""
    counted = sa.select(sa.func.count()).select_from(table).where(table.c.created_by == person)
    row = reading.first(counted)
    return 0 if row is None else int(row[0])


def get(reading: Reading, name: str) -> Dataset:
    """One dataset.

    Raises:
        NotFound: there is none of that name.
    """
    row = named(reading, table, "dataset", name)
    beside = _attachments(reading, name).get(name, ())
    return _from_row(row, audiences.of(reading, Shared.DATASET, name), beside)


def usable_by(
    reading: Reading, person: str, now: datetime, allotment: Allotment | None = None
) -> tuple[Dataset, ...]:
    """The datasets that a person may load now, or that a server of theirs may, by name."""
    asker = Asker.of(person, memberships.current_groups(reading, person, now), allotment)
    through = {one.name: one for one in sources.all_sources(reading)}
    return tuple(
        one
        for one in all_datasets(reading)
        if dataset_grounds(one, through.get(one.source or ""), asker) is not None
    )


def create(writing: Writing, wanted: Dataset) -> Dataset:
    """Register a dataset, with what was read of its files, and a space of its own in targets.

    Raises:
        AlreadyExists: the name is taken.
        NotFound: its source, its target, or a group or person of its audience is not there.
        Refusal: its privacy label forbids its audience.
    """
    check_name(wanted.name)
    if writing.first(sa.select(table.c.name).where(table.c.name == wanted.name)) is not None:
        raise AlreadyExists("dataset", wanted.name)
    _check(writing, wanted)
    writing.run(
        table.insert().values(
            name=wanted.name,
            space=f"{wanted.name}-{secrets.token_hex(_SPACE_BYTES)}",
            created_by=wanted.created_by or writing.actor,
            created_at=writing.now,
            changed_at=writing.now,
            reading=reading_document(wanted.reading),
            **_described(wanted),
        )
    )
    audiences.put(writing, Shared.DATASET, wanted.name, wanted.audience)
    made = get(writing, wanted.name)
    writing.event("dataset.created", made.name, group=made.group, after=document(made))
    return made


def edit(writing: Writing, wanted: Dataset, expected: int | None = None) -> Dataset:
    """Change a dataset, enable or disable it. What was read of its files stays: see :func:`read`.

    Raises:
        NotFound, RevisionStale, Refusal: as for :func:`create`.
    """
    for_change(writing, table, "dataset", wanted.name, expected)
    before = get(writing, wanted.name)
    _same(before, wanted)
    _check(writing, wanted)
    if document(before) == document(wanted):
        return before
    if before.target != wanted.target:
        _leave(writing, before)
    undone = {"revoked_by": None} if wanted.enabled else {}
    bump(writing, table, wanted.name, changed_at=writing.now, **undone, **_described(wanted))
    audiences.put(writing, Shared.DATASET, wanted.name, wanted.audience)
    after = get(writing, wanted.name)
    writing.event(
        "dataset.changed",
        after.name,
        group=after.group,
        before=document(before),
        after=document(after),
    )
    return after


def delete(writing: Writing, name: str, expected: int | None = None) -> Dataset:
    """Delete a dataset, its versions and what was beside it, and say what it was; its files stay.

    Raises:
        NotFound, RevisionStale: as ever.
    """
    for_change(writing, table, "dataset", name, expected)
    before = get(writing, name)
    _leave(writing, before)
    audiences.remove(writing, Shared.DATASET, name)
    writing.run(table.delete().where(table.c.name == name))
    writing.event("dataset.deleted", name, group=before.group, before=document(before))
    return before


def _leave(writing: Writing, dataset: Dataset) -> None:
    """Remember where something of a dataset may lie that will not be named any more."""
    rows = writing.all(
        sa.select(versions.c.target).where(versions.c.dataset == dataset.name).distinct()
    )
    free_at = writing.now + leftovers.ENDING
    lying: set[str] = {row.target for row in rows}
    if dataset.target is not None:
        lying.add(dataset.target)
    label = f"dataset {dataset.name}"
    for target in sorted(lying):
        left = Leftover(target, LeftoverKind.SPACE, dataset.space, label, free_at)
        leftovers.note(writing, left)


def read(writing: Writing, name: str, found: DatasetReading, of: Dataset | None = None) -> Dataset:
    """Keep what was read of the files; ``of`` is the dataset as it was when they were.

    Raises:
        NotFound: there is no such dataset, or another has taken the name.
        RevisionStale: it was changed since.
    """
    before = get(writing, name)
    if of is not None:
        _same(before, of)
        expect_revision(f"dataset {name!r}", before.revision, of.revision)
    writing.run(table.update().where(table.c.name == name).values(reading=reading_document(found)))
    after = replace(before, reading=found)
    earlier, now = _size(before), _size(after)
    if earlier != now or (before.reading and before.reading.columns != found.columns):
        writing.event("dataset.read", name, group=before.group, before=earlier, after=now)
    return after


def revoke(writing: Writing, name: str) -> Dataset:
    """Take a dataset back at once, from running servers too.

    Raises:
        NotFound: there is no such dataset.
    """
    before = get(writing, name)
    bump(writing, table, name, enabled=False, revoked_at=writing.now, revoked_by=writing.actor)
    writing.event("dataset.revoked", name, group=before.group, before={"enabled": before.enabled})
    return get(writing, name)


def attach(
    writing: Writing, dataset: str, attachment: Attachment, space: str | None = None
) -> Attachment | None:
    """Note a document beside a dataset; answers the one of the same name whose place it took.

    Its contents lie elsewhere. With ``space`` the dataset must be the one that has it: another may have
    taken the name meanwhile.

    Raises:
        NotFound: there is no such dataset.
        Refusal: as many as there may be are beside it already.
    """
    # Locks the dataset: of two at once each counts the other.
    writing.first(sa.select(table.c.name).where(table.c.name == dataset).with_for_update())
    before = get(writing, dataset)
    if space is not None and before.space != space:
        raise NotFound("dataset", dataset)
    replaced = next((one for one in before.attachments if one.name == attachment.name), None)
    if replaced is None and len(before.attachments) >= MOST_ATTACHMENTS:
        raise Refusal(_too_many(before))
    match = (attachments.c.dataset == dataset, attachments.c.name == attachment.name)
    writing.run(attachments.delete().where(*match))
    writing.run(attachments.insert().values(dataset=dataset, **asdict(attachment)))
    after = {"attachment": attachment.name, "size": attachment.size}
    writing.event("dataset.attached", dataset, group=before.group, after=after)
    return replaced


def _too_many(dataset: Dataset) -> Reason:
    used = len(dataset.attachments)
    return Reason(
        Rule.DATA_SOURCE,
        f"Dataset {dataset.name!r} has {used} attachments.",
        limit=MOST_ATTACHMENTS,
        used=used,
        asked=1,
        remedy="Remove one first.",
    )


def detach(writing: Writing, dataset: str, name: str) -> Attachment:
    """Forget a document beside a dataset, and say which it was.

    Raises:
        NotFound: there is no such dataset or document.
    """
    before = get(writing, dataset)
    gone = attachment(writing, dataset, name)
    writing.run(
        attachments.delete().where(attachments.c.dataset == dataset, attachments.c.name == name)
    )
    said = {"attachment": name, "size": gone.size}
    writing.event("dataset.detached", dataset, group=before.group, before=said)
    return gone


def attachment(reading: Reading, dataset: str, name: str) -> Attachment:
    """One document beside a dataset.

    Raises:
        NotFound: there is none of that name.
    """
    for one in _attachments(reading, dataset).get(dataset, ()):
        if one.name == name:
            return one
    raise NotFound("attachment", name)


def _same(found: Dataset, judged: Dataset) -> None:
    """Go on only where this is the dataset of which it was judged who may do what with it.

    Raises:
        NotFound: that is gone, and another has taken its name.
    """
    if judged.space and judged.space != found.space:
        raise NotFound("dataset", judged.name)


def _check(reading: Reading, wanted: Dataset) -> None:
    for name, rows, what in (
        (wanted.group, groups, "group"),
        (wanted.source, source_rows, "source"),
        (wanted.target, version_targets, "target"),
    ):
        if name is not None:
            named(reading, rows, what, name)
    refused = label_reason(wanted.label, wanted.audience)
    if refused is not None:
        raise Refusal(refused)


def _described(wanted: Dataset) -> dict[str, Any]:
    return {
        "title": wanted.title,
        "description": wanted.description,
        "uris": list(wanted.uris),
        "format": str(wanted.format),
        "source": wanted.source,
        "options": dict(wanted.options),
        "label": str(wanted.label),
        "group_name": wanted.group,
        "enabled": wanted.enabled,
        "target": wanted.target,
        "opened_by": wanted.opened_by,
    }


def document(dataset: Dataset) -> dict[str, Any]:
    """A dataset as events say it."""
    said = _described(dataset)
    said["group"] = said.pop("group_name")
    return said | {"audience": audiences.document(dataset.audience)}


def _size(dataset: Dataset) -> dict[str, Any]:
    found = dataset.reading
    if found is None:
        return {}
    columns = len(found.columns)
    return {"files": found.files, "size": found.size, "rows": found.rows, "columns": columns}


def _attachments(reading: Reading, dataset: str | None = None) -> dict[str, tuple[Attachment, ...]]:
    statement = sa.select(attachments).order_by(attachments.c.dataset, attachments.c.name)
    if dataset is not None:
        statement = statement.where(attachments.c.dataset == dataset)
    found: dict[str, tuple[Attachment, ...]] = {}
    for row in reading.all(statement):
        one = Attachment(row.name, row.size, row.sha256, row.added_by, row.added_at, row.key)
        found[row.dataset] = (*found.get(row.dataset, ()), one)
    return found


def _from_row(row: sa.Row[Any], audience: Audience, beside: tuple[Attachment, ...]) -> Dataset:
    return Dataset(
        name=row.name,
        uris=tuple(row.uris),
        format=FileFormat(row.format),
        title=row.title,
        description=row.description,
        source=row.source,
        options=row.options,
        label=PrivacyLabel(row.label),
        audience=audience,
        group=row.group_name,
        enabled=row.enabled,
        revoked_at=row.revoked_at,
        revoked_by=row.revoked_by,
        reading=reading_of(getattr(row, "reading", None)),
        target=row.target,
        version=row.version,
        space=row.space,
        cleanings=row.cleanings,
        opened_by=row.opened_by,
        attachments=beside,
        created_by=row.created_by,
        created_at=row.created_at,
        changed_at=row.changed_at,
        revision=row.revision,
    )
