"""Service accounts. Of their tokens only the SHA-256 is kept; no hash ever enters an event."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from allotment.model.names import check_name
from allotment.model.people import Permission
from allotment.model.reasons import Reason, Rule
from allotment.model.refusals import AlreadyExists, Refusal
from allotment.model.service_accounts import LONGEST, ServiceAccount
from allotment.record.engine import Reading, Writing
from allotment.record.rows import named
from allotment.record.schema import people, roles, service_accounts

_ROWS = (
    sa.select(service_accounts, roles.c.permissions.label("of_maker"))
    .outerjoin(
        people,
        sa.and_(people.c.name == service_accounts.c.maker, people.c.onboarded_at.is_not(None)),
    )
    .outerjoin(roles, roles.c.name == people.c.role)
)


def _from_row(row: sa.Row[Any]) -> ServiceAccount:
    given = frozenset(Permission(one) for one in row.permissions)
    of_maker = frozenset(Permission(one) for one in row.of_maker or ())
    return ServiceAccount(
        name=row.name,
        permissions=given,
        effective=given & of_maker,
        note=row.note,
        maker=row.maker,
        created_at=row.created_at,
        expires_at=row.expires_at,
        used_at=row.used_at,
    )


def all_accounts(reading: Reading, maker: str | None = None) -> tuple[ServiceAccount, ...]:
    """Every service account, by name; of one maker where asked."""
    statement = _ROWS.order_by(service_accounts.c.name)
    if maker is not None:
        statement = statement.where(service_accounts.c.maker == maker)
    return tuple(_from_row(row) for row in reading.all(statement))


def of_token(reading: Reading, token_hash: str) -> ServiceAccount | None:
    """Whose a token is, by its SHA-256; one that has ended is told, too."""
    row = reading.first(_ROWS.where(service_accounts.c.token_hash == token_hash))
    return None if row is None else _from_row(row)


def create(
    writing: Writing,
    name: str,
    permissions: Collection[Permission],
    token_hash: str,
    expires_at: datetime,
    *,
    maker: str,
    note: str = "",
) -> ServiceAccount:
    """Make a service account, known by the SHA-256 of its token.

    Raises:
        AlreadyExists: the name is taken.
        Refusal: it would last longer than a year, has ended already, or could do nothing.
    """
    check_name(name)
    if writing.first(_ROWS.where(service_accounts.c.name == name)) is not None:
        raise AlreadyExists("service account", name)
    if not permissions:
        message = "A service account without permissions could do nothing."
        raise Refusal(Reason(Rule.REQUEST, message, remedy="Name what it is for."))
    if not writing.now < expires_at <= writing.now + LONGEST:
        raise Refusal(
            Reason(
                Rule.REQUEST,
                f"A service account lasts up to {LONGEST.days} days from now.",
                limit=LONGEST.days,
                remedy="Choose an end within that time; make another one before it comes.",
            )
        )
    wanted = sorted(str(one) for one in set(permissions))
    writing.run(
        service_accounts.insert().values(
            name=name,
            permissions=wanted,
            note=note,
            maker=maker,
            token_hash=token_hash,
            created_at=writing.now,
            expires_at=expires_at,
        )
    )
    after = {"permissions": wanted, "expires_at": expires_at.isoformat(), "note": note}
    writing.event("service_account.created", name, person=maker, after=after)
    return _from_row(writing.all(_ROWS.where(service_accounts.c.name == name))[0])


def revoke(writing: Writing, name: str) -> None:
    """End a service account: its token is known no more.

    Raises:
        NotFound: there is none of that name.
    """
    row = named(writing, service_accounts, "service account", name)
    writing.run(service_accounts.delete().where(service_accounts.c.name == name))
    before = {"permissions": row.permissions, "expires_at": row.expires_at.isoformat()}
    writing.event("service_account.revoked", name, person=row.maker, before=before)


def used(writing: Writing, name: str) -> None:
    """Note that its token was used."""
    writing.run(
        service_accounts.update().where(service_accounts.c.name == name).values(used_at=writing.now)
    )
