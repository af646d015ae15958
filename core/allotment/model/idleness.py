"""What a profile says about the end of its servers: when they count as idle, how long they live."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from allotment.model.amounts import counted
from allotment.model.durations import Duration, format_duration

LIFETIME_NOTICE = timedelta(minutes=15)
"""How long before the end of its lifetime a server's people are told, at most."""
_MOMENT = timedelta(seconds=1)
_NEVER = timedelta(0)


class IdleRule(BaseModel):
    """When a server counts as idle, and what follows.

    ``warn`` and ``after`` are how long it must have been idle; between them lies the time that its
    people have. ``devices_below`` is in percent of the time: devices used more, on average over
    ``window``, are activity. ``devices_alone`` makes unused devices enough, whatever else runs.
    ``keep`` is how far ahead somebody may ask that the server be left alone.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    after: Duration = Field(default=timedelta(minutes=60), ge=_MOMENT)
    warn: Duration | None = Field(default=None, ge=_MOMENT)
    devices_below: float = Field(default=5, gt=0, le=100)
    window: Duration = Field(default=timedelta(minutes=30), ge=_MOMENT)
    devices_alone: bool = Field(default=False, strict=True)
    keep: Duration = Field(default=timedelta(hours=12), ge=_NEVER)

    @model_validator(mode="after")
    def _warned_before_stopped(self) -> IdleRule:
        if self.warn is not None and self.warn >= self.after:
            message = (
                f"warn ({format_duration(self.warn)}) must be shorter than "
                f"after ({format_duration(self.after)}): people are told before a server is stopped"
            )
            raise ValueError(message)
        return self

    @property
    def warned_after(self) -> timedelta:
        """How long a server is idle before its people are told: ``warn``, or three quarters of ``after``."""
        return self.after * 3 / 4 if self.warn is None else self.warn

    @property
    def notice(self) -> timedelta:
        """The time between the warning and the stop."""
        return self.after - self.warned_after


class ExtendRule(BaseModel):
    """How often its user may put an announced end off, and how far each time."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    by: Duration = Field(default=timedelta(hours=1), ge=_MOMENT)
    times: int = Field(default=3, ge=1, le=1000, strict=True)


def _or_off(value: Any) -> Any:
    """``off`` is nothing; so is false, as which some read it."""
    return None if value is False or value == "off" else value


def _switch(shape: type[BaseModel]) -> Callable[[Any], Any]:
    """``on`` is the rule with all its defaults."""

    def read(value: Any) -> Any:
        return shape() if value is True or value == "on" else _or_off(value)

    return read


Idle = Annotated[IdleRule | None, BeforeValidator(_switch(IdleRule))]
Lifetime = Annotated[Annotated[Duration, Field(ge=_MOMENT)] | None, BeforeValidator(_or_off)]
Extend = Annotated[ExtendRule | None, BeforeValidator(_switch(ExtendRule))]


def ending_words(idle: IdleRule | None, lifetime: timedelta | None) -> str:
    """When servers of a profile end by themselves, in one sentence; empty: never."""
    parts = []
    if idle is not None:
        what = "its devices are not used" if idle.devices_alone else "nothing runs in it"
        parts.append(f"when {what} for {duration_words(idle.after)}")
    if lifetime is not None:
        parts.append(f"{duration_words(lifetime)} after its start")
    return f"Stops {', and '.join(parts)}." if parts else ""


def duration_words(duration: timedelta) -> str:
    """A duration as people read it: ``60 minutes``, ``12 hours``, ``90 seconds``."""
    seconds = round(duration.total_seconds())
    for size, noun in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds % size == 0 and seconds > size:
            return counted(seconds // size, noun)
    if seconds and seconds % 60 == 0:
        return counted(seconds // 60, "minute")
    return counted(seconds, "second") if seconds < 3_600 else format_duration(duration)  # noqa: PLR2004 - an hour
