"""What the settings declare, and the record: what differs, making it so, and writing it down.

What a file declares is made when it is missing, once, and remembered. What an operator changes or
deletes afterwards stays so, and is only named, until somebody asks for it to be restored.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from allotment.model.refusals import Refusal, SettingsInvalid
from allotment.record import Reading, Record, Writing, declared, platform
from allotment.settings.document import Place
from allotment.settings.export import export
from allotment.settings.parts import (
    GROUPS,
    Key,
    Part,
    Said,
    Scene,
    Secrets,
    Words,
    coming_mode,
    parts_with,
)
from allotment.settings.schema import Settings

__all__ = ["Applied", "Change", "apply", "apply_once", "export", "plan"]

log = logging.getLogger(__name__)

ACTOR = "settings"
"""Who makes what the settings declare, in the record's events."""

Action = Literal["create", "change", "keep"]


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between the settings and the record.

    ``keep`` is a difference that stays; ``note`` says why, or what else a change does. ``before``
    and ``after`` hold the keys that differ.
    """

    action: Action
    kind: str
    name: str
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None
    note: str = ""

    @property
    def sentence(self) -> str:
        """The difference in words."""
        thing = _thing(self.kind, self.name)
        note = f" ({self.note})" if self.note else ""
        if self.action == "create" and self.kind == "choice":
            return f"{thing} becomes {_shown(next(iter((self.after or {}).values()), None))}{note}"
        if self.action == "create":
            return f"{thing} is made{note}"
        verb = "becomes" if self.action == "change" else "stays, though the settings say"
        if self.before is None:
            return f"{thing} is not made{note}"
        before, after = self.before, self.after or {}
        each = ", ".join(
            f"{key} {_shown(before.get(key))} {verb} {_shown(value)}"
            for key, value in after.items()
        )
        return f"{thing}: {each}{note}"


def _thing(kind: str, name: str) -> str:
    if kind == "membership":
        group, _, person = name.partition("/")
        return f"{person} in group {group}"
    if kind == "limit":
        scope, rest = name.split("/", 1)
        subject, limit = rest.rsplit("/", 1)
        return f"limit of {limit} for {f'{scope} {subject}' if subject else 'everybody'}"
    return f"the platform's {name}" if kind == "choice" else f"{kind.replace('-', ' ')} {name}"


def _shown(value: object) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(_shown(item) for item in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_shown(item)}" for key, item in value.items()) + "}"
    return "nothing" if value in {None, ""} else str(value)


@dataclass(frozen=True, slots=True)
class Applied:
    """What the settings made at a start, and what differs and was left alone."""

    made: tuple[Change, ...]
    left_alone: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class _Step:
    """One difference with what is needed to act on it."""

    part: Part
    said: Said
    change: Change


def plan(
    reading: Reading, settings: Settings, *, now: datetime, restore: bool = False
) -> tuple[Change, ...]:
    """What applying the settings would do, and what it would leave as it is.

    With ``restore`` also what operators changed or deleted since is made as the settings say.
    """
    scene = _scene(reading, settings, now, restore=restore)
    return tuple(step.change for step in _steps(parts_with(), scene, settings))


def apply(
    record: Record,
    settings: Settings,
    *,
    actor: str,
    now: datetime,
    restore: bool = False,
    secrets: Secrets | None = None,
) -> tuple[Change, ...]:
    """Make the record as the settings say: all of it, or nothing. Applying again changes nothing.

    ``secrets`` are those of sources that have to be made; without them such a source is refused.

    Raises:
        Refusal: a rule forbids one of the changes; each reason names the place in the settings.
        SettingsInvalid: a source is declared with fields that its kind has not.
    """
    parts = parts_with(secrets)
    with record.writing(actor, now) as writing:
        steps = tuple(_steps(parts, _scene(writing, settings, now, restore=restore), settings))
        _carry_out(writing, settings, parts, steps)
        _remember(writing, settings, parts, now)
        if "time_zone" in settings.model_fields_set:
            platform.set_time_zone(writing, settings.time_zone)
    return tuple(step.change for step in steps)


def apply_once(
    record: Record, settings: Settings, now: datetime, secrets: Secrets | None = None
) -> Applied:
    """Make what the settings declare and have never made. For the hub's start.

    Devices must have been observed and profiles published before. What was made once is left
    alone, whatever became of it; the differences are logged.

    Raises:
        SettingsInvalid: something new cannot be made; nothing was.
    """
    try:
        changes = apply(record, settings, actor=ACTOR, now=now, secrets=secrets)
    except Refusal as refusal:
        raise SettingsInvalid(tuple(reason.sentence for reason in refusal.reasons)) from refusal
    _keep_time_zone(record, settings, now)
    applied = Applied(
        made=tuple(change for change in changes if change.action != "keep"),
        left_alone=tuple(change for change in changes if change.action == "keep"),
    )
    for change in applied.made:
        log.info("settings: %s", change.sentence)
    for change in applied.left_alone:
        log.info("settings: %s. `allotment apply --restore` changes it.", change.sentence)
    return applied


def _keep_time_zone(record: Record, settings: Settings, now: datetime) -> None:
    """The hub's own file says the time zone also by saying nothing: it is then UTC again."""
    with record.reading() as reading:
        known = str(platform.time_zone(reading))
    if known != settings.time_zone:
        with record.writing(ACTOR, now) as writing:
            platform.set_time_zone(writing, settings.time_zone)


def _scene(reading: Reading, settings: Settings, now: datetime, *, restore: bool) -> Scene:
    return Scene(reading, now, restore, coming_mode(reading, settings, restore=restore))


def _steps(parts: tuple[Part, ...], scene: Scene, settings: Settings) -> Iterator[_Step]:
    remembered = set() if scene.restore else set(declared.all_declared(scene.reading))
    absent: set[Key] = set()
    for part in parts:
        found = part.found(scene)
        for name, said in part.said(settings, scene).items():
            key = (part.kind, name)
            if name not in found:
                why = _why_not(part, name, said, scene, absent, deleted=key in remembered)
                absent |= {key} if why else set()
                change = Change("keep" if why else "create", *key, after=said.words, note=why)
                yield _Step(part, said, change)
            elif differing := _differing(said.words, found[name]):
                before = {each: found[name][each] for each in differing}
                action: Action = "change" if scene.restore else "keep"
                yield _Step(part, said, Change(action, *key, before, differing))


def _why_not(
    part: Part, name: str, said: Said, scene: Scene, absent: set[Key], *, deleted: bool
) -> str:
    """Why a thing that is missing is not made; empty where it is."""
    if deleted:
        return "it was deleted since the settings made it"
    for kind, needed in part.needs(name, said.words):
        if (kind, needed) in absent:
            return f"{kind} {needed} is not there"
    return part.hindrance(name, scene)


def _differing(said: Words, found: Words) -> Words:
    """What the settings give and the record has otherwise."""
    return {key: value for key, value in said.items() if key in found and found[key] != value}


def _carry_out(
    writing: Writing, settings: Settings, parts: tuple[Part, ...], steps: Sequence[_Step]
) -> None:
    todo = [step for step in steps if step.change.action != "keep"]
    for step in todo:
        if step.part is GROUPS and step.change.action == "change":
            GROUPS.give_back(writing, step.change.name, step.change.after or {})
    for part in parts:
        mine = [step for step in todo if step.part is part]
        refusals = [refused for step in mine for refused in [_try(writing, step)] if refused]
        if refusals:
            raise Refusal(
                *(
                    replace(reason, message=f"{settings.where(place)}: {reason.message}")
                    for place, refusal in refusals
                    for reason in refusal.reasons
                )
            )


def _try(writing: Writing, step: _Step) -> tuple[Place, Refusal] | None:
    """Take one step; where it is refused, undo it and go on, so that all refusals can be told."""
    change = step.change
    act: Callable[[Writing, str, Words], None] = (
        step.part.make if change.action == "create" else step.part.change
    )
    before = len(writing.pending)
    savepoint = writing.connection.begin_nested()
    try:
        act(writing, change.name, change.after or {})
    except Refusal as refusal:
        savepoint.rollback()
        del writing.pending[before:]
        return step.said.place, refusal
    savepoint.commit()
    return None


def _remember(writing: Writing, settings: Settings, parts: tuple[Part, ...], now: datetime) -> None:
    """Remember everything that the settings declare and the record has now."""
    scene = Scene(writing, now)
    known = declared.all_declared(writing)
    for part in parts:
        found = part.found(scene)
        for name, said in part.said(settings, scene).items():
            if name in found and known.get((part.kind, name)) != said.words:
                declared.remember(writing, part.kind, name, said.words)
