"""Putting the announced end of a server off from the home page."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from jupyterhub.handlers.base import BaseHandler
from tornado import web

from allotment.model.refusals import NotFound, RecordUnavailable, Refusal
from allotment.record import Record, allotments, extending
from allotment_spawner.asking import record_at

_AWAY = "The record does not answer. Try again in a minute."


def handlers() -> list[Any]:
    """Paths below the hub, and who answers there."""
    return [(r"/allotment/extend", ExtendHandler)]


class ExtendHandler(BaseHandler):
    """Puts the announced ends of one of one's own servers off, as its profile lets its user."""

    @web.authenticated
    async def post(self) -> None:
        """Extend; a refusal is answered with its message."""
        user, name = self.current_user, self._name()
        if name not in user.orm_user.orm_spawners:
            raise web.HTTPError(404, "You have no such server.")
        spawner = user.spawners[name]

        def extend(record: Record) -> None:
            with record.writing(user.name, datetime.now(UTC)) as writing:
                held = allotments.active(writing, hub=spawner.hub_id, person=user.name)
                mine = [one for one in held if one.server == name]
                if not mine:
                    what = "running server"
                    raise NotFound(what, name)
                extending.extend(writing, mine[0])

        try:
            await record_at(spawner.record_url).ask(extend)
        except RecordUnavailable as error:
            raise web.HTTPError(503, _AWAY) from error
        except Refusal as refusal:
            self._tell(refusal)
            return
        self.set_status(204)

    def _name(self) -> str:
        """Which server is meant; the default one has no name."""
        try:
            document = json.loads(self.request.body)
        except ValueError:
            document = None
        name = document.get("server", "") if isinstance(document, dict) else None
        if not isinstance(name, str):
            raise web.HTTPError(400, "Which server is meant?")
        return name

    def _tell(self, refusal: Refusal) -> None:
        self.set_status(409)
        self.set_header("Content-Type", "application/json")
        reasons = [reason.document() for reason in refusal.reasons]
        self.finish(json.dumps({"status": 409, "message": str(refusal), "reasons": reasons}))
