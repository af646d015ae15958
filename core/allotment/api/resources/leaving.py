"""Leaving, and whose the accounts of a provider are."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import Field, StringConstraints

from allotment.api.answering import Repeated, answer, recall_answer, write_once
from allotment.api.fields import Body, PersonField, PersonPath, PersonQuery, Title
from allotment.api.letting_go import leaving_document, let_go, power_over, stop_servers_of
from allotment.api.plane import Asker, Plane, require
from allotment.model import documents
from allotment.record import Writing, leaving, mapped, people, sign_ons
from allotment.rules.permission import Action
from allotment.settings.sign_on import LOCAL

router = APIRouter(prefix="/users", tags=["users"])

ProviderName = Annotated[
    str,
    StringConstraints(pattern=r"^[^\x00-\x1f\x7f]+$", max_length=255),
    Field(description="What the provider calls them", examples=["ann.smith@example.org"]),
]


class LetGo(Body):
    """That a person leaves: why, and who takes over the home and what they registered; nobody: it is kept."""

    reason: Title = ""
    heir: PersonField | None = None


class PromisedLink(Body):
    """Whom the provider calls so, is this person."""

    provider_name: ProviderName


@router.get(
    "/{name}/leaving", response_model=documents.Leaving, summary="Foresee what leaving means"
)
def foresee_leaving(
    plane: Plane, caller: Asker, name: PersonPath, heir: PersonQuery = None
) -> Response:
    """What would end if this person left, or has ended. Nothing is changed."""
    require(caller, Action.LET_GO)
    with plane.record.reading() as reading:
        require(caller, Action.LET_GO, power_over(reading, name))
        held = leaving.foresee(reading, name)
        if heir is not None:
            people.get(reading, heir)
    shown = held if held.left_at is not None or heir is None else replace(held, heir=heir)
    return answer(leaving_document(shown))


@router.post("/{name}/leave", response_model=documents.Leaving, summary="Let a person go")
def let_person_go(
    plane: Plane, caller: Asker, repeat: Repeated, name: PersonPath, body: LetGo
) -> Response:
    """End everything that a person holds, at once: sign-in, servers, tickets, tokens, data. The record stays."""
    require(caller, Action.LET_GO)
    known = recall_answer(plane, caller, repeat)
    if known is not None:
        return known

    def change(writing: Writing) -> documents.Document:
        held = let_go(writing, caller, name, body.reason, body.heir)
        done = leaving.foresee(writing, name)
        return leaving_document(replace(held, left_at=done.left_at, heir=done.heir))

    response = write_once(plane, caller, repeat, change)
    stop_servers_of(plane, caller, name)
    return response


@router.get(
    "/{name}/accounts",
    response_model=documents.ProviderAccounts,
    summary="Read whose a person is at providers",
)
def provider_accounts(plane: Plane, caller: Asker, name: PersonPath) -> Response:
    """Issuer and subject by which a provider knows a person, the provider's groups, and how long its word holds."""
    require(caller, Action.SEE_PLATFORM)
    with plane.record.reading() as reading:
        person = people.get(reading, name)
        found = [one for one in sign_ons.all_identities(reading) if one.person == name]
        groups = mapped.provider_groups(reading, name)
    accounts = tuple(
        documents.ProviderAccount(
            issuer=one.issuer, subject=one.subject, name=one.name, confirmed_at=one.confirmed_at
        )
        for one in found
    )
    return answer(
        documents.ProviderAccounts(
            person=name,
            accounts=accounts,
            groups=tuple(sorted(groups)),
            confirmed_until=person.confirmed_until,
        )
    )


@router.post(
    "/{name}/link", response_model=documents.Link, status_code=201, summary="Link a person"
)
def link_person(
    plane: Plane, caller: Asker, repeat: Repeated, name: PersonPath, body: PromisedLink
) -> Response:
    """Say that whoever the provider calls by a name is this person, at the next sign-in within a week.

    Whoever comes by that name then has all that the person has.
    """
    require(caller, Action.LINK_PEOPLE)

    def change(writing: Writing) -> documents.Document:
        require(caller, Action.LINK_PEOPLE, power_over(writing, name))
        until = sign_ons.link(writing, name, body.provider_name)
        return documents.Link(person=name, provider_name=body.provider_name, until=until)

    return write_once(plane, caller, repeat, change, status=201)


@router.delete("/{name}/link", status_code=204, summary="Forget whose a person is at providers")
def unlink_person(plane: Plane, caller: Asker, name: PersonPath) -> Response:
    """Forget the accounts of a person at providers; the next sign-in by that name is looked at anew."""
    require(caller, Action.LINK_PEOPLE)
    with plane.record.writing(caller.person, plane.now()) as writing:
        require(caller, Action.LINK_PEOPLE, power_over(writing, name))
        said = plane.sign_in
        keeps = said.kind == LOCAL or name in said.local
        sign_ons.unlink(writing, name, keeps_password=keeps)
    return Response(status_code=204)
