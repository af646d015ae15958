"""How a command ends: its exit status, and what it says when it cannot do what was asked."""

from __future__ import annotations

import json
import os
from enum import IntEnum
from typing import Any

import typer
from rich.console import Console
from rich.text import Text
from typer.core import TyperGroup
from typer.exceptions import TyperException

from allotment.cli.output import plain
from allotment.client import ControlPlaneAway
from allotment.model.reasons import Reason, Rule
from allotment.model.refusals import (
    AllotmentError,
    RecordTooNew,
    RecordUnavailable,
    Refusal,
    RevisionStale,
    SettingsInvalid,
)


class Exit(IntEnum):
    """The exit statuses, all of them. They are part of the interface."""

    DONE = 0
    REFUSED = 1
    """A rule or a permission forbids it; nothing was changed by what was refused."""
    MISUSED = 2
    """The command line itself is wrong."""
    SETTINGS = 3
    """A settings file cannot be used."""
    AWAY = 4
    """The control plane or the record did not answer, or cannot be used by this version."""
    UNHEALTHY = 5
    """``doctor`` found something that keeps the platform from working."""
    FAULT = 70
    """A fault of the program itself."""


STATUSES = """\
Exit status: 0 done · 1 refused, with reasons · 2 the command line is wrong · 3 the settings cannot
be used · 4 no answer from the control plane or the record · 5 doctor found a failure · 70 a fault of
this program (ALLOTMENT_DEBUG=1 shows where).
"""


class Misused(AllotmentError):
    """The command line asks for something that makes no sense; the message says what would."""


class Told(TyperGroup):
    """A group of commands whose errors are told in words, never as a stack trace."""

    def invoke(self, ctx: Any) -> Any:
        """Run a command; an error ends it with its own exit status."""
        try:
            return super().invoke(ctx)
        except AllotmentError as error:
            status = status_of(error)
            tell(error, as_json=bool(ctx.obj))
        except (TyperException, typer.Exit, typer.Abort, BrokenPipeError):
            raise  # typer's own ways to end
        except Exception as error:
            if os.environ.get("ALLOTMENT_DEBUG"):
                raise
            status = Exit.FAULT
            what = f"This is a fault of allotment itself: {type(error).__name__}: {error}"
            Console(stderr=True).print(Text(plain(what)))
        raise typer.Exit(int(status))


def status_of(error: AllotmentError) -> Exit:
    """The exit status that an error ends with."""
    kinds: tuple[tuple[type[AllotmentError] | tuple[type[AllotmentError], ...], Exit], ...] = (
        (Misused, Exit.MISUSED),
        (SettingsInvalid, Exit.SETTINGS),
        ((ControlPlaneAway, RecordUnavailable, RecordTooNew), Exit.AWAY),
    )
    return next((status for kind, status in kinds if isinstance(error, kind)), Exit.REFUSED)


def tell(error: AllotmentError, *, as_json: bool) -> None:
    """Say on the error stream what was refused, by which rule, and what would help."""
    if as_json:
        reasons = [reason.document() for reason in _reasons(error)]
        typer.echo(json.dumps({"error": str(error), "reasons": reasons}), err=True)
        return
    console = Console(stderr=True, soft_wrap=True)
    for reason in _reasons(error):
        console.print(Text(plain(reason.message), style="bold red"))
        if reason.remedy:
            console.print(Text(f"  {plain(reason.remedy)}"))


def _reasons(error: AllotmentError) -> tuple[Reason, ...]:
    if isinstance(error, Refusal):
        return error.reasons
    if isinstance(error, SettingsInvalid):
        return tuple(Reason(Rule.SETTINGS, problem) for problem in error.problems)
    if isinstance(error, RevisionStale):
        return (Reason(Rule.REQUEST, str(error)),)
    message, _, remedy = str(error).partition("\n")
    return (Reason(Rule.REQUEST, message, remedy=remedy),)
