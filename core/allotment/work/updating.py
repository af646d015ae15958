"""The step ``updates``: servers with older software than its operator's date allows are told, then stopped."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from allotment.model.endings import Cause, Ending
from allotment.model.refusals import NotFound
from allotment.model.releases import Update
from allotment.record import Record, allotments, endings, releases
from allotment.rules.updating import update_for

EVERY = 15.0
"""Seconds between two rounds."""
NOTICE = timedelta(minutes=30)
"""What people have at least between the word and the end, however early the operator's date is."""
_ACTOR = "updates"


def announce_updates(record: Record, hub: str, now: datetime) -> str:
    """Announce the end of each server of a hub that has to update by a date; take it back where it has not to.

    The step ``endings`` carries it out. Returns what was done, in words.
    """
    with record.reading() as reading:
        open_endings = endings.open_endings(reading, hub=hub)
        told = {
            allotment: one
            for allotment, those in open_endings.items()
            for one in those
            if one.cause is Cause.UPDATE
        }
        known = releases.of_profiles(reading)
        dated = any(one.update_by for those in known.values() for one in those)
        if not dated and not told:
            return ""
        running = {one.allotment: one.name for one in endings.running(reading, hub)}
        due: dict[str, Update] = {}
        for one in allotments.some(reading, sorted(running)):
            update = update_for(one, known)
            if update is not None and update.by is not None:
                due[one.id] = update
    return _tell(record, due, told, running, now)


def _tell(
    record: Record,
    due: Mapping[str, Update],
    told: Mapping[str, Ending],
    running: Mapping[str, str],
    now: datetime,
) -> str:
    done: list[str] = []
    for allotment, ending in told.items():
        if allotment in running and not _agrees(ending, due.get(allotment)):
            with record.writing(_ACTOR, now, configuration=False) as writing:
                endings.withdraw(writing, allotment, Cause.UPDATE, "Its date was changed.")
            done.append(f"taken back from {running[allotment]}: update")
    for allotment, update in due.items():
        if update.by is None or _agrees(told.get(allotment), update):
            continue
        stop = max(update.by, now + NOTICE)
        try:
            with record.writing(_ACTOR, now, configuration=False) as writing:
                endings.say(writing, allotment, Cause.UPDATE, stop, words(update))
        except NotFound:  # it ended since it was read
            continue
        done.append(f"said to {running[allotment]}: update by {stop:%Y-%m-%d %H:%M}")
    return "; ".join(done)


def _agrees(ending: Ending | None, update: Update | None) -> bool:
    """Whether what was announced is what is to be said now."""
    if ending is None or update is None or update.by is None:
        return False
    stop = max(update.by, ending.said_at + NOTICE)
    return (ending.stop_at, ending.message) == (stop, words(update))


def words(update: Update) -> str:
    """What the user of such a server reads."""
    return (
        f"{update.words} Start it again, and it runs the new version; your files stay as they are."
    )
