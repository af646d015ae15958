"""Ending with the hub: a hub that is killed outright cannot stop its services."""

from __future__ import annotations

import asyncio
import ctypes
import logging
import os
import signal
import sys
from collections.abc import Callable

log = logging.getLogger(__name__)

LOOK_EVERY = 0.5
"""Seconds between two looks at who the parent is."""
_PR_SET_PDEATHSIG = 1


def end_with_parent() -> int:
    """Ask the kernel to end this process with its parent, where it can; returns the parent's id."""
    parent = os.getppid()
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    return parent


async def watch_parent(parent: int, end: Callable[[], None]) -> None:
    """Call ``end`` once the parent is gone: then this process has another one."""
    while os.getppid() == parent:  # noqa: ASYNC110 - nothing tells a process that it has another parent
        await asyncio.sleep(LOOK_EVERY)
    log.warning("the hub is gone: the control plane ends")
    end()
