"""What people say about the end of their own servers from the home page: put it off, or leave the server alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from jupyterhub.handlers.base import BaseHandler
from tornado import web

from allotment.model.allotments import Allotment
from allotment.model.durations import LONGEST
from allotment.model.refusals import NotFound, RecordUnavailable, Refusal
from allotment.record import Record, Writing, allotments, extending
from allotment_spawner.asking import record_at

_AWAY = "The record does not answer. Try again in a minute."
_LONGEST_NOTE = 500


def handlers() -> list[Any]:
    """Paths below the hub, and who answers there."""
    return [
        (r"/allotment/extend", ExtendHandler),
        (r"/allotment/keep", KeepHandler),
    ]


class _OwnServerHandler(BaseHandler):
    """Changes something about one of one's own servers that runs; works while the control plane is away."""

    async def _change(
        self, document: dict[str, Any], change: Callable[[Writing, Allotment], object]
    ) -> None:
        """Change what the document names; a refusal is answered with its message and reasons."""
        user, name = self.current_user, self._text(document, "server")
        if name not in user.orm_user.orm_spawners:
            raise web.HTTPError(404, "You have no such server.")
        spawner = user.spawners[name]

        def write(record: Record) -> None:
            with record.writing(user.name, datetime.now(UTC)) as writing:
                held = allotments.active(writing, hub=spawner.hub_id, person=user.name)
                mine = [one for one in held if one.server == name]
                if not mine:
                    what = "running server"
                    raise NotFound(what, name)
                change(writing, mine[0])

        try:
            await record_at(spawner.record_url).ask(write)
        except RecordUnavailable as error:
            raise web.HTTPError(503, _AWAY) from error
        except Refusal as refusal:
            self._tell(refusal)
            return
        self.set_status(204)

    def _document(self) -> dict[str, Any]:
        try:
            document = json.loads(self.request.body)
        except ValueError:
            document = None
        if not isinstance(document, dict):
            raise web.HTTPError(400, "An object is expected that names the server.")
        return document

    def _text(self, document: dict[str, Any], field: str) -> str:
        """A text of the document; left out, it is empty: the default server has no name."""
        value = document.get(field, "")
        if not isinstance(value, str):
            raise web.HTTPError(400, f"The field {field!r} must be a text.")
        return value

    def _tell(self, refusal: Refusal) -> None:
        self.set_status(409)
        self.set_header("Content-Type", "application/json")
        reasons = [reason.document() for reason in refusal.reasons]
        self.finish(json.dumps({"status": 409, "message": str(refusal), "reasons": reasons}))


class ExtendHandler(_OwnServerHandler):
    """Puts the announced ends of one of one's own servers off, as its profile lets its user."""

    @web.authenticated
    async def post(self) -> None:
        """Extend."""
        await self._change(self._document(), extending.extend)


class KeepHandler(_OwnServerHandler):
    """Has one of one's own servers left alone for a time though it looks idle, as its profile lets its user."""

    @web.authenticated
    async def post(self) -> None:
        """Leave it alone for ``seconds`` from now, with a note that leads and operators read."""
        document = self._document()
        note = self._text(document, "note").strip()[:_LONGEST_NOTE]
        until = datetime.now(UTC) + self._span(document)
        await self._change(
            document,
            lambda writing, allotment: extending.leave_alone(writing, allotment, until, note),
        )

    def _span(self, document: dict[str, Any]) -> timedelta:
        seconds = document.get("seconds")
        if isinstance(seconds, bool) or not isinstance(seconds, int | float):
            raise web.HTTPError(400, "For how many seconds?")
        if not 0 < seconds <= LONGEST.total_seconds():
            raise web.HTTPError(400, "That is no time for which a server can be left alone.")
        return timedelta(seconds=seconds)
