"""A platform in the middle of a working day: 48 devices, five groups, servers that run, idle, ail and have stopped."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from allotment.model.allotments import Allotment
from allotment.model.claims import Claim, Granted, Queued
from allotment.model.devices import DeviceOrigin, DeviceSpec
from allotment.model.groups import Share
from allotment.model.limits import LimitKind, LimitScope
from allotment.model.profiles import Profile
from allotment.model.reports import DeviceUse, Measured, ServerReport
from allotment.record import (
    Record,
    Writing,
    allotments,
    claims,
    devices,
    drift,
    estimates,
    groups,
    limits,
    memberships,
    people,
    pools,
    profiles,
    queue_facts,
    tickets,
)
from allotment.record.reports import DeviceMinute, add_device_minutes
from allotment.rules.eta import Estimate
from allotment.rules.queueing import schedule
from allotment.work.live_use import LiveUse
from allotment.work.queue_telling import said_of

GIB = 2**30
GROUPS = {
    "vision": ("Computer vision", "a100", 8, ("bob", "carla", "dmitri", "erin")),
    "robotics": ("Robotics", "a100", 6, ("farid", "grace", "hugo")),
    "speech": ("Speech", "a100", 6, ("ines", "jonas", "kim")),
    "nlp": ("Language", "h100", 16, ("mei", "nora", "otto", "priya")),
    "course": ("Course, autumn", "l4", 6, ("student-1", "student-2", "student-3", "student-4")),
}
LEADS = {"vision": "bob", "nlp": "mei", "robotics": "farid"}
PROFILES = (
    ("minimal", "Minimal", 0, "any", None, "2GiB"),
    ("data-science", "Data science", 0, "any", None, "16GiB"),
    ("pytorch-gpu", "PyTorch, one GPU", 1, "any", "2.40", "64GiB"),
    ("pytorch-quad", "PyTorch, four H100", 4, "h100", "22.80", "512GiB"),
    ("tensorflow", "TensorFlow, one GPU", 1, "any", "2.40", "64GiB"),
)


@dataclass(frozen=True)
class Launch:
    """A server that was launched so long ago. ``busy`` is its devices' use in percent; None: idle for long."""

    person: str
    name: str
    profile: str
    hours: float
    busy: float | None = 90
    ended: float | None = None
    """Hours ago; None: it runs."""


LAUNCHES = (
    Launch("bob", "segmentation", "pytorch-gpu", 2.24, 93),
    Launch("bob", "training-7", "pytorch-gpu", 9.03, None),
    Launch("carla", "sweep-a", "pytorch-gpu", 5.5, 88),
    Launch("carla", "sweep-b", "pytorch-gpu", 5.4, 91),
    Launch("dmitri", "detector", "tensorflow", 1.1, 64),
    Launch("erin", "", "pytorch-gpu", 0.4, 12),
    Launch("farid", "grasping", "pytorch-gpu", 30.0, 97),
    Launch("farid", "policy", "pytorch-gpu", 28.2, 95),
    Launch("grace", "sim-to-real", "pytorch-gpu", 3.2, None),
    Launch("hugo", "maps", "tensorflow", 12.4, 71),
    Launch("ines", "whisper-ft", "pytorch-gpu", 7.7, 99),
    Launch("jonas", "vad", "pytorch-gpu", 4.1, None),
    Launch("kim", "notebook", "data-science", 6.2),
    Launch("mei", "pretrain", "pytorch-quad", 76.1, 98),
    Launch("nora", "finetune", "pytorch-quad", 21.0, 96),
    Launch("otto", "eval", "pytorch-quad", 2.0, None),
    Launch("priya", "scratch", "minimal", 0.2),
    Launch("student-1", "lab", "pytorch-gpu", 1.5, 22),
    Launch("student-2", "lab", "pytorch-gpu", 1.4, 5),
    Launch("student-3", "lab", "pytorch-gpu", 1.3, 0),
    Launch("nora", "ablation", "pytorch-quad", 14.0, ended=9.5),
    Launch("carla", "sweep-old", "pytorch-gpu", 16.0, ended=6.0),
    Launch("ines", "old", "pytorch-gpu", 22.0, ended=13.0),
    Launch("hugo", "night", "pytorch-gpu", 17.0, ended=8.0),
    Launch("student-4", "lab", "pytorch-gpu", 3.0, ended=0.5),
)


def specs() -> list[DeviceSpec]:
    """24 A100 on three nodes, 16 H100 on two, eight L4 on one."""
    kinds = (
        ("dgx-1", "NVIDIA A100 80GB", 80, 8),
        ("dgx-2", "NVIDIA A100 80GB", 80, 8),
        ("dgx-3", "NVIDIA A100 80GB", 80, 8),
        ("hgx-1", "NVIDIA H100", 80, 8),
        ("hgx-2", "NVIDIA H100", 80, 8),
        ("edge-1", "NVIDIA L4", 24, 8),
    )
    found: list[DeviceSpec] = []
    for node, model, memory, number in kinds:
        for _ in range(number):
            name = f"gpu-{len(found):02d}"
            found.append(
                DeviceSpec(name, node, model, memory * GIB, f"GPU-{name}", DeviceOrigin.SETTINGS)
            )
    return found


def configure(writing: Writing) -> None:
    """Devices, pools, groups, people, limits and profiles."""
    found = specs()
    devices.observe(writing, found, DeviceOrigin.SETTINGS)
    people.onboard(writing, ["operator"], role="operator")
    people.onboard(writing, ["auditor"], role="reader")
    for name, model in (("a100", "A100"), ("h100", "H100"), ("l4", "L4")):
        pools.create(
            writing,
            name,
            [one.id for one in found if model in one.model][: 20 if name == "a100" else 99],
        )
    for name, (title, pool, guaranteed, members) in GROUPS.items():
        share = Share(name, pool, guaranteed, guaranteed)
        groups.create(writing, name, title, {"department": "research"}, [share])
        people.onboard(writing, members, name)
    for name, lead in LEADS.items():
        memberships.set_lead(writing, lead, name, lead=True)
    limits.put(writing, LimitScope.PLATFORM, "", LimitKind.DEVICES, 8)
    limits.put(writing, LimitScope.PLATFORM, "", LimitKind.SERVERS, 4)
    limits.put(writing, LimitScope.PERSON, "erin", LimitKind.DEVICES, 1)
    for name, title, number, pool, price, memory in PROFILES:
        profile = Profile.model_validate(
            {
                "name": name,
                "title": title,
                "description": f"{title}, for everyday work.",
                "devices": number,
                "pool": pool,
                "price": price,
                "memory": memory,
                "cpu": 8,
            }
        )
        profiles.publish(writing, profile, f"profiles/{name}.yaml", name)


def launch(record: Record, wanted: Launch, now: datetime) -> str:
    """Admit and run one server, in its own time; returns its allotment."""
    admitted = now - timedelta(hours=wanted.hours)
    note = "Checks every morning" if wanted.busy is None else ""
    claim = Claim("hub", wanted.person, wanted.name, wanted.profile, note=note)
    outcome = claims.admit(record, claim, admitted)
    if not isinstance(outcome, Granted):
        raise RuntimeError(f"{wanted}: {outcome}")  # noqa: TRY004 - a refusal is no type error
    claims.mark_running(record, outcome.allotment.id, admitted + timedelta(seconds=9))
    if wanted.ended is not None:
        ended = now - timedelta(hours=wanted.ended)
        claims.mark_stopping(record, outcome.allotment.id, "Finished", wanted.person, ended)
        claims.release(record, outcome.allotment.id, "example", ended + timedelta(seconds=4))
    return outcome.allotment.id


def refuse_some(record: Record, now: datetime) -> None:
    """Launches that rules stood in the way of."""
    refused = (
        ("erin", "second", "pytorch-gpu", 48),
        ("otto", "wide", "pytorch-quad", 20),
        ("student-1", "again", "pytorch-quad", 6),
    )
    for person, server, profile, minutes in refused:
        claims.admit(
            record, Claim("hub", person, server, profile), now - timedelta(minutes=minutes)
        )


def let_wait(record: Record, now: datetime) -> None:
    """The H100s are all held: nora and priya wait for some."""
    for person, minutes in (("nora", 17), ("priya", 5)):
        claim = Claim("hub", person, "again", "pytorch-quad", wait=True, note="Next sweep")
        outcome = claims.admit(record, claim, now - timedelta(minutes=minutes))
        if not isinstance(outcome, Queued):
            raise RuntimeError(f"{person}: {outcome}")  # noqa: TRY004 - a refusal is no type error
    with record.reading() as reading:
        queue = queue_facts.read(reading, now)
    decided = schedule(tuple(queue.standings.values()), queue.waiting, now)
    with record.writing("queue", now) as writing:
        tickets.note(writing, list(said_of(decided).values()))
        waiting = [one.id for one in tickets.live(writing)]
        hours = [timedelta(hours=1, minutes=20), timedelta(hours=5, minutes=45)]
        told = {
            one: Estimate(place, now + place * hours[0], now + place * hours[1])
            for place, one in enumerate(waiting, 1)
        }
        estimates.keep(writing, told)


def trouble(writing: Writing) -> None:
    """What wants an operator's eye."""
    devices.set_health(writing, "gpu-03", healthy=False, note="ECC: uncorrectable memory errors")
    devices.set_health(writing, "gpu-46", healthy=False, note="fell off the bus")
    profiles.mark_broken(
        writing,
        "tensorflow",
        "profiles/tensorflow.yaml",
        "changed",
        "profiles/tensorflow.yaml:4: devices: expected a whole number from 0 to 1024, found 'two'",
    )
    drift.note(
        writing, "drift-1", "hub", "otto", "eval-2", ("gpu-36",), "runs without an allotment"
    )


def make(record: Record, now: datetime | None = None) -> None:
    """Write all of it into an empty record."""
    now = now or datetime.now(UTC)
    started = now - timedelta(days=5)
    with record.writing("operator", started) as writing:
        configure(writing)
    for wanted in sorted(LAUNCHES, key=lambda one: -one.hours):
        launch(record, wanted, now)
    refuse_some(record, now)
    with record.writing("inventory", now - timedelta(minutes=20)) as writing:
        trouble(writing)
    with record.writing("reports", now, configuration=False) as writing:
        add_device_minutes(writing, _minutes(record, now))


STEPS = 288
"""Five minutes each, a day."""
NAP = 70
"""Steps that a person's servers rest, if they do."""


def _minutes(record: Record, now: datetime) -> Sequence[DeviceMinute]:
    """A day of measured use, in which some servers rest for a while."""
    with record.reading() as reading:
        spans = allotments.history(reading, since=now - timedelta(hours=24))
    known = {
        (device.id, step): _minute(one, device.id, now, step)
        for step in range(STEPS)
        for one in spans
        if _ran(one, _moment(now, step))
        for device in one.devices
    }
    return list(known.values())


def _moment(now: datetime, step: int) -> datetime:
    return (now - timedelta(minutes=5 * (STEPS - 1 - step))).replace(second=0, microsecond=0)


def _ran(one: Allotment, moment: datetime) -> bool:
    return one.admitted_at <= moment and (one.released_at is None or one.released_at > moment)


def _minute(one: Allotment, device: str, now: datetime, step: int) -> DeviceMinute:
    """Whose name's sum is even works through; the others rest at an hour of their own."""
    own = zlib.crc32(one.person.encode())
    resting = own % 2 == 1 and (step + own) % STEPS < NAP
    return DeviceMinute(device, _moment(now, step), 2, 0.0 if resting else 180.0, 40 * GIB)


def report(record: Record, use: LiveUse, now: datetime | None = None) -> None:
    """Every server reports once what it does."""
    now = now or datetime.now(UTC)
    busy = {(one.person, one.name): one.busy for one in LAUNCHES}
    with record.reading() as reading:
        running = allotments.active(reading)
    for one in running:
        use.take(one, _id(one), _report(one, busy.get((one.person, one.server), 50), now), now)


def report_one(record: Record, use: LiveUse, person: str, name: str, percent: float) -> None:
    """One server reports that its devices are used so much."""
    now = datetime.now(UTC)
    with record.reading() as reading:
        running = allotments.active(reading, person=person)
    one = next(each for each in running if each.server == name)
    use.take(one, _id(one), _report(one, percent, now), now)


def _id(one: Allotment) -> str:
    return f"{one.hub}~{one.person}~{one.server}"


def _report(one: Allotment, percent: float | None, now: datetime) -> ServerReport:
    """What a server says whose devices are used so much; None: not at all, and for long."""
    found = [
        DeviceUse(
            id=device.id,
            measured=Measured.NVML,
            utilisation=percent or 0.0,
            memory_used=(60 if percent else 2) * GIB,
            memory_total=device.memory,
        )
        for device in one.devices
    ]
    return ServerReport(
        kernels=1,
        kernels_busy=int(bool(percent)),
        terminals=0,
        last_activity=now - timedelta(minutes=47) if percent is None else now,
        devices=tuple(found),
    )
