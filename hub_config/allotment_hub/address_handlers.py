"""The page on which people say where their notices are sent by e-mail."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from jupyterhub.handlers.base import BaseHandler
from tornado import web

from allotment.model.refusals import RecordUnavailable, Refusal
from allotment.record import Record, people
from allotment_spawner.asking import record_at

_AWAY = "The record does not answer. Try again in a minute."


def handlers() -> list[Any]:
    """Paths below the hub, and who answers there."""
    return [(r"/notices", AddressHandler)]


class AddressHandler(BaseHandler):
    """Shows and takes the address of who is signed in. Without a mail server there is no such page."""

    @web.authenticated
    async def get(self) -> None:
        """Show the form."""
        self._need_mail()
        name = self.current_user.name

        def read(record: Record) -> str:
            with record.reading() as reading:
                return people.get(reading, name).email

        try:
            await self._show(await self._ask(read))
        except Refusal as refusal:
            await self._show("", problem=str(refusal), status=404)
        except RecordUnavailable:
            await self._show("", problem=_AWAY, status=503)

    @web.authenticated
    async def post(self) -> None:
        """Keep the address, or none; what cannot be one comes back as it was typed."""
        self._need_mail()
        name, typed = self.current_user.name, self.get_body_argument("email", "")

        def write(record: Record) -> str:
            with record.writing(name, datetime.now(UTC)) as writing:
                return people.set_email(writing, name, typed).email

        try:
            await self._show(await self._ask(write), saved=True)
        except Refusal as refusal:
            await self._show(typed, problem=str(refusal), status=400)
        except RecordUnavailable:
            await self._show(typed, problem=_AWAY, status=503)

    def _need_mail(self) -> None:
        if not self.settings["template_vars"].get("sends_mail"):
            raise web.HTTPError(
                404, "This platform sends no mail: its settings name no mail server."
            )

    async def _ask(self, question: Any) -> str:
        url = self.current_user.spawners[""].record_url
        answer: str = await record_at(url).ask(question)
        return answer

    async def _show(
        self, email: str, *, problem: str = "", saved: bool = False, status: int = 200
    ) -> None:
        self.set_status(status)
        self.set_header("Cache-Control", "no-store")
        page = await self.render_template(
            "notices.html", email=email, problem=problem, saved=saved, action=self.request.path
        )
        self.finish(page)
