"""Service accounts: made, listed, revoked."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import AwareDatetime, Field

from allotment.api.answering import Repeated, answer, answer_list, recalled, remember
from allotment.api.fields import Body, NameField, NamePath, Title
from allotment.api.identity import hash_token
from allotment.api.paging import Paged, cut
from allotment.api.plane import Asker, Plane, require
from allotment.model import documents
from allotment.model.people import Permission
from allotment.model.reasons import Reason, Rule
from allotment.model.refusals import NotPermitted
from allotment.model.service_accounts import TOKEN_PREFIX, ServiceAccount
from allotment.record import events, service_accounts
from allotment.rules.permission import Action, Caller, Target

router = APIRouter(prefix="/service-accounts", tags=["service accounts"])


class NewServiceAccount(Body):
    """A service account that is to be made: what it may do, and until when."""

    name: NameField
    permissions: Annotated[tuple[Permission, ...], Field(min_length=1, max_length=len(Permission))]
    expires_at: AwareDatetime
    note: Title = ""


@router.get("", response_model=documents.ServiceAccountListing, summary="List service accounts")
def list_service_accounts(request: Request, plane: Plane, caller: Asker, page: Paged) -> Response:
    """Every service account: what it may do, who made it, until when, and when it was used."""
    require(caller, Action.SEE_PLATFORM)
    now = plane.now()
    with plane.record.reading() as reading:
        found = [_document(one, now) for one in service_accounts.all_accounts(reading)]
        sequence = events.latest_sequence(reading)
    items, following = cut(found, lambda one: (one.name,), page)
    listing = documents.ServiceAccountListing(items=items, next=following, sequence=sequence)
    return answer_list(request, listing)


@router.post(
    "",
    response_model=documents.ServiceAccountToken,
    status_code=201,
    summary="Make a service account",
)
def create_service_account(
    plane: Plane, caller: Asker, repeat: Repeated, body: NewServiceAccount
) -> Response:
    """Make one. Nobody gives permissions that they lack; the token is told only in this answer."""
    wanted = frozenset(body.permissions)
    require(caller, Action.CHANGE_ACCOUNTS, Target(touches=wanted))
    _refuse_programs(caller)
    token, now = TOKEN_PREFIX + secrets.token_urlsafe(32), plane.now()
    with plane.record.writing(caller.person, now) as writing:
        known = recalled(writing, caller, repeat)
        if known is not None:
            return known
        made = service_accounts.create(
            writing,
            body.name,
            wanted,
            hash_token(token),
            body.expires_at,
            maker=caller.person,
            note=body.note,
        )
        remember(writing, caller, repeat, None, 201)
    return answer(documents.ServiceAccountToken(account=_document(made, now), token=token), 201)


@router.delete("/{name}", status_code=204, summary="Revoke a service account")
def revoke_service_account(plane: Plane, caller: Asker, name: NamePath) -> Response:
    """End one at once: its token is known no more."""
    require(caller, Action.CHANGE_ACCOUNTS)
    with plane.record.writing(caller.person, plane.now()) as writing:
        service_accounts.revoke(writing, name)
    return Response(status_code=204)


def _refuse_programs(caller: Caller) -> None:
    """A program makes no programs' accounts: its maker's end would not be theirs."""
    if caller.program:
        reason = Reason(
            Rule.PERMISSION,
            "A service account makes no service accounts; a person does.",
            remedy="Make it with a person's token.",
        )
        raise NotPermitted(reason)


def _document(one: ServiceAccount, now: datetime) -> documents.ServiceAccount:
    return documents.ServiceAccount(
        name=one.name,
        permissions=tuple(sorted(one.permissions)),
        effective=tuple(sorted(one.effective)),
        note=one.note,
        maker=one.maker,
        created_at=one.created_at,
        expires_at=one.expires_at,
        used_at=one.used_at,
        state=one.state(now),
    )
