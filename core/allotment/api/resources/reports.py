"""Reports: what a server tells about itself, with its own token."""

from __future__ import annotations

from typing import cast

from fastapi import APIRouter, Request, Response

from allotment.api.plane import Plane
from allotment.api.views.names import server_id
from allotment.model.allotments import Allotment
from allotment.model.reports import ServerReport

router = APIRouter(tags=["reports"])


@router.post("/reports", status_code=204, summary="Report a server's use")
async def take_report(request: Request, plane: Plane, body: ServerReport) -> Response:
    """Take in kernels, terminals and the use of the server's own devices. Who reports is told by the token."""
    # Memory only: nothing here waits, so no thread is needed, and 10,000 servers report.
    allotment = cast("Allotment", request.state.server)
    identity = server_id(allotment.hub, allotment.person, allotment.server)
    plane.use.take(allotment, identity, body, plane.now())
    plane.measures.report()
    return Response(status_code=204)
