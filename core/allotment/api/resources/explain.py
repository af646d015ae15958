"""Explain: whether a person may launch a profile now, and if not, which rules, amounts and remedies."""

from __future__ import annotations

import secrets
from typing import Annotated

from fastapi import APIRouter, Query, Response

from allotment.api.answering import answer
from allotment.api.fields import NameQuery
from allotment.api.plane import Asker, Plane
from allotment.api.views.tickets import way_documents
from allotment.model import documents
from allotment.model.claims import Claim, Refused, Waits
from allotment.model.names import (
    CONSOLE_PROFILE,
    CONSOLE_SERVER,
    NAME_PATTERN,
    PERSON_PATTERN,
)
from allotment.model.refusals import NotFound
from allotment.record import claims, memberships, people
from allotment.record.prospects import Outlook, Question
from allotment.rules.admission import Admitted
from allotment.rules.permission import sight

router = APIRouter(tags=["explain"])


@router.get(
    "/explain", response_model=documents.Explanation, summary="Whether a launch would be granted"
)
def explain(
    plane: Plane,
    caller: Asker,
    person: Annotated[str, Query(pattern=PERSON_PATTERN, max_length=128)],
    profile: Annotated[str, Query(pattern=NAME_PATTERN, max_length=63)],
    group: NameQuery = None,
    server: Annotated[
        str, Query(pattern=rf"^$|{NAME_PATTERN}", max_length=63, description="Empty: a new one")
    ] = "",
    software: NameQuery = None,
) -> Response:
    """Ask the rules of admission about a launch, without launching. For oneself, members of led groups, or anybody."""
    seen, now = sight(caller), plane.now()
    name = server or _new_name(profile)
    claim = Claim(
        hub=plane.environment.hub,
        person=person,
        server=name,
        profile=profile,
        group=group,
        software=software or "",
    )
    with plane.record.reading() as reading:
        if not seen.sees(person, memberships.current_groups(reading, person, now)):
            raise NotFound("person", person)
        if person != caller.person:
            people.get(reading, person)
        outcome = claims.foresee(reading, claim, now)
        if isinstance(outcome, Refused | Waits):
            question = Question(claim.hub, person, name, group, profile)
            outlook = plane.prospects.find(reading, question, now)
            return answer(_hindered(claim, server, outcome, outlook))
    granted = outcome if isinstance(outcome, Admitted) else None
    said = documents.Explanation(
        person=person,
        profile=profile,
        server=server,
        outcome="granted",
        group=granted.group if granted else None,
        pool=granted.pool if granted else None,
        model=granted.model if granted else None,
    )
    return answer(said)


def _hindered(
    claim: Claim, server: str, outcome: Refused | Waits, outlook: Outlook
) -> documents.Explanation:
    """Why a launch would not be granted, and what to expect."""
    waits = isinstance(outcome, Waits)
    expected = outlook.prospects.get(claim.profile) if waits else None
    return documents.Explanation(
        person=claim.person,
        profile=claim.profile,
        server=server,
        outcome="waits" if waits else "refused",
        reasons=tuple(
            documents.ReasonDocument.model_validate(one.document()) for one in outcome.reasons
        ),
        starts_half=expected.half if expected else None,
        starts_most=expected.most if expected else None,
        sooner=way_documents(outlook.ways.get(claim.profile, ())),
    )


def _new_name(profile: str) -> str:
    """A server that does not exist yet; the console has but one name."""
    return CONSOLE_SERVER if profile == CONSOLE_PROFILE else f"new-{secrets.token_hex(4)}"
