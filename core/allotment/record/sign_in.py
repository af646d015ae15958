"""How people get in, as hubs know it: where a provider answered, what was found, and a client's secret."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from allotment.record.engine import Reading, Writing
from allotment.record.schema import client_secrets, known_providers, sign_in_looks


@dataclass(frozen=True, slots=True)
class ReplacedSecret:
    """A client's secret that an operator gave instead of the settings' own, encrypted.

    ``instead_of`` is the hash of the one that the settings had then: with another one in the settings,
    that is the newer word.
    """

    sealed: bytes = field(repr=False)
    instead_of: str = field(repr=False)
    at: datetime
    by: str


@dataclass(frozen=True, slots=True)
class Look:
    """What a hub found when it last looked whether its provider signs people in."""

    hub: str
    at: datetime
    succeeded_at: datetime | None
    found: Mapping[str, Any]


def known_provider(reading: Reading, digest: str) -> dict[str, Any] | None:
    """Where the provider answered that was last asked with these very settings; None: it was never seen."""
    row = reading.first(sa.select(known_providers).where(known_providers.c.digest == digest))
    return None if row is None else dict(row.endpoints)


def know_provider(writing: Writing, digest: str, endpoints: Mapping[str, Any]) -> None:
    """Remember where a provider answers, for a start at which it does not."""
    writing.run(known_providers.delete().where(known_providers.c.digest == digest))
    row = {"digest": digest, "endpoints": dict(endpoints), "seen_at": writing.now}
    writing.run(known_providers.insert().values(**row))


def looks(reading: Reading) -> tuple[Look, ...]:
    """What each hub found last, by hub."""
    rows = reading.all(sa.select(sign_in_looks).order_by(sign_in_looks.c.hub))
    return tuple(Look(row.hub, row.at, row.succeeded_at, dict(row.found)) for row in rows)


def note_look(writing: Writing, hub: str, found: Mapping[str, Any], *, succeeded: bool) -> None:
    """Keep what a hub found now; when it last found everything right stays known."""
    match = sign_in_looks.c.hub == hub
    before = writing.first(sa.select(sign_in_looks.c.succeeded_at).where(match))
    last = writing.now if succeeded else (before.succeeded_at if before is not None else None)
    writing.run(sign_in_looks.delete().where(match))
    row = {"hub": hub, "at": writing.now, "succeeded_at": last, "found": dict(found)}
    writing.run(sign_in_looks.insert().values(**row))


def forget_look(writing: Writing, hub: str) -> None:
    """Forget what a hub found: people sign in there with passwords now."""
    writing.run(sign_in_looks.delete().where(sign_in_looks.c.hub == hub))


def replaced_secret(reading: Reading, issuer: str, client_id: str) -> ReplacedSecret | None:
    """What operators gave instead of the settings' secret of a client; None: nothing."""
    row = reading.first(sa.select(client_secrets).where(*_of(issuer, client_id)))
    if row is None:
        return None
    return ReplacedSecret(bytes(row.sealed), row.instead_of, row.replaced_at, row.replaced_by)


def replace_secret(
    writing: Writing, issuer: str, client_id: str, sealed: bytes, instead_of: str
) -> None:
    """Keep another secret of a client. The event does not hold it."""
    writing.run(client_secrets.delete().where(*_of(issuer, client_id)))
    row = {"issuer": issuer, "client_id": client_id, "sealed": sealed, "instead_of": instead_of}
    at = {"replaced_at": writing.now, "replaced_by": writing.actor}
    writing.run(client_secrets.insert().values(**row, **at))
    writing.event("sign_in.secret_replaced", issuer, after={"client_id": client_id})


def withdraw_secret(writing: Writing, issuer: str, client_id: str) -> bool:
    """Go back to the settings' secret of a client. False: there was no other."""
    gone = writing.run(client_secrets.delete().where(*_of(issuer, client_id))).rowcount
    if gone:
        writing.event("sign_in.secret_withdrawn", issuer, before={"client_id": client_id})
    return bool(gone)


def _of(issuer: str, client_id: str) -> tuple[sa.ColumnElement[bool], sa.ColumnElement[bool]]:
    return client_secrets.c.issuer == issuer, client_secrets.c.client_id == client_id
