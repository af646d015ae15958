"""Reports: what a server tells about itself, with its own token."""

from __future__ import annotations

from typing import cast

from fastapi import APIRouter, Request, Response

from allotment.api.answering import answer
from allotment.api.plane import Plane
from allotment.api.views.data_notices import source_notices
from allotment.api.views.endings import ending_documents
from allotment.api.views.names import server_id
from allotment.api.views.software_notices import software_notices
from allotment.api.views.tickets import wait_notices
from allotment.model.allotments import Allotment
from allotment.model.documents import ReportReceipt
from allotment.model.reports import ServerReport
from allotment.model.terms import EndTerms

router = APIRouter(tags=["reports"])


@router.post("/reports", response_model=ReportReceipt, summary="Report a server's use")
async def take_report(request: Request, plane: Plane, body: ServerReport) -> Response:
    """Take in kernels, terminals and the use of the server's own devices. Who reports is told by the token.

    The answer tells the server its own announced ends, its owner's waits that are over, and sources
    that its owner may use and that were added or changed lately: it need not ask for them.
    """
    # Memory only: nothing here waits, so no thread is needed, and 10,000 servers report.
    allotment = cast("Allotment", request.state.server)
    identity = server_id(allotment.hub, allotment.person, allotment.server)
    plane.use.take(allotment, identity, body, plane.now())
    plane.measures.report()
    announced = plane.endings.told(allotment.id)
    rule = EndTerms.of(allotment.terms).extend if announced else None
    notices = (
        *wait_notices(plane.waits.of(allotment.person)),
        *source_notices(plane.data.told.of(allotment.person)),
        *software_notices(plane.software, [allotment]),
    )
    return answer(ReportReceipt(endings=ending_documents(announced, rule), notices=notices))
