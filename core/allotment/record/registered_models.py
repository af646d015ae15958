"""Models that people registered, up to their limit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from allotment.model.limits import LimitKind
from allotment.model.names import check_name
from allotment.model.reasons import Reason
from allotment.model.refusals import AlreadyExists, NotFound, Refusal
from allotment.model.registered_models import RegisteredModel, check_uri
from allotment.model.sources import Audience
from allotment.record import audiences, leftovers, limits, memberships
from allotment.record.audiences import Shared
from allotment.record.engine import Reading, Writing
from allotment.record.leftovers import Leftover, LeftoverKind
from allotment.record.rows import named
from allotment.record.schema import people, version_targets
from allotment.record.schema import registered_models as table
from allotment.rules.limiting import models_reason
from allotment.rules.versioning import disabled_reason

_COMES_WITHIN = timedelta(days=1)
"""After which a file that was announced and is named by nothing never came, or was left."""


def all_models(reading: Reading) -> tuple[RegisteredModel, ...]:
    """Every version of every model: by name, the newest version first."""
    shared = audiences.all_of(reading, Shared.MODEL)
    statement = sa.select(table).order_by(table.c.name, table.c.created_at.desc(), table.c.version)
    return tuple(
        _from_row(row, shared.get(_key(row.name, row.version), Audience()))
        for row in reading.all(statement)
    )


def get(reading: Reading, name: str, version: str) -> RegisteredModel:
    """One version of a model.

    Raises:
        NotFound: there is none.
    """
    row = reading.first(sa.select(table).where(table.c.name == name, table.c.version == version))
    if row is None:
        raise NotFound("model", f"{name}/{version}")
    return _from_row(row, audiences.of(reading, Shared.MODEL, _key(name, version)))


def usable_by(
    reading: Reading, person: str, groups: tuple[str, ...]
) -> tuple[RegisteredModel, ...]:
    """A person's own models, and those shared with them, in these groups now."""
    return tuple(
        one
        for one in all_models(reading)
        if one.person == person or one.audience.admits(person, groups)
    )


def counts(reading: Reading) -> dict[str, int]:
    """By person: registered models, each version counted."""
    number = sa.func.count().label("number")
    rows = reading.all(sa.select(table.c.person, number).group_by(table.c.person))
    return {row.person: row.number for row in rows}


def create(writing: Writing, wanted: RegisteredModel) -> RegisteredModel:
    """Register a version of a model. Its name belongs to whoever registered its first version.

    Raises:
        AlreadyExists: there is that version, or the name is another's.
        NotFound: its target, or a group or person of its audience is not there.
        Refusal: the person's limit is reached, or the target takes nothing new.
    """
    check_name(wanted.name)
    check_name(wanted.version)
    if wanted.uri:
        check_uri(wanted.uri)
    # Locks the person: two registrations at the same moment count each other.
    writing.first(sa.select(people).where(people.c.name == wanted.person).with_for_update())
    others = writing.all(
        sa.select(table.c.person, table.c.version).where(table.c.name == wanted.name)
    )
    if any(row.person != wanted.person for row in others):
        raise AlreadyExists("model", wanted.name)
    if any(row.version == wanted.version for row in others):
        raise AlreadyExists("model", f"{wanted.name}/{wanted.version}")
    if wanted.target is not None:
        target = named(writing, version_targets, "target", wanted.target)
        if not target.enabled:
            raise Refusal(disabled_reason(wanted.target))
    reason = over_limit(writing, wanted.person, writing.now)
    if reason is not None:
        raise Refusal(reason)
    writing.run(table.insert().values(**_values(wanted), created_at=writing.now))
    audiences.put(writing, Shared.MODEL, _key(wanted.name, wanted.version), wanted.audience)
    made = get(writing, wanted.name, wanted.version)
    writing.event(
        "model.registered", _key(made.name, made.version), person=made.person, after=document(made)
    )
    return made


def over_limit(reading: Reading, person: str, now: datetime) -> Reason | None:
    """Why a person may not register one more model, or None. Of several groups the most generous counts."""
    groups = memberships.current_groups(reading, person, now)
    bound = [
        one
        for group in groups or (None,)
        for one in limits.effective(reading, person, group)
        if one.kind is LimitKind.MODELS
    ]
    return models_reason(bound, counts(reading).get(person, 0))


def share(writing: Writing, known: RegisteredModel, audience: Audience) -> RegisteredModel:
    """Say who may load a version of a model, beside its owner.

    Raises:
        NotFound: it is gone since, or there is no such group or person.
    """
    before, key = _still(writing, known), _key(known.name, known.version)
    audiences.put(writing, Shared.MODEL, key, audience)
    after = get(writing, known.name, known.version)
    if before.audience != after.audience:
        said = audiences.document(before.audience), audiences.document(after.audience)
        writing.event("model.shared", key, person=before.person, before=said[0], after=said[1])
    return after


def coming(writing: Writing, known: RegisteredModel, key: str, size: int) -> None:
    """Note under which key a file of ``size`` bytes will lie in the model's target, before it is sent there.

    Raises:
        NotFound: the model is gone since, or lies at a URI.
    """
    found = _still(writing, known)
    leftovers.note(writing, _left(replace(found, key=key, size=size), writing.now + _COMES_WITHIN))


def kept(
    writing: Writing, known: RegisteredModel, *, file: str, size: int, sha256: str, key: str
) -> RegisteredModel:
    """Note the file that its target keeps; answers what was noted before, whose file nothing names now.

    Raises:
        NotFound: it is gone since (another may have its name, and does not get this file), or the file
            took so long that it was taken for one that nobody wants.
    """
    before = _still(writing, known)
    if not leftovers.forget(writing, str(before.target), LeftoverKind.FILE, key):
        raise NotFound("file of the model", _key(known.name, known.version))
    if before.key:
        leftovers.note(writing, _left(before, writing.now))
    writing.run(
        table.update()
        .where(table.c.name == known.name, table.c.version == known.version)
        .values(file=file, size=size, sha256=sha256, key=key)
    )
    after = {"file": file, "size": size, "sha256": sha256}
    writing.event("model.kept", _key(known.name, known.version), person=before.person, after=after)
    return before


def dropped(writing: Writing, model: RegisteredModel) -> None:
    """Note that the file of a model is not in its target any more."""
    leftovers.forget(writing, str(model.target), LeftoverKind.FILE, model.key)


def delete(writing: Writing, known: RegisteredModel) -> RegisteredModel:
    """Forget a version of a model, and say which it was.

    Raises:
        NotFound: it is gone since.
    """
    gone, key = _still(writing, known), _key(known.name, known.version)
    if gone.key:
        leftovers.note(writing, _left(gone, writing.now))
    audiences.remove(writing, Shared.MODEL, key)
    writing.run(table.delete().where(table.c.name == gone.name, table.c.version == gone.version))
    writing.event("model.deleted", key, person=gone.person, before=document(gone))
    return gone


def _left(model: RegisteredModel, free_at: datetime) -> Leftover:
    label, size = f"model {model.name} {model.version}", model.size or 0
    return Leftover(str(model.target), LeftoverKind.FILE, model.key, label, free_at, size)


def _still(writing: Writing, known: RegisteredModel) -> RegisteredModel:
    """A version of a model as it is now, locked.

    Raises:
        NotFound: it is gone, or was registered anew since.
    """
    match = (table.c.name == known.name, table.c.version == known.version)
    writing.first(sa.select(table.c.name).where(*match).with_for_update())
    found = get(writing, known.name, known.version)
    if (found.person, found.created_at) != (known.person, known.created_at):
        raise NotFound("model", _key(known.name, known.version))
    return found


def _key(name: str, version: str) -> str:
    return f"{name}/{version}"


def _values(model: RegisteredModel) -> Mapping[str, Any]:
    return {
        "name": model.name,
        "version": model.version,
        "person": model.person,
        "uri": model.uri,
        "target": model.target,
        "file": model.file,
        "size": model.size,
        "sha256": model.sha256,
        "description": model.description,
        "metrics": dict(model.metrics),
        "datasets": list(model.datasets),
    }


def document(model: RegisteredModel) -> dict[str, Any]:
    """A version of a model as events say it."""
    return {**_values(model), "audience": audiences.document(model.audience)}


def _from_row(row: sa.Row[Any], audience: Audience) -> RegisteredModel:
    return RegisteredModel(
        name=row.name,
        version=row.version,
        person=row.person,
        uri=row.uri,
        target=row.target,
        file=row.file,
        size=row.size,
        sha256=row.sha256,
        description=row.description,
        metrics=row.metrics,
        datasets=tuple(row.datasets),
        audience=audience,
        created_at=row.created_at,
        key=row.key,
    )
