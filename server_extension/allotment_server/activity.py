"""What goes on in this server: kernels, terminals, and when it last did something."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from jupyter_server.serverapp import ServerApp
from jupyter_server.utils import ensure_async


class Activity(NamedTuple):
    """Counts, and the time of the last activity of kernels, terminals and requests (UTC)."""

    kernels: int
    kernels_busy: int
    terminals: int
    last_activity: datetime


async def read_activity(serverapp: ServerApp) -> Activity:
    """Read it from the server itself. A kernel is busy while a cell runs in it."""
    kernels = await ensure_async(serverapp.kernel_manager.list_kernels())
    terminals = serverapp.web_app.settings.get("terminal_manager")
    return Activity(
        kernels=len(kernels),
        kernels_busy=sum(kernel.get("execution_state") == "busy" for kernel in kernels),
        terminals=len(terminals.terminals) if terminals is not None else 0,
        last_activity=serverapp.web_app.last_activity(),
    )
