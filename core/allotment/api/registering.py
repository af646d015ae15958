"""Registering and changing sources: what was entered checked, who may share with whom asked, secrets sealed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from allotment.api.plane import ControlPlane
from allotment.api.resources.source_bodies import NewSource, SourceEdit
from allotment.api.views.onlooker import Onlooker, known_source
from allotment.data.forms import Filled, fill
from allotment.data.kinds.kind import Opened
from allotment.data.opening import known_kind
from allotment.model.people import Permission
from allotment.model.reasons import Reason, Rule
from allotment.model.refusals import NotPermitted, Refusal
from allotment.model.sources import Source, SourceKind
from allotment.record import Reading, people, sources
from allotment.record.kept_folders import HERE
from allotment.rules.data_sharing import change_source as judge_change
from allotment.rules.permission import Caller

_TURNS = 5
"""How often accounts are dropped that servers were lent while a source was being changed."""


def must_manage(plane: ControlPlane, caller: Caller, source: Source) -> None:
    """Go on only where the caller may have a source be like this.

    Raises:
        NotPermitted: it is not the caller's to change, or shared more widely than the caller may.
    """
    with plane.record.reading() as reading:
        _judge(Onlooker.of(reading, caller, plane.now()), source)


def _judge(onlooker: Onlooker, *wanted: Source) -> None:
    for source in wanted:
        reason = judge_change(onlooker.caller, source, onlooker.led)
        if reason is not None:
            raise NotPermitted(reason)


def managed_source(plane: ControlPlane, caller: Caller, name: str) -> Source:
    """A source that the caller may change as it is now.

    Raises:
        NotShared: there is none, or the caller may not know it.
        NotPermitted: it is not the caller's to change.
    """
    with plane.record.reading() as reading:
        return managed_in(reading, caller, name, plane.now())


def managed_in(reading: Reading, caller: Caller, name: str, now: datetime) -> Source:
    """As :func:`managed_source`, in the transaction that changes it.

    Raises:
        NotShared, NotPermitted: as there.
    """
    onlooker = Onlooker.of(reading, caller, now)
    source = known_source(reading, onlooker, name)
    _judge(onlooker, source)
    return source


def register_source(plane: ControlPlane, caller: Caller, body: NewSource) -> None:
    """Register a source as it was entered; nothing of it is opened yet.

    Raises:
        Refusal: a field is wrong, the name is taken, or it may not be shared so.
    """
    source = Source(
        name=body.name,
        kind=body.kind,
        title=body.title,
        description=body.description,
        audience=body.audience.audience(),
        group=body.group,
        enabled=body.enabled,
        created_by=caller.person,
    )
    must_manage(plane, caller, source)
    filled = fill(known_kind(body.kind).fields, body.fields)
    _unguarded(caller, body.kind, filled, {})
    source = _with_fields(source, filled)
    _validate(source, filled, {})
    _must_be_free(plane, caller, source)
    with plane.record.writing(caller.person, plane.now()) as writing:
        sealed = plane.data.opening.sealed(filled.secrets)
        sources.create(writing, source, {k: one for k, one in sealed.items() if one is not None})


def change_source(
    plane: ControlPlane, caller: Caller, name: str, body: SourceEdit, expected: int | None
) -> bool:
    """Change a source as it was entered. Returns whether it must be proven anew.

    Raises:
        Refusal, RevisionStale: as ever.
    """
    before = managed_source(plane, caller, name)
    after, filled = _changed(caller, before, body)
    must_manage(plane, caller, after)
    # What was judged is what is changed, also where whoever asks has not said which that is: were other
    # secrets entered meanwhile, or was it revoked, the judgement would be wrong.
    expected = before.revision if expected is None else expected
    if filled is not None:
        _unguarded(caller, before.kind, filled, before.fields)
        with plane.record.reading() as reading:
            known = plane.data.opening.unsealed(sources.sealed(reading, before.name))
        _validate(after, filled, known)
        if dict(after.fields) != dict(before.fields):
            _must_be_free(plane, caller, after)
    moved = after.fields != before.fields
    if moved:
        with plane.record.trying(caller.person, plane.now()) as writing:
            sources.edit(writing, after, {}, expected)
    sealed = plane.data.opening.sealed({} if filled is None else filled.secrets)

    def put() -> Source | None:
        with plane.record.writing(caller.person, plane.now()) as writing:
            authority = people.authority(writing, caller.person, plane.now())
            later = replace(caller, authority=authority)
            _judge(Onlooker.of(writing, later, plane.now()), before, after)
            if moved and sources.accounts_lent(writing, name):
                return None
            return sources.edit(writing, after, sealed, expected)

    edited = _free_of_accounts(plane, name, put) if moved else put()
    if edited is None:
        raise _still_lent(name)
    return edited.enabled and edited.proof is None


def _free_of_accounts(
    plane: ControlPlane, name: str, put: Callable[[], Source | None]
) -> Source | None:
    """Lead a source somewhere else once nothing is left at the old place; None: servers were faster.

    What was made there is dropped there, as long as it is known how: also what was made meanwhile.
    """
    for _ in range(_TURNS):
        plane.data.lending.end_all(name, plane.now())
        edited = put()
        if edited is not None:
            return edited
    return None


def _still_lent(name: str) -> Refusal:
    message = f"Servers were lent accounts of {name!r} all the while."
    remedy = "Revoke it first, then change it."
    return Refusal(Reason(Rule.DATA_SOURCE, message, remedy=remedy))


def _changed(caller: Caller, before: Source, body: SourceEdit) -> tuple[Source, Filled | None]:
    given: dict[str, Any] = body.given()
    entered = given.pop("fields", None)
    if "audience" in given:
        given["audience"] = body.audience.audience()
    after = replace(before, **given)
    if not entered:
        return after, None
    filled = fill(
        known_kind(before.kind).fields,
        entered,
        before.fields,
        before.secrets,
        may_widen=_manages_all(caller),
    )
    return _with_fields(after, filled), filled


def _with_fields(source: Source, filled: Filled) -> Source:
    return replace(source, fields=dict(filled.fields), secrets=filled.names)


def _manages_all(caller: Caller) -> bool:
    return Permission.MANAGE_SOURCES in caller.permissions


def _must_be_free(plane: ControlPlane, caller: Caller, source: Source) -> None:
    """Refuse to those who do not manage all sources a place on this machine that is another source's or target's.

    The platform reads there for everybody: whoever registers it anew would read what was shared with others.

    Raises:
        SourceProblem: it lies there, holds such a place, or leads there by a link.
    """
    if source.kind not in HERE or _manages_all(caller):
        return
    with plane.record.reading() as reading:
        door = plane.data.opening.own_door(reading, source.name)
    door.path(str(source.fields["path"]))


def _unguarded(caller: Caller, kind: SourceKind, filled: Filled, before: Mapping[str, Any]) -> None:
    """Refuse to those who do not manage all sources what uses something of the platform's own.

    Where somebody else chose it, they may not change anything else either: the platform's own
    identity would read another bucket.

    Raises:
        NotPermitted: a value is guarded, and the fields change.
    """
    if _manages_all(caller) or dict(filled.fields) == dict(before):
        return
    chosen = [
        one.label for one in known_kind(kind).fields if filled.fields.get(one.name) in one.guarded
    ]
    if chosen:
        message = f"{', '.join(chosen)}: this choice uses what belongs to the platform."
        remedy = "Ask a data custodian or an operator to register it."
        raise NotPermitted(Reason(Rule.PERMISSION, message, remedy=remedy))


def _validate(source: Source, filled: Filled, known: Mapping[str, str]) -> None:
    """Have its kind look at all of it, with the secrets that stay."""
    kept = {name: known[name] for name in filled.kept}
    new = {name: one for name, one in filled.secrets.items() if one is not None}
    known_kind(source.kind).validate(Opened(source.name, dict(source.fields), {**kept, **new}))
