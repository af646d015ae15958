"""Sources as documents."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

from allotment.api.views.onlooker import Onlooker
from allotment.data.kinds import KINDS
from allotment.data.kinds.kind import FormField
from allotment.data.opening import known_kind
from allotment.model import documents
from allotment.model.sources import Audience, Browsed, Credential, Proof, Source, Verdict
from allotment.rules.data_access import source_grounds, source_reason


def source_document(
    source: Source,
    onlooker: Onlooker,
    held_by: tuple[str, ...] = (),
    declared: Collection[str] = (),
) -> documents.Source:
    """A source, as far as whoever looks may know it. ``held_by`` is told to those who manage it.

    ``declared`` are the names of sources that settings declare.
    """
    manages = onlooker.manages_source(source)
    inside = manages or onlooker.sees_all
    grounds = source_grounds(source, onlooker.asker)
    obstacle = source_reason(source, onlooker.asker)
    proof = source.proof
    return documents.Source(
        name=source.name,
        kind=source.kind,
        kind_title=known_kind(source.kind).title,
        title=source.title,
        description=source.description,
        fields=dict(source.fields) if inside else None,
        secrets=source.secrets if inside else None,
        audience=audience_document(source.audience) if inside else None,
        group=source.group,
        enabled=source.enabled,
        revoked_at=source.revoked_at,
        proof=None if proof is None else proof_document(proof),
        proven=proof is not None and proof.verdict is Verdict.READ_ONLY,
        accepted=source.accepted_by is not None,
        accepted_by=source.accepted_by if inside else None,
        caution=source.caution(),
        shared=proof is not None and proof.shared,
        manages=manages,
        usable=grounds is not None,
        grounds="" if grounds is None else grounds.value,
        obstacle="" if obstacle is None else obstacle.sentence,
        declared=inside and source.name in declared,
        created_by=source.created_by if inside else "",
        created_at=source.created_at,
        changed_at=source.changed_at,
        held_by=held_by if inside else (),
        revision=source.revision,
    )


def audience_document(audience: Audience) -> documents.Audience:
    """An audience."""
    return documents.Audience(
        everyone=audience.everyone,
        groups=audience.groups,
        people=audience.people,
        words=audience.words,
    )


def proof_document(proof: Proof) -> documents.Proof:
    """What the last attempt to write has shown."""
    return documents.Proof(
        at=proof.at,
        verdict=proof.verdict,
        tried=proof.tried,
        possible=proof.possible,
        problem=proof.problem,
        shared=proof.shared,
        ends_within=proof.ends_within,
        ending=proof.ending,
    )


def contents_document(
    source: str, path: tuple[str, ...], found: Browsed
) -> documents.SourceContents:
    """What lies at a place."""
    entries = tuple(
        documents.SourceEntry(
            name=one.name,
            kind=one.kind,
            path=one.path,
            holds=one.holds,
            type=one.type,
            size=one.size,
            rows=one.rows,
            changed_at=one.changed_at,
        )
        for one in found.entries
    )
    return documents.SourceContents(source=source, path=path, entries=entries, next=found.next)


def credential_document(
    source: Source, credential: Credential, now: datetime
) -> documents.SourceCredential:
    """What a server is lent."""
    return documents.SourceCredential(
        source=source.name,
        kind=source.kind,
        fields=dict(credential.fields),
        expires_at=credential.expires_at,
        shared=credential.shared,
        now=now,
    )


def form_documents() -> tuple[documents.SourceForm, ...]:
    """The form of every kind."""
    return tuple(
        documents.SourceForm(kind=kind, title=one.title, fields=field_documents(one.fields))
        for kind, one in KINDS.items()
    )


def field_documents(fields: Iterable[FormField]) -> tuple[documents.SourceField, ...]:
    """The fields of a form."""
    return tuple(
        documents.SourceField(
            name=one.name,
            label=one.label,
            help=one.help,
            type=one.type,
            required=one.required,
            default=one.default,
            choices=one.choices,
            placeholder=one.placeholder,
            when=one.when,
            guarded=one.guarded,
        )
        for one in fields
    )
