"""What goes on in this server: kernels, terminals, and when somebody last worked in it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, NamedTuple

from jupyter_server.serverapp import ServerApp
from jupyter_server.utils import ensure_async

CONTENTS_EVENTS = "https://events.jupyter.org/jupyter_server/contents_service/v1"
_WORK = frozenset({"save", "rename", "copy", "delete"})


class Activity(NamedTuple):
    """Counts, and two times (UTC).

    ``last_activity`` is that of kernels, terminals and requests, as Jupyter Server counts it.
    ``worked_at`` leaves requests out, for a page that is merely open asks now and then.
    """

    kernels: int
    kernels_busy: int
    terminals: int
    last_activity: datetime
    terminals_busy: int
    worked_at: datetime


class Saving:
    """Remembers when somebody last changed a file through this server."""

    def __init__(self) -> None:
        self.at: datetime | None = None

    def listen(self, serverapp: ServerApp) -> None:
        """Hear of changes from now on."""
        if serverapp.event_logger is not None:
            serverapp.event_logger.add_listener(schema_id=CONTENTS_EVENTS, listener=self._heard)

    async def _heard(self, logger: Any, schema_id: str, data: dict[str, Any]) -> None:  # noqa: ARG002 - Jupyter's signature
        if data.get("action") in _WORK:
            self.at = datetime.now(UTC)


async def read_activity(serverapp: ServerApp, saved_at: datetime | None = None) -> Activity:
    """Read it from the server itself. A kernel is busy while a cell runs in it."""
    kernels = await ensure_async(serverapp.kernel_manager.list_kernels())
    settings = serverapp.web_app.settings
    manager = settings.get("terminal_manager")
    terminals = list(manager.terminals.values()) if manager is not None else []
    worked = (
        settings["started"],
        serverapp.kernel_manager.last_kernel_activity,
        settings.get("terminal_last_activity"),
        saved_at,
    )
    return Activity(
        kernels=len(kernels),
        kernels_busy=sum(kernel.get("execution_state") == "busy" for kernel in kernels),
        terminals=len(terminals),
        last_activity=serverapp.web_app.last_activity(),
        terminals_busy=_busy(terminals),
        worked_at=max(time for time in worked if time is not None),
    )


def _busy(terminals: Iterable[Any]) -> int:
    """In how many terminals a program runs: another than the shell has the foreground."""
    return sum(_runs_a_program(terminal.ptyproc) for terminal in terminals)


def _runs_a_program(process: Any) -> bool:
    try:
        return bool(os.tcgetpgrp(process.fd) != process.pid)
    except (OSError, AttributeError, ValueError):
        return False  # it ended, or this system has no such terminals
