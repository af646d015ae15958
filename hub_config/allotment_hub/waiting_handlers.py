"""Leaving the queue from the hub's pages, which works while the control plane is away."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from jupyterhub.handlers.base import BaseHandler
from tornado import web

from allotment.model.refusals import NotFound, RecordUnavailable, Refusal
from allotment.record import Record, tickets
from allotment_spawner.asking import record_at


def handlers() -> list[Any]:
    """Paths below the hub, and who answers there."""
    return [(r"/allotment/leave-queue/([0-9a-f]{1,40})", LeaveQueueHandler)]


class LeaveQueueHandler(BaseHandler):
    """Takes a server of who is signed in out of the queue."""

    @web.authenticated
    async def post(self, wanted: str) -> None:
        """Cancel the ticket that is named; somebody else's is unknown here."""
        user = self.current_user

        def cancel(record: Record) -> None:
            with record.writing(user.name, datetime.now(UTC)) as writing:
                if tickets.get(writing, wanted).person != user.name:
                    what = "ticket"
                    raise NotFound(what, wanted)
                tickets.cancel(writing, wanted)

        try:
            await record_at(user.spawners[""].record_url).ask(cancel)
        except NotFound as error:
            raise web.HTTPError(404, str(error)) from error
        except Refusal as refusal:
            raise web.HTTPError(409, str(refusal)) from refusal
        except RecordUnavailable as error:
            raise web.HTTPError(503, "The record does not answer.") from error
        self.set_status(204)
