"""What the home page says of a server whose software is older than what its size names now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from allotment.model.allotments import Allotment, State
from allotment.model.amounts import counted
from allotment.model.profiles import Profile
from allotment.model.releases import offered, promised
from allotment.record import releases, reports
from allotment.record.engine import Reading
from allotment.rules.updating import update_of

_LATELY = timedelta(minutes=3)
"""A server reports twice a minute: what it last said of its work is not older."""


@dataclass(frozen=True, slots=True)
class UpdateLine:
    """What a reset brings, and what it would interrupt.

    ``notes`` are version and words of each release that was missed, newest first; ``by`` is when the
    server is stopped otherwise; ``work`` says what runs in it now.
    """

    words: str
    notes: tuple[tuple[str, str], ...]
    by: datetime | None
    work: str


def update_lines(
    reading: Reading, active: Iterable[Allotment], profiles: Iterable[Profile], now: datetime
) -> Mapping[str, UpdateLine]:
    """By allotment, for servers that run: those that a reset would update."""
    running = [one for one in active if one.state is State.RUNNING]
    # What is offered no more is no update.
    lines = {line for profile in profiles for line in offered(profile)}
    known = releases.of_profiles(reading, {one.profile for one in running}) if running else {}
    found: dict[str, UpdateLine] = {}
    for one in running:
        line, build = promised(one.profile, one.terms)
        update = update_of(line, build, known) if line in lines else None
        if update is not None:
            work = _work(reading, one.id, now)
            found[one.id] = UpdateLine(update.words, update.notes, update.by, work)
    return found


def _work(reading: Reading, allotment: str, now: datetime) -> str:
    """What runs in a server, as it last said."""
    minutes = reports.read_server_minutes(reading, now - _LATELY, allotment)
    if not minutes:
        return "It has not said lately what runs in it."
    last = minutes[-1]
    kernels = f"{counted(last.kernels_most, 'kernel')} {'is' if last.kernels_most == 1 else 'are'} open in it"
    if last.busy_samples:
        return f"Something is running in it now, and {kernels}: all of that ends."
    return (
        f"{kernels}: what they hold in memory is lost."
        if last.kernels_most
        else "Nothing runs in it."
    )
