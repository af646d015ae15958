"""Putting the control plane together from its environment."""

from __future__ import annotations

import os
import pwd
import tempfile
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from allotment.api.environment import ServiceEnvironment
from allotment.api.feed import EventFeed
from allotment.api.home_places import keeping_steps
from allotment.api.measures import Measures
from allotment.api.plane import ControlPlane
from allotment.data.assembling import door_of, open_vault
from allotment.data.door import Door
from allotment.data.keys import new_key
from allotment.data.vault import Vault
from allotment.model.currency import write_money_in
from allotment.model.refusals import SettingsInvalid
from allotment.record import Record, open_record
from allotment.record.prospects import Prospects
from allotment.settings import Settings
from allotment.simulate.running import Simulations
from allotment.work import cloud, draining, farewells, homes, mailing, software_told
from allotment.work.data_work import DataWork
from allotment.work.endings import ROUND_EVERY, Endings
from allotment.work.errands import Errands
from allotment.work.holders import this_process
from allotment.work.hub_api import HubApi
from allotment.work.live_use import LiveUse
from allotment.work.loop import Loop, Step
from allotment.work.presence import EVERY as PRESENCE_EVERY
from allotment.work.presence import Attendance
from allotment.work.queueing import AFTER_FAILURE, Queueing
from allotment.work.reconciling import Place
from allotment.work.serving import UnknownPlace, place_of
from allotment.work.steps import Declared, Work, steps
from allotment.work.tenure import Tenure
from allotment.work.waits_told import EVERY as WAITS_EVERY
from allotment.work.waits_told import WaitsTold

ONE_SYSTEM_USER = (
    "All servers run under one system user of this machine: its people trust each other. "
    "It listens on this machine only."
)
PODS = "Each server runs in a pod of its own."
OWN_SYSTEM_USERS = "Each person's servers run under a system user of their own."


def utc_now() -> datetime:
    """The time now, UTC."""
    return datetime.now(UTC)


def assemble(environment: ServiceEnvironment) -> ControlPlane:
    """Open the record and put the parts together; nothing runs yet.

    Raises:
        RecordTooNew, RecordUnavailable, AllotmentError: the record cannot be used.
    """
    record = open_record(environment.record_url, migrate=False)
    hub = HubApi(environment.hub_api_url, environment.token)
    use = LiveUse()
    declared = Declared(environment.settings, environment.state)
    _write_money(declared)
    place = _place(environment, declared)
    endings = Endings(record, hub, use, environment.hub)
    measures = Measures()
    queueing = Queueing(record, hub, environment.hub, measures.work)
    writes = mailing_of(environment, record, declared)
    waits, software = WaitsTold(record), software_told.SoftwareTold(record)
    limits_of_cloud = cloud.CloudLimits(record, lambda: declared.settings.aws)
    work = Work(record, hub, use, place, environment.hub, measures.work)
    data = data_of(environment, record, declared)
    attendance = Attendance(record, environment.hub, this_process(), utc_now())
    loop = Loop(
        (
            Step("queue", 0.0, queueing.follow, after_failure=AFTER_FAILURE),
            *steps(work, declared),
            Step("cloud", cloud.EVERY, limits_of_cloud.read),
            Step("storage", homes.EVERY, homes_of(environment, record, declared).round),
            *keeping_steps(environment, record, use, declared),
            Step("endings", ROUND_EVERY, endings.round),
            Step("draining", draining.EVERY, draining.Draining(record, environment.hub).round),
            Step("mail", mailing.EVERY, writes.round, after_failure=mailing.AFTER_FAILURE),
            Step("waits", WAITS_EVERY, waits.look, everywhere=True),
            Step("software notices", software_told.EVERY, software.look, everywhere=True),
            Step("leaving", farewells.EVERY, farewells_of(environment, record, hub).round),
            *data.steps(),
            Step("presence", PRESENCE_EVERY, attendance.say, everywhere=True),
        ),
        utc_now,
        Tenure(record, environment.hub, this_process(), identity=environment.hub_identity),
    )
    attendance.tells_of(loop)
    return ControlPlane(
        environment=environment,
        record=record,
        hub=hub,
        use=use,
        endings=endings,
        queueing=queueing,
        errands=Errands(),
        simulations=Simulations(record),
        cloud=limits_of_cloud,
        data=data,
        prospects=Prospects(),
        waits=waits,
        software=software,
        loop=loop,
        feed=EventFeed(record),
        measures=measures,
        clock=utc_now,
        started_at=utc_now(),
        trust=trust(declared),
        system_users=_system_users(declared),
        sign_in=_settings(declared).sign_in,
        scim=_settings(declared).scim,
        settings=_settings(declared),
        cluster=_cluster(place),
        attendance=attendance,
    )


def _cluster(place: Place) -> Callable[[], str] | None:
    """What asks the cluster of a hub's servers for its version; None where they run on this machine."""
    cluster = getattr(place, "cluster", None)
    if cluster is None:
        return None
    from allotment.inventory.kubernetes.connecting import version_of  # noqa: PLC0415 - only who has a cluster has its client

    return partial(version_of, cluster)


def mailing_of(
    environment: ServiceEnvironment, record: Record, declared: Declared
) -> mailing.Mailing:
    """What writes to people, with a link to their home page."""
    link = f"{environment.public_origin}{environment.hub_path}home"
    return mailing.Mailing(record, lambda: declared.settings.mail, link=link, holder=this_process())


def data_of(environment: ServiceEnvironment, record: Record, declared: Declared) -> DataWork:
    """What opens, proves and lends data. With settings that are broken since, nothing is opened.

    Raises:
        KeysWrong: the keys of the secrets are missing, or are not those of this record.
    """
    try:
        settings = declared.settings
    except SettingsInvalid:
        vault, door = Vault((new_key(),), accepts=False), Door()
    else:
        vault = open_vault(record, settings, environment.state, utc_now())
        ports, endpoints = _platform(environment)
        door = door_of(settings, state=environment.state, ports=ports, endpoints=endpoints)
    folder = environment.state or Path(tempfile.mkdtemp(prefix="allotment-"))
    return DataWork.of(record, vault, door, folder / "files", utc_now)


def _platform(environment: ServiceEnvironment) -> tuple[set[int], list[tuple[str, int | None]]]:
    """Where the platform itself is reached: ports of this machine, and hosts."""
    urls = [urlsplit(environment.hub_api_url), urlsplit(environment.public_url)]
    ports = {environment.port, *(one.port for one in urls if one.port is not None)}
    named = ("ALLOTMENT_PORT", "ALLOTMENT_HUB_PORT", "ALLOTMENT_PROXY_API_PORT")
    ports |= {int(os.environ[name]) for name in named if os.environ.get(name, "").isdigit()}
    return ports, [(one.hostname, one.port) for one in urls if one.hostname]


def homes_of(environment: ServiceEnvironment, record: Record, declared: Declared) -> homes.Homes:
    """What measures the homes of this hub's people: folders of the hub's, or those of system users."""

    def folder_of(person: str) -> Path | None:
        if declared.settings.servers.system_users:
            return _home_of_system_user(person)
        return None if environment.homes is None else environment.homes / person

    return homes.Homes(record, environment.hub, folder_of)


def farewells_of(
    environment: ServiceEnvironment, record: Record, hub: HubApi
) -> farewells.Farewells:
    """What ends the hub's part of people who left. Only homes that are folders of the hub's are moved."""

    def home_of(person: str) -> Path | None:
        return None if environment.homes is None else environment.homes / person

    return farewells.Farewells(record, hub, environment.hub, home_of)


def _settings(declared: Declared) -> Settings:
    """The settings; with a file that is broken since, those of an empty one."""
    try:
        return declared.settings
    except SettingsInvalid:
        return Settings()


def _home_of_system_user(name: str) -> Path | None:
    try:
        return Path(pwd.getpwnam(name).pw_dir)
    except KeyError:
        return None


def _write_money(declared: Declared) -> None:
    """Write money in the currency of the settings; with a file that is broken since, in none."""
    with suppress(SettingsInvalid):
        write_money_in(declared.settings.money)


def _place(environment: ServiceEnvironment, declared: Declared) -> Place:
    try:
        return place_of(declared.settings, environment.hub, environment.hub_api_url)
    except SettingsInvalid as problem:
        return UnknownPlace(problem)


def trust(declared: Declared) -> str:
    """Whom people's servers are protected from on this platform, in words."""
    with suppress(SettingsInvalid):
        if declared.settings.kubernetes is not None:
            return PODS
    return OWN_SYSTEM_USERS if _system_users(declared) else ONE_SYSTEM_USER


def _system_users(declared: Declared) -> bool:
    try:
        return declared.settings.servers.system_users
    except SettingsInvalid:
        return False
