"""What a server waits for while it starts, in the words of what starts it."""

from __future__ import annotations

from datetime import datetime

from allotment.record.engine import Record
from allotment.record.undone import again_where_undone

_AWAITS = """
UPDATE allotments SET awaits = :words WHERE id = :id AND state = 'starting' AND awaits <> :words
RETURNING person, group_name, server, hub
"""


@again_where_undone
def note_wait(record: Record, allotment_id: str, words: str, now: datetime) -> bool:
    """Keep what a starting server waits for; empty words: nothing holds it up any more.

    Returns False where that was known already, or it starts no more.
    """
    with record.writing("hub", now, configuration=False) as writing:
        row = writing.driver(_AWAITS, {"id": allotment_id, "words": words}).first()
        if row is None:
            return False
        writing.event(
            "allotment.waits",
            allotment_id,
            person=row.person,
            group=row.group_name,
            after={"server": row.server, "hub": row.hub, "for": words},
        )
        return True
