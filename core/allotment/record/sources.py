"""Sources: registered, proven, revoked. Their secrets are kept apart (:mod:`allotment.record.sealed`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from allotment.model.allotments import Allotment
from allotment.model.amounts import counted
from allotment.model.names import check_name
from allotment.model.reasons import Reason, Rule
from allotment.model.refusals import AlreadyExists, NotFound, Refusal, RevisionStale
from allotment.model.sources import Audience, Proof, Source, SourceKind, Verdict
from allotment.record import audiences, memberships, sealed_secrets
from allotment.record.audiences import Shared
from allotment.record.engine import Reading, Writing
from allotment.record.rows import bump, for_change, named
from allotment.record.schema import datasets, groups, loans
from allotment.record.schema import sources as table
from allotment.record.sealed_secrets import Holder
from allotment.rules import data_proofs
from allotment.rules.data_access import Asker, source_grounds


def all_sources(reading: Reading) -> tuple[Source, ...]:
    """Every source, by name."""
    shared = audiences.all_of(reading, Shared.SOURCE)
    secret = sealed_secrets.fields(reading, Holder.SOURCE)
    return tuple(
        _from_row(row, shared.get(row.name, Audience()), secret.get(row.name, ()))
        for row in reading.all(sa.select(table).order_by(table.c.name))
    )


def get(reading: Reading, name: str) -> Source:
    """One source.

    Raises:
        NotFound: there is none of that name.
    """
    row = named(reading, table, "source", name)
    return _from_row(
        row,
        audiences.of(reading, Shared.SOURCE, name),
        sealed_secrets.fields(reading, Holder.SOURCE, name).get(name, ()),
    )


def usable_by(
    reading: Reading, person: str, now: datetime, allotment: Allotment | None = None
) -> tuple[Source, ...]:
    """The sources that a person may use now, or that a server of theirs may, by name."""
    asker = Asker.of(person, memberships.current_groups(reading, person, now), allotment)
    return tuple(one for one in all_sources(reading) if source_grounds(one, asker) is not None)


def sealed(reading: Reading, name: str) -> dict[str, bytes]:
    """A source's secrets as they are kept, encrypted, by field."""
    return sealed_secrets.of(reading, Holder.SOURCE, name)


def create(writing: Writing, wanted: Source, sealed: Mapping[str, bytes]) -> Source:
    """Register a source. Nobody may use it before its proof.

    Raises:
        AlreadyExists: the name is taken.
        NotFound: a group or person of its audience is not there.
    """
    check_name(wanted.name)
    if writing.first(sa.select(table.c.name).where(table.c.name == wanted.name)) is not None:
        raise AlreadyExists("source", wanted.name)
    _check_group(writing, wanted)
    writing.run(
        table.insert().values(
            name=wanted.name,
            kind=str(wanted.kind),
            enabled=wanted.enabled,
            usable=False,
            created_by=wanted.created_by or writing.actor,
            created_at=writing.now,
            changed_at=writing.now,
            **_described(wanted),
        )
    )
    audiences.put(writing, Shared.SOURCE, wanted.name, wanted.audience)
    sealed_secrets.put(writing, Holder.SOURCE, wanted.name, sealed)
    made = get(writing, wanted.name)
    writing.event("source.created", made.name, group=made.group, after=document(made))
    return made


def edit(
    writing: Writing,
    wanted: Source,
    sealed: Mapping[str, bytes | None],
    expected: int | None = None,
) -> Source:
    """Change a source, enable or disable it; of its secrets, those that are named (None takes one away).

    What is opened otherwise than before (fields or secrets changed) is no longer proven, nor accepted.

    Raises:
        NotFound, RevisionStale: as ever.
        Refusal: its kind was changed.
    """
    for_change(writing, table, "source", wanted.name, expected)
    before = get(writing, wanted.name)
    if wanted.created_at not in {None, before.created_at}:
        # Another has taken the name since it was judged who may do what.
        raise NotFound("source", wanted.name)
    if wanted.kind is not before.kind:
        raise Refusal(_KIND)
    _check_group(writing, wanted)
    opened_otherwise = bool(sealed) or dict(wanted.fields) != dict(before.fields)
    values = _described(wanted) | {"enabled": wanted.enabled}
    if opened_otherwise:
        values |= {"proof": None, "accepted_by": None, "usable": False, "changed_at": writing.now}
    elif document(before) == document(replace(wanted, secrets=before.secrets)):
        return before
    bump(writing, table, wanted.name, **values)
    audiences.put(writing, Shared.SOURCE, wanted.name, wanted.audience)
    sealed_secrets.put(writing, Holder.SOURCE, wanted.name, sealed)
    after = get(writing, wanted.name)
    said = document(after) | ({"secrets_changed": sorted(sealed)} if sealed else {})
    writing.event(
        "source.changed", after.name, group=after.group, before=document(before), after=said
    )
    return after


def delete(writing: Writing, name: str, expected: int | None = None) -> None:
    """Delete a source with its secrets.

    Raises:
        Refusal: datasets are read through it, or servers still have accounts that it lent.
        NotFound, RevisionStale: as ever.
    """
    for_change(writing, table, "source", name, expected)
    before = get(writing, name)
    reasons = [one for one in (_read_by(writing, name), _lent(writing, name)) if one is not None]
    if reasons:
        raise Refusal(*reasons)
    audiences.remove(writing, Shared.SOURCE, name)
    sealed_secrets.remove(writing, Holder.SOURCE, name)
    writing.run(table.delete().where(table.c.name == name))
    writing.event("source.deleted", name, group=before.group, before=document(before))


def proven(
    writing: Writing,
    name: str,
    proof: Proof,
    revision: int | None = None,
    created_at: datetime | None = None,
) -> Source:
    """Keep what trying to write has shown. An acceptance lasts while no more is possible than was accepted.

    Where it could not be tried, what was shown before goes on.

    ``revision`` and ``created_at``: those of the source as it was tried.

    Raises:
        NotFound: there is no such source, or another has taken the name since it was tried.
        RevisionStale: it was changed since it was tried.
    """
    row = named(writing, table, "source", name)
    before = get(writing, name)
    if created_at not in {None, before.created_at}:
        raise NotFound("source", name)
    if revision is not None and row.revision != revision:
        raise RevisionStale(f"source {name!r}", revision, row.revision)
    counts = data_proofs.kept(before.proof, proof)
    lasts = data_proofs.still_accepted(before.proof, counts)
    after = replace(before, proof=counts, accepted_by=before.accepted_by if lasts else None)
    writing.run(
        table.update()
        .where(table.c.name == name)
        .values(proof=_proof_document(counts), accepted_by=after.accepted_by, usable=after.usable)
    )
    _say_proof(writing, before, counts)
    return after


def _say_proof(writing: Writing, source: Source, proof: Proof) -> None:
    """Write an event where a proof shows something else than the one before it."""
    told = source.proof
    if told is not None and (told.verdict, told.possible) == (proof.verdict, proof.possible):
        return
    earlier = None if told is None else {"verdict": str(told.verdict)}
    found = {"verdict": str(proof.verdict), "possible": list(proof.possible)}
    writing.event("source.proven", source.name, group=source.group, before=earlier, after=found)


def accept(writing: Writing, name: str, person: str) -> Source:
    """Let a source be used though its proof is not *read-only*: this person answers for it.

    Raises:
        NotFound: there is no such source.
        Refusal: nothing was tried yet, or it is proven read-only.
    """
    source = get(writing, name)
    if source.proof is None or source.proof.verdict is Verdict.READ_ONLY:
        message = (
            f"Nobody has tried yet whether users of source {name!r} can write."
            if source.proof is None
            else f"Source {name!r} is proven read-only: there is nothing to accept."
        )
        remedy = "Test it first." if source.proof is None else ""
        raise Refusal(Reason(Rule.DATA_PROOF, message, remedy=remedy))
    bump(writing, table, name, accepted_by=person, usable=True)
    proof = source.proof
    after = {"verdict": str(proof.verdict), "possible": list(proof.possible)}
    writing.event("source.accepted", name, group=source.group, after=after)
    return get(writing, name)


def revoke(writing: Writing, name: str) -> Source:
    """Take a source back at once, from running servers too. Once enabled again, it is what its audience says.

    Raises:
        NotFound: there is no such source.
    """
    source = get(writing, name)
    bump(writing, table, name, enabled=False, revoked_at=writing.now)
    writing.event("source.revoked", name, group=source.group, before={"enabled": source.enabled})
    return get(writing, name)


_KIND = Reason(
    Rule.REQUEST,
    "The kind of a source cannot be changed.",
    remedy="Register another source, and delete this one.",
)


def _check_group(reading: Reading, wanted: Source) -> None:
    if wanted.group is not None:
        named(reading, groups, "group", wanted.group)


def _read_by(reading: Reading, name: str) -> Reason | None:
    rows = reading.all(
        sa.select(datasets.c.name).where(datasets.c.source == name).order_by(datasets.c.name)
    )
    if not rows:
        return None
    reading_it = tuple(row.name for row in rows)
    return Reason(
        Rule.DATA_SOURCE,
        f"Source {name!r} cannot be deleted: {counted(len(rows), 'dataset')} are read through it: {', '.join(reading_it[:12])}.",
        limit=0,
        used=len(rows),
        remedy="Delete them first, or disable the source.",
        details=reading_it,
    )


def accounts_lent(reading: Reading, name: str) -> int:
    """How many accounts of a source servers have now, which must be dropped there."""
    row = reading.first(
        sa.select(sa.func.count())
        .select_from(loans)
        .where(loans.c.source == name, loans.c.withdrawn_at.is_(None), loans.c.account.is_not(None))
    )
    return 0 if row is None else int(row[0])


def _lent(reading: Reading, name: str) -> Reason | None:
    number = accounts_lent(reading, name)
    if not number:
        return None
    return Reason(
        Rule.DATA_SOURCE,
        f"Source {name!r} cannot be deleted: {counted(number, 'account')} that servers were lent must be dropped there first.",
        limit=0,
        used=number,
        remedy="Revoke it, and delete it once they are withdrawn: a minute later, if it answers.",
    )


def _described(wanted: Source) -> dict[str, Any]:
    return {
        "title": wanted.title,
        "description": wanted.description,
        "fields": dict(wanted.fields),
        "group_name": wanted.group,
    }


def document(source: Source) -> dict[str, Any]:
    """A source as events say it: what it is, and the names of its secrets."""
    return {
        "kind": str(source.kind),
        **{key: value for key, value in _described(source).items() if key != "group_name"},
        "secrets": sorted(source.secrets),
        "audience": audiences.document(source.audience),
        "group": source.group,
        "enabled": source.enabled,
    }


def _proof_document(proof: Proof) -> dict[str, Any]:
    return {
        "at": proof.at.isoformat(),
        "verdict": str(proof.verdict),
        "tried": list(proof.tried),
        "possible": list(proof.possible),
        "problem": proof.problem,
        "shared": proof.shared,
        "ends_within": proof.ends_within,
    }


def _proof(document: dict[str, Any] | None) -> Proof | None:
    if document is None:
        return None
    return Proof(
        datetime.fromisoformat(document["at"]),
        Verdict(document["verdict"]),
        tuple(document["tried"]),
        tuple(document["possible"]),
        document["problem"],
        document["shared"],
        document.get("ends_within"),
    )


def _from_row(row: sa.Row[Any], audience: Audience, secrets: tuple[str, ...]) -> Source:
    return Source(
        name=row.name,
        kind=SourceKind(row.kind),
        title=row.title,
        description=row.description,
        fields=row.fields,
        secrets=secrets,
        audience=audience,
        group=row.group_name,
        enabled=row.enabled,
        revoked_at=row.revoked_at,
        proof=_proof(row.proof),
        accepted_by=row.accepted_by,
        created_by=row.created_by,
        created_at=row.created_at,
        changed_at=row.changed_at,
        revision=row.revision,
    )
