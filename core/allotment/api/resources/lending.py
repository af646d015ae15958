"""What servers are lent to read sources with: to servers' own tokens only, for their own person."""

from __future__ import annotations

from fastapi import APIRouter, Response

from allotment.api.answering import answer
from allotment.api.fields import NamePath
from allotment.api.plane import Asker, ControlPlane, Plane, require
from allotment.api.views.onlooker import Onlooker, known_source, refused
from allotment.api.views.sources import credential_document
from allotment.model import documents
from allotment.model.allotments import Allotment
from allotment.model.reasons import Reason, Rule
from allotment.model.refusals import NotPermitted
from allotment.model.sources import Source
from allotment.rules.data_access import source_reason
from allotment.rules.permission import Action, Caller, Target

router = APIRouter(tags=["sources"])


@router.post(
    "/sources/{name}/credentials",
    response_model=documents.SourceCredential,
    summary="Be lent what reads a source",
)
async def lend_source(plane: Plane, caller: Asker, name: NamePath) -> Response:
    """What the asking server reads a source with. Only a server's own token is lent it, for its own person.

    It is told once and kept nowhere; ask again before it ends. It is withdrawn when the server ends,
    or whoever uses it may no longer.
    """
    server = asking_server(caller)

    def lend() -> Response:
        source = lendable(plane, caller, name)
        credential = plane.data.lending.lend(source, server, plane.now())
        return answer(credential_document(source, credential, plane.now()))

    return await plane.data.outside.call(caller.person, "source", name, lend)


def asking_server(caller: Caller) -> Allotment:
    """The server that asks.

    Raises:
        NotPermitted: no server asks with its own token.
    """
    require(caller, Action.LEND, Target(person=caller.person))
    if caller.server is None or caller.server.person != caller.person:
        reason = Reason(
            Rule.PERMISSION,
            "Credentials are lent to servers only, and this is no server's own token.",
            remedy="Ask from a notebook: a server has its own token in JUPYTERHUB_API_TOKEN.",
        )
        raise NotPermitted(reason)
    return caller.server


def lendable(plane: ControlPlane, caller: Caller, name: str) -> Source:
    """A source that the asking server may read now.

    Raises:
        NotShared, Refusal: why not.
    """
    with plane.record.reading() as reading:
        onlooker = Onlooker.of(reading, caller, plane.now())
        source = known_source(reading, onlooker, name)
    reason = source_reason(source, onlooker.asker)
    if reason is not None:
        raise refused(reason)
    return source
