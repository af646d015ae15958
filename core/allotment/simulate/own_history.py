"""The platform's own past as a trace: launches, those that came to nothing, what was idle in them.

Who pressed the button again and again asked once, since the first time. Of launches that came to
nothing nobody knows how long they would have lasted: as long as half of the others of their profile.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from statistics import median

from allotment.model.endings import Cause
from allotment.model.names import DEFAULT_POOL
from allotment.model.profiles import PoolByModel, Priority, Profile
from allotment.model.reasons import WAITING_RULES
from allotment.record import Reading, groups, history, memberships, pools, profiles
from allotment.record.history import SLOT, Launched, RefusedLaunch, Unserved
from allotment.simulate.lasting import FIRST_GUESS
from allotment.simulate.trace import Job

RETRY = 3600.0
"""Seconds within which the same launch is asked for again by whoever still wants it."""
_IDLE = {Cause.IDLE, Cause.IDLE_DEVICES}
_WAITING = {str(rule) for rule in WAITING_RULES}
Key = tuple[str, str, str]
"""Person, server and profile: who tries again, asks for the same."""


@dataclass(frozen=True, slots=True)
class History:
    """Launches of a period, in order. ``refused_otherwise``: refusals that no device would have mended, by rule."""

    jobs: tuple[Job, ...]
    refused_otherwise: Mapping[str, int] = field(default_factory=dict)


def own_history(reading: Reading, begin: datetime, end: datetime, now: datetime) -> History:
    """Read a period; what holds devices still has done so until ``now``.

    What ran already when the period began is there from its beginning, and its wait does not count.
    Whose group has no share in a pool now has no group there.
    """
    rows = list(history.launched(reading, begin, end))
    idle = history.idle_slots(reading, begin, now, {row.id: row.held for row in rows})
    lasted = _Lasted(rows, now)
    refusals = list(history.refused(reading, begin, end))
    asked = _Asked(refusals)
    jobs = [_job(row, begin, now, idle.get(row.id, ()), asked) for row in rows]
    jobs += [_ticket_job(row, lasted, asked) for row in history.unserved(reading, begin, end)]
    jobs += _Refusals(reading).jobs(asked.left(), lasted)
    sharing = {(share.group, share.pool) for share in groups.all_shares(reading)}
    known = (job if (job.group, job.pool) in sharing else job._replace(group="") for job in jobs)
    ordered = sorted(known, key=lambda job: (job.at, not job.running))
    return History(tuple(ordered), _otherwise(refusals))


def _otherwise(refusals: Iterable[RefusedLaunch]) -> dict[str, int]:
    counts = Counter(
        rule for one in refusals if not _waits(one) for rule in sorted(set(one.rules) - _WAITING)
    )
    return dict(counts.most_common())


def _waits(refusal: RefusedLaunch) -> bool:
    """Whether only devices and shares stood in its way."""
    return bool(refusal.rules) and set(refusal.rules) <= _WAITING


class _Lasted:
    """What sessions of a profile lasted at the median."""

    def __init__(self, rows: Iterable[Launched], now: datetime) -> None:
        past: dict[str, list[float]] = defaultdict(list)
        for row in rows:
            past[row.profile].append(((row.released_at or now) - row.admitted_at).total_seconds())
        self._of = {profile: median(lengths) for profile, lengths in past.items()}

    def of(self, profile: str) -> float:
        """Seconds; a guess for a profile that nobody had."""
        return self._of.get(profile, FIRST_GUESS)


class _Asked:
    """Refusals that devices would have mended, told apart by who asked for what: tries in a row are one."""

    def __init__(self, refusals: Iterable[RefusedLaunch]) -> None:
        self._tries: dict[Key, list[list[RefusedLaunch]]] = defaultdict(list)
        for one in filter(_waits, refusals):
            rows = self._tries[one.person, one.server, one.profile]
            if rows and (one.at - rows[-1][-1].at).total_seconds() <= RETRY:
                rows[-1].append(one)
            else:
                rows.append([one])

    def first(self, key: Key, at: datetime) -> datetime:
        """Since when somebody asked who was served, or began to wait, at this time; the tries are used up."""
        for tries in self._tries.get(key, ()):
            if 0 <= (at - tries[-1].at).total_seconds() <= RETRY:
                self._tries[key].remove(tries)
                return tries[0].at
        return at

    def left(self) -> list[list[RefusedLaunch]]:
        """Tries that came to nothing."""
        return [tries for rows in self._tries.values() for tries in rows]


def _job(row: Launched, begin: datetime, now: datetime, idle: Sequence[int], asked: _Asked) -> Job:
    running = row.admitted_at < begin
    began = max(row.admitted_at, begin)
    seconds = max(0.0, ((row.released_at or now) - began).total_seconds())
    since = began if running else asked.first((row.person, row.server, row.profile), row.asked_at)
    return Job(
        since.timestamp(),
        seconds,
        row.devices,
        row.group or "",
        row.pool,
        Priority(row.priority),
        profile=row.profile,
        running=running,
        idle=spans(idle, began.timestamp(), seconds),
        forgotten=row.stop_cause in _IDLE,
        price=float(row.price or 0),
    )


def spans(slots: Sequence[int], began: float, seconds: float) -> tuple[tuple[float, float], ...]:
    """Idle slots as times since the beginning, joined where they touch, cut at the session's ends."""
    found: list[tuple[float, float]] = []
    for slot in slots:
        first = max(0.0, slot * SLOT - began)
        last = min(seconds, (slot + 1) * SLOT - began)
        if last <= first:
            continue
        if found and first <= sum(found[-1]):
            found[-1] = found[-1][0], last - found[-1][0]
        else:
            found.append((first, last - first))
    return tuple(found)


def _ticket_job(row: Unserved, lasted: _Lasted, asked: _Asked) -> Job:
    since = asked.first((row.person, row.server, row.profile), row.asked_at)
    patience = None if row.ended_at is None else (row.ended_at - since).total_seconds()
    return Job(
        since.timestamp(),
        lasted.of(row.profile),
        row.devices,
        row.group or "",
        row.pools[0] if row.pools else "",
        Priority(row.priority),
        profile=row.profile,
        patience=patience,
    )


class _Refusals:
    """Refused launches as launches: what they would have held, and where."""

    def __init__(self, reading: Reading) -> None:
        self._profiles = {one.name: one.profile for one in profiles.all_profiles(reading)}
        self._models = {pool.name: pool.model for pool in pools.all_pools(reading)}
        self._shares: dict[str, list[str]] = defaultdict(list)
        for share in groups.all_shares(reading):
            self._shares[share.group].append(share.pool)
        self._groups: dict[str, list[str]] = defaultdict(list)
        for one in memberships.all_memberships(reading):
            self._groups[one.person].append(one.group)

    def jobs(self, left: Iterable[Sequence[RefusedLaunch]], lasted: _Lasted) -> list[Job]:
        """Those that nothing came of; their people tried from the first time to the last."""
        found = []
        for tries in left:
            first, last = tries[0], tries[-1]
            profile = self._profiles.get(first.profile)
            if profile is None or not profile.devices:
                continue
            group = first.group or next(iter(self._groups.get(first.person, ())), "")
            found.append(
                Job(
                    first.at.timestamp(),
                    lasted.of(first.profile),
                    profile.devices,
                    group,
                    self._pool(profile, group),
                    profile.priority,
                    profile=first.profile,
                    patience=(last.at - first.at).total_seconds(),
                    price=float(profile.price or 0),
                )
            )
        return found

    def _pool(self, profile: Profile, group: str) -> str:
        if isinstance(profile.pool, str) and profile.pool != "any":
            return profile.pool
        known = self._shares.get(group) or [DEFAULT_POOL]
        if isinstance(profile.pool, PoolByModel):
            model = profile.pool.model
            known = [pool for pool in known if self._models.get(pool) == model] or known
        return known[0]
