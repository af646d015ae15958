"""What the control plane does periodically for its hub."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from allotment.model.amounts import counted
from allotment.record import (
    Record,
    devices,
    idempotency,
    memberships,
    reports,
)
from allotment.settings import Settings, load_settings
from allotment.settings.catalogue import Catalogue
from allotment.work import updating
from allotment.work.budgets import watch_budgets
from allotment.work.forgetting import forget_deleted
from allotment.work.hub_api import HubApi
from allotment.work.live_use import LiveUse
from allotment.work.loop import Step
from allotment.work.measures import WorkMeasures
from allotment.work.observing import Observer, observer, take_in
from allotment.work.reconciling import Place, reconcile

RECONCILED_EVERY = 40.0
"""Seconds: with those that a server may take to end (20), the record tells the truth within a minute."""
ANSWERS_LAST = timedelta(hours=24)
"""How long an answer is given again under its Idempotency-Key."""


@dataclass(frozen=True, slots=True)
class Work:
    """What the periodic work works on. ``place`` is where the hub's servers run."""

    record: Record
    hub_api: HubApi
    use: LiveUse
    place: Place
    hub: str
    measures: WorkMeasures = field(default_factory=WorkMeasures)


class Declared:
    """The settings file and what follows from it, read at first need.

    Its hub has checked the file before; a file that is broken since fails the steps that need it,
    and is named there.
    """

    def __init__(self, path: Path | None, state: Path | None) -> None:
        self._path, self._state = path, state
        self._lock = threading.Lock()
        self._settings: Settings | None = None
        self._inventory: Observer | None = None
        self._catalogue: Catalogue | None = None

    @property
    def settings(self) -> Settings:
        """The settings.

        Raises:
            SettingsInvalid: the file cannot be used.
        """
        with self._lock:
            if self._settings is None:
                self._settings = (
                    Settings() if self._path is None else load_settings(self._path, self._state)
                )
            return self._settings

    def inventory(self, record: Record) -> Observer:
        """The devices; ``record`` says which UUID each had when it was seen last."""
        if self._inventory is None:
            with record.reading() as reading:
                known = {one.id: one.uuid for one in devices.all_devices(reading)}
            self._inventory = observer(self.settings, known)
        return self._inventory

    @property
    def catalogue(self) -> Catalogue:
        """The folders of profiles."""
        if self._catalogue is None:
            self._catalogue = Catalogue(self.settings.profiles)
        return self._catalogue


def steps(work: Work, declared: Declared) -> tuple[Step, ...]:
    """All periodic work, the most urgent first."""
    return (
        Step("profiles", 2.0, lambda now: _profiles(work, declared, now)),
        Step("devices", 10.0, lambda now: _devices(work, declared, now)),
        Step("reconciling", RECONCILED_EVERY, lambda now: _reconciling(work, now)),
        Step("forgetting", 600.0, lambda now: _forgetting(work, now)),
        Step("memberships", 30.0, lambda now: _memberships(work, now)),
        Step("budgets", 20.0, lambda now: watch_budgets(work.record, now)),
        Step("updates", updating.EVERY, lambda now: _updates(work, now)),
        Step("minutes", 20.0, lambda now: _minutes(work, now), everywhere=True),
        Step("answers", 3600.0, lambda now: _answers(work, now)),
    )


def _profiles(work: Work, declared: Declared, now: datetime) -> str:
    refreshed = declared.catalogue.refresh(work.record, now)
    changed = (*refreshed.published, *refreshed.broken, *refreshed.retired)
    return f"changed: {', '.join(changed)}" if changed else ""


def _devices(work: Work, declared: Declared, now: datetime) -> str:
    found = declared.inventory(work.record).observe()
    cluster = declared.settings.kubernetes
    with work.record.writing("inventory", now) as writing:
        take_in(writing, found, () if cluster is None else cluster.gone_clusters)
    work.use.observe(found.uses, now)
    return f"{counted(len(found.devices), 'device')}. {found.note}".strip()


def _reconciling(work: Work, now: datetime) -> str:
    """Release what is gone, finish stops that were interrupted, take in what is not accounted for."""
    done = reconcile(work.record, work.hub_api, work.place, hub=work.hub, now=now)
    work.measures.reconciled(done)
    return done.words


def _forgetting(work: Work, now: datetime) -> str:
    forgotten = forget_deleted(work.record, work.hub_api, hub=work.hub, now=now)
    return f"deleted in the hub: {', '.join(forgotten)}" if forgotten else ""


def _memberships(work: Work, now: datetime) -> str:
    with work.record.reading() as reading:
        due = any(
            one.until is not None and one.until <= now
            for one in memberships.all_memberships(reading)
        )
    if not due:
        return ""
    with work.record.writing("time", now) as writing:
        ended = memberships.end_expired(writing)
    return f"ended: {', '.join(f'{one.group}/{one.person}' for one in ended)}"


def _updates(work: Work, now: datetime) -> str:
    return updating.announce_updates(work.record, work.hub, now)


def _minutes(work: Work, now: datetime) -> str:
    over = work.use.over(now)
    if not over.devices and not over.servers:
        return ""
    with work.record.writing("reports", now, configuration=False) as writing:
        reports.add_device_minutes(writing, over.devices)
        reports.add_server_minutes(writing, over.servers)
    work.use.written(over, now)
    return f"kept {counted(len(over.devices) + len(over.servers), 'minute')}"


def _answers(work: Work, now: datetime) -> str:
    with work.record.writing("time", now, configuration=False) as writing:
        number = idempotency.forget_before(writing, now - ANSWERS_LAST)
    return f"forgot {counted(number, 'answer')}" if number else ""
