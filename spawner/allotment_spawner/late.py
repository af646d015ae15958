"""What is done when nobody waits for it any more: undoing a decision that came too late, ending what was cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from datetime import UTC, datetime
from typing import Any

from allotment.model.claims import Granted, Outcome, Queued
from allotment.record import Record, claims, tickets

HUB = "hub"
"""Who ends an allotment when nobody else has said so."""


def give_back(record: Record, outcome: Outcome) -> None:
    """Undo an admission, or a wait, whose launch had been given up when it was decided."""
    now = datetime.now(UTC)
    if isinstance(outcome, Granted):
        claims.mark_stopping(record, outcome.allotment.id, "Its launch was given up.", HUB, now)
        claims.release(record, outcome.allotment.id, "Nothing had been started.", now)
    elif isinstance(outcome, Queued):
        with record.writing(HUB, now) as writing:
            tickets.cancel(writing, outcome.ticket.id, "Its launch was given up.")


_background: set[asyncio.Task[None]] = set()


def in_background(work: Coroutine[Any, Any, None]) -> None:
    """Go on with work that must be finished though its caller was cancelled."""
    task = asyncio.get_running_loop().create_task(work)
    _background.add(task)
    task.add_done_callback(_background.discard)
