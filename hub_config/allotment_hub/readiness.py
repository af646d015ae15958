"""Whether the hub can decide launches: for whoever watches it, or sends people to it."""

from __future__ import annotations

from typing import Any

from jupyterhub.handlers.base import BaseHandler

from allotment.model.refusals import RecordUnavailable
from allotment.record import Record, events
from allotment_spawner.asking import record_at

PATIENCE = 5.0
"""Seconds that the record may take to answer."""


def handlers() -> list[Any]:
    """Paths below the hub, and who answers there."""
    return [(r"/allotment/ready", ReadyHandler)]


class ReadyHandler(BaseHandler):
    """Anybody may ask: the answer is two words, and costs one look at the record."""

    async def get(self) -> None:
        """200 where launches can be decided, else 503 and why."""
        up = await self._record_answers()
        self.set_status(200 if up else 503)
        self.set_header("Cache-Control", "no-store")
        self.finish({"status": "ready" if up else "not-ready", "record": "ok" if up else "away"})

    async def _record_answers(self) -> bool:
        def look(record: Record) -> None:
            with record.reading() as reading:
                events.latest_sequence(reading)

        try:
            await record_at(self.authenticator.record_url).ask(look, limit=PATIENCE)
        except RecordUnavailable:
            return False
        return True
