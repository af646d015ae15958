"""How each part of the platform is, in words: from what the record says, and what was found around it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from allotment.api.looking import Around, Look
from allotment.model.amounts import counted, format_size
from allotment.model.documents import Part, PartState, Step
from allotment.record.presence import Presence
from allotment.record.upkeep import Upkeep
from allotment.work.presence import SILENT

ORDER: tuple[PartState, ...] = ("ok", "off", "unknown", "warning", "failing")
"""From best to worst."""
BACKUP_OLD = timedelta(days=7)
"""A backup that is older asks for an eye: who restores it loses more than a week."""
LATE = 4
"""Work that has not gone well for so many of its periods is late."""
_SPACE_LOW, _SPACE_OUT = 0.10, 0.02
"""Parts of a disk that are free: below the one it asks for an eye, below the other writing will fail soon."""


@dataclass(frozen=True, slots=True)
class Inside:
    """What the record and the settings say. ``steps`` are of whoever does this hub's periodic work."""

    upkeep: Upkeep
    presences: Sequence[Presence]
    holder: str | None
    """Who does the periodic work of this hub now, as its lease calls it."""
    steps: Sequence[Step]
    drift: int
    devices: int
    mail_server: str | None
    mails_waiting: int


def worst(parts: Sequence[Part]) -> PartState:
    """The worst state of several parts. What is off or unknown is no trouble."""
    troubled = [part.state for part in parts if part.state in {"warning", "failing"}]
    return max(troubled, key=ORDER.index, default="ok")


def parts(hub: str, inside: Inside, around: Around, now: datetime) -> tuple[Part, ...]:
    """Every part, in the order in which somebody looks for what is wrong."""
    steps = {step.name: step for step in inside.steps}
    found = [
        _answers("hub", "Hub", around.hub, f"JupyterHub {{}} answers, as the hub “{hub}”."),
        _proxy(around.proxy),
        _planes(hub, inside, now),
        _record(inside.upkeep),
        _backup(inside.upkeep, now),
        _of_step(
            "inventory", "Inventory", steps.get("devices"), now, counted(inside.devices, "device")
        ),
        _reconciling(steps.get("reconciling"), inside.drift, now),
        _work(inside.steps, now),
        _mail(inside, steps.get("mail"), now),
        *((_disk(around),) if around.disks else ()),
    ]
    if around.cluster is not None:
        found.insert(
            2, _answers("cluster", "Cluster", around.cluster, "Its API answers: Kubernetes {}.")
        )
    return tuple(_known_well(part, now) for part in found)


def _known_well(part: Part, now: datetime) -> Part:
    """What was asked just now is well now."""
    return part.model_copy(update={"at": now}) if part.state == "ok" and part.at is None else part


def _answers(name: str, title: str, look: Look, words: str) -> Part:
    if look.problem:
        return Part(name=name, title=title, state="failing", says=look.problem)
    return Part(name=name, title=title, state="ok", says=words.format(look.found))


def _proxy(look: Look | None) -> Part:
    """A public address need not be reachable from where the control plane is: that is a warning at most."""
    part = Part(name="proxy", title="Proxy", state="unknown", says="Its address is not known here.")
    if look is None:
        return part
    if look.problem:
        says = f"{look.problem} Whether people reach it is not known: it was asked from the control plane."
        return part.model_copy(update={"state": "warning", "says": says})
    says = f"It passes requests on to the hub, at {look.found}."
    return part.model_copy(update={"state": "ok", "says": says})


def _planes(hub: str, inside: Inside, now: datetime) -> Part:
    """Control planes of all hubs of the record: who does the work, who stands by, who has gone silent."""
    present = [one for one in inside.presences if now - one.said_at <= SILENT]
    mine = [one for one in present if one.hub == hub]
    stand_by = [one for one in mine if one.holder != inside.holder]
    details = tuple(_plane_words(one, now) for one in inside.presences)
    part = Part(name="control-plane", title="Control planes", state="ok", says="", details=details)
    if inside.holder is None:
        says = "None does this hub's periodic work: the queue, reclaim and reconciling stand still."
        return part.model_copy(update={"state": "failing", "says": says})
    says = f"{_machine(inside.holder)} does this hub's periodic work"
    says += f"; {counted(len(stand_by), 'other')} would take it over." if stand_by else "."
    versions = {one.version for one in present}
    if len(versions) > 1:
        says += f" They run different versions: {', '.join(sorted(versions))}."
        return part.model_copy(update={"state": "warning", "says": says})
    return part.model_copy(update={"says": says})


def _machine(holder: str) -> str:
    """A process as leases call it, in words: its machine and its number there."""
    machine, pid = (*holder.split(" "), "")[:2]
    return f"{machine} (process {pid})" if pid else machine


def _plane_words(one: Presence, now: datetime) -> str:
    does = "does the periodic work" if one.steps else "stands by"
    if now - one.said_at > SILENT:
        does = f"not heard of since {_moment(one.said_at)}"
    since = f"since {_moment(one.started_at)}"
    return f"{_machine(one.holder)}, hub {one.hub}: {does}; version {one.version}, {since}"


def _record(upkeep: Upkeep) -> Part:
    kind = "PostgreSQL" if upkeep.dialect == "postgresql" else "SQLite"
    return Part(
        name="record",
        title="Record",
        state="ok",
        says=f"{kind} answers; {format_size(upkeep.size)}, schema {upkeep.schema}.",
        details=(f"{upkeep.events:,} events",),
    )


def _backup(upkeep: Upkeep, now: datetime) -> Part:
    last = upkeep.backup
    if last is None:
        says = "None was written by `allotment backup`; whether another program makes some is not known here."
        return Part(name="backup", title="Backup", state="unknown", says=says)
    old = now - last.at > BACKUP_OLD
    says = (
        f"The last one was written {_moment(last.at)}, and read back: {counted(last.rows, 'row')}."
    )
    says += " Write one each day." if old else ""
    return Part(
        name="backup", title="Backup", state="warning" if old else "ok", says=says, at=last.at
    )


def _of_step(name: str, title: str, step: Step | None, now: datetime, known: str) -> Part:
    """A part that is as well as a piece of periodic work."""
    if step is None:
        says = f"Nobody looks now. What was known stays: {known}."
        return Part(name=name, title=title, state="failing", says=says)
    at, details = step.last_succeeded_at, (f"looked at every {step.every:g} s",)
    part = Part(name=name, title=title, state="ok", says="", details=details, at=at)
    if step.failures:
        says = f"It fails ({counted(step.failures, 'time')} in a row): {_sentence(step.problem)} What was known stays: {known}."
        return part.model_copy(update={"state": "failing", "says": says})
    if at is None:
        says = f"It has not been looked at yet. {_sentence(known)}"
        return part.model_copy(update={"state": "unknown", "says": says})
    if now - at > _late_after(step):
        says = f"Nothing was heard since {_moment(at)}. What was known stays: {known}."
        return part.model_copy(update={"state": "warning", "says": says})
    says = _sentence(step.note or known)
    return part.model_copy(update={"says": says})


def _late_after(step: Step) -> timedelta:
    """Another control plane's word of its work is as old as its pause, at most."""
    return timedelta(seconds=LATE * step.every) + SILENT


def _reconciling(step: Step | None, drift: int, now: datetime) -> Part:
    """Whether what the record says is what runs."""
    known = "every server is accounted for"
    part = _of_step("reconciling", "Reconciling", step, now, known)
    if not drift:
        return part
    says = f"{counted(drift, 'server')} {'is' if drift == 1 else 'are'} not accounted for: the overview names each."
    state = max(part.state, "warning", key=ORDER.index)
    return part.model_copy(update={"state": state, "says": says})


def _work(steps: Sequence[Step], now: datetime) -> Part:
    part = Part(name="work", title="Periodic work", state="ok", says="")
    if not steps:
        return part.model_copy(update={"state": "unknown", "says": "How it goes is not known yet."})
    failing = [step for step in steps if step.failures]
    if failing:
        names = ", ".join(step.name for step in failing)
        said = tuple(f"{step.name}: {step.problem}" for step in failing)
        says = f"{counted(len(failing), 'piece')} of {len(steps)} fails: {names}."
        return part.model_copy(update={"state": "warning", "says": says, "details": said})
    ran = [step.last_succeeded_at for step in steps if step.last_succeeded_at]
    says = f"All {counted(len(steps), 'piece')} go well."
    return part.model_copy(update={"says": says, "at": max(ran, default=now)})


def _mail(inside: Inside, step: Step | None, now: datetime) -> Part:
    if inside.mail_server is None:
        says = "The settings name no mail server: notices are on pages only."
        return Part(name="mail", title="Mail", state="off", says=says)
    known = f"{counted(inside.mails_waiting, 'mail')} to be sent to {inside.mail_server}"
    part = _of_step("mail", "Mail", step, now, known)
    return part if part.state != "ok" else part.model_copy(update={"says": _sentence(known)})


def _disk(around: Around) -> Part:
    lines = tuple(
        f"{disk.holds}: {format_size(disk.free)} of {format_size(disk.total)} free"
        for disk in around.disks
    )
    part = Part(name="disk", title="Disk", state="ok", says="", details=lines)
    fullest = min(around.disks, key=lambda disk: disk.free / max(1, disk.total))
    share = fullest.free / max(1, fullest.total)
    says = f"{format_size(fullest.free)} ({share:.0%}) are free where {fullest.holds} lie"
    if share < _SPACE_OUT:
        says += ": writing will fail soon. Make room."
        return part.model_copy(update={"state": "failing", "says": says})
    if share < _SPACE_LOW:
        return part.model_copy(update={"state": "warning", "says": f"{says}. Make room."})
    return part.model_copy(update={"says": f"{says}."})


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:].rstrip('.')}."
