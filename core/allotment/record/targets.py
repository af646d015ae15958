"""Targets: where versions and models' files are kept. Their secrets are kept apart."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from allotment.model.names import check_name
from allotment.model.reasons import Reason, Rule
from allotment.model.refusals import AlreadyExists, Refusal
from allotment.model.versions import ContentsKind, MetadataKind, VersionState, VersionTarget
from allotment.record import leftovers, sealed_secrets
from allotment.record.engine import Reading, Writing
from allotment.record.rows import bump, for_change, named
from allotment.record.schema import datasets, registered_models, versions
from allotment.record.schema import version_targets as table
from allotment.record.sealed_secrets import Holder


def all_targets(reading: Reading) -> tuple[VersionTarget, ...]:
    """Every target, by name."""
    secret = sealed_secrets.fields(reading, Holder.TARGET)
    rows = reading.all(sa.select(table).order_by(table.c.name))
    return tuple(_from_row(row, secret.get(row.name, ())) for row in rows)


def get(reading: Reading, name: str) -> VersionTarget:
    """One target.

    Raises:
        NotFound: there is none of that name.
    """
    row = named(reading, table, "target", name)
    return _from_row(row, sealed_secrets.fields(reading, Holder.TARGET, name).get(name, ()))


def sealed(reading: Reading, name: str) -> dict[str, bytes]:
    """A target's secrets as they are kept, encrypted, by field."""
    return sealed_secrets.of(reading, Holder.TARGET, name)


def create(writing: Writing, wanted: VersionTarget, sealed: Mapping[str, bytes]) -> VersionTarget:
    """Set a target up.

    Raises:
        AlreadyExists: the name is taken.
    """
    check_name(wanted.name)
    if writing.first(sa.select(table.c.name).where(table.c.name == wanted.name)) is not None:
        raise AlreadyExists("target", wanted.name)
    writing.run(
        table.insert().values(
            name=wanted.name,
            tested_at=wanted.tested_at,
            problem=wanted.problem,
            **_described(wanted),
        )
    )
    sealed_secrets.put(writing, Holder.TARGET, wanted.name, sealed)
    made = get(writing, wanted.name)
    writing.event("target.created", made.name, after=document(made))
    return made


def edit(
    writing: Writing,
    wanted: VersionTarget,
    sealed: Mapping[str, bytes | None],
    expected: int | None = None,
) -> VersionTarget:
    """Change a target; of its secrets, those that are named (None takes one away).

    Raises:
        NotFound, RevisionStale: as ever.
        Refusal: versions or models lie there, and its place would be another.
    """
    for_change(writing, table, "target", wanted.name, expected)
    before = get(writing, wanted.name)
    if _place(before) != _place(wanted):
        _refuse_in_use(writing, wanted.name, "moved")
    bump(
        writing,
        table,
        wanted.name,
        tested_at=wanted.tested_at,
        problem=wanted.problem,
        **_described(wanted),
    )
    sealed_secrets.put(writing, Holder.TARGET, wanted.name, sealed)
    after = get(writing, wanted.name)
    said = document(after) | ({"secrets_changed": sorted(sealed)} if sealed else {})
    writing.event("target.changed", after.name, before=document(before), after=said)
    return after


def tested(writing: Writing, name: str, at: datetime, problem: str) -> VersionTarget:
    """Keep what a test found: ``problem`` is empty where it went well.

    Raises:
        NotFound: there is no such target.
    """
    before = get(writing, name)
    writing.run(table.update().where(table.c.name == name).values(tested_at=at, problem=problem))
    if problem != before.problem:
        writing.event(
            "target.tested", name, before={"problem": before.problem}, after={"problem": problem}
        )
    return get(writing, name)


def delete(writing: Writing, name: str, expected: int | None = None) -> None:
    """Delete a target with its secrets; what lies there stays.

    Raises:
        Refusal: datasets are versioned there, or models lie there.
        NotFound, RevisionStale: as ever.
    """
    for_change(writing, table, "target", name, expected)
    before = get(writing, name)
    _refuse_in_use(writing, name, "deleted")
    sealed_secrets.remove(writing, Holder.TARGET, name)
    leftovers.forget_target(writing, name)
    writing.run(table.delete().where(table.c.name == name))
    writing.event("target.deleted", name, before=document(before))


def _refuse_in_use(reading: Reading, name: str, verb: str) -> None:
    lying = (
        sa.select(datasets.c.name).where(datasets.c.target == name),
        # A dataset whose next versions go elsewhere has its earlier ones here still.
        sa.select(versions.c.dataset).where(
            versions.c.target == name, versions.c.state != str(VersionState.FAILED)
        ),
        sa.select(registered_models.c.name).where(registered_models.c.target == name),
    )
    kept = tuple(sorted({row[0] for one in lying for row in reading.all(one)}))
    if kept:
        raise Refusal(
            Reason(
                Rule.DATA_VERSION,
                f"Target {name!r} cannot be {verb}: it keeps {', '.join(kept[:12])}.",
                limit=0,
                used=len(kept),
                remedy="Set up another target, or delete what lies there first.",
                details=kept,
            )
        )


_PLACES = ("path", "url", "branch", "endpoint", "bucket", "container", "prefix")


def _place(target: VersionTarget) -> tuple[Any, ...]:
    """Where it is: the other fields say as whom, and may change."""
    where = [[fields.get(key) for key in _PLACES] for fields in (target.metadata, target.contents)]
    return target.metadata_kind, target.contents_kind, where


def _described(wanted: VersionTarget) -> dict[str, Any]:
    return {
        "title": wanted.title,
        "metadata_kind": str(wanted.metadata_kind),
        "contents_kind": str(wanted.contents_kind),
        "metadata": dict(wanted.metadata),
        "contents": dict(wanted.contents),
        "enabled": wanted.enabled,
    }


def document(target: VersionTarget) -> dict[str, Any]:
    """A target as events say it: what it is, and the names of its secrets."""
    return _described(target) | {"secrets": sorted(target.secrets)}


def _from_row(row: sa.Row[Any], secrets: tuple[str, ...]) -> VersionTarget:
    # "metadata" as an attribute of a row is the value; of a table it would be SQLAlchemy's own.
    return VersionTarget(
        name=row.name,
        metadata_kind=MetadataKind(row.metadata_kind),
        contents_kind=ContentsKind(row.contents_kind),
        title=row.title,
        metadata=row.metadata,
        contents=row.contents,
        secrets=secrets,
        enabled=row.enabled,
        tested_at=row.tested_at,
        problem=row.problem,
        revision=row.revision,
    )
