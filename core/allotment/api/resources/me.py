"""Me: what the caller may do, holds, and should know."""

from __future__ import annotations

from fastapi import APIRouter, Response

from allotment.api.answering import answer
from allotment.api.plane import Asker, Plane
from allotment.api.views.budgets import budget_notices
from allotment.api.views.capacity import group_shares
from allotment.api.views.data_notices import source_notices
from allotment.api.views.endings import EndsView
from allotment.api.views.happenings import notices
from allotment.api.views.launching import ailing_devices, server_document
from allotment.api.views.people import limit_uses
from allotment.api.views.software_notices import software_notices
from allotment.api.views.tickets import ticket_documents, wait_notices
from allotment.model import documents
from allotment.record import events, servers, source_news, tickets, waits
from allotment.rules.permission import sight

router = APIRouter(tags=["me"])


@router.get("/me", response_model=documents.Me, summary="Who asks, and what binds them")
def read_me(plane: Plane, caller: Asker) -> Response:
    """What this token may do; limits, shares and servers of its owner; what they should know."""
    now, who = plane.now(), caller.authority
    reported = plane.use.latest(now)
    with plane.record.reading() as reading:
        ailing, ends = ailing_devices(reading), EndsView.read(reading)
        shares = group_shares(reading)
        own = servers.all_servers(reading, person=who.person)
        me = documents.Me(
            person=who.person,
            role=who.role,
            reach=caller.reach.value,
            permissions=tuple(sorted(caller.permissions)),
            groups=who.groups,
            leads=caller.leads,
            limits=tuple(limit_uses(reading, who.person, now)),
            shares={group: tuple(shares.get(group, ())) for group in who.groups},
            servers=tuple(
                server_document(
                    one, reported.get(one.allotment.id), ailing.get(one.allotment.id, ()), ends
                )
                for one in own
            ),
            tickets=tuple(
                ticket_documents(reading, tickets.live(reading, person=who.person), sight(caller))
            ),
            notices=(
                *wait_notices(waits.of_person(reading, who.person, now)),
                *budget_notices(reading, who.person, who.groups, now),
                *source_notices(source_news.of_person(reading, who.person, now)),
                *software_notices(plane.software, [one.allotment for one in own]),
                *notices(reading, who.person, ailing, now),
            ),
            sequence=events.latest_sequence(reading),
        )
    return answer(me)
