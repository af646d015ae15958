"""Events: entries of the record, one for every change, in the change's own transaction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Event:
    """One change. ``kind`` is a subject and a verb (``pool.created``); ``person`` and ``group`` say whom it concerns."""

    sequence: int
    at: datetime
    actor: str
    kind: str
    subject: str
    person: str | None
    group: str | None
    before: dict[str, Any] | None
    after: dict[str, Any] | None
