"""What leases call a process, and whether one on this machine is known to have ended."""

from __future__ import annotations

import os
import socket
from functools import cache
from pathlib import Path

import psutil

_CLOCK_STEP = 2.0
"""Seconds: start times are computed from the time of boot, which moves when the clock is set."""


def this_process() -> str:
    """What a lease calls this process: its machine, pid, start, and where its pid means something."""
    started = psutil.Process().create_time()
    return f"{socket.gethostname()} {os.getpid()} {started:.2f} {_pids_of()}"


def known_to_be_gone(holder: str) -> bool:
    """Whether a process that a lease names has ended. Of another machine's, or container's, nobody knows here."""
    words = holder.split(" ")
    if len(words) != 4 or not words[3] or words[3] != _pids_of():  # noqa: PLR2004 - as it is written above
        return False
    try:
        process = psutil.Process(int(words[1]))
        if process.status() == psutil.STATUS_ZOMBIE:
            return True
        return abs(process.create_time() - float(words[2])) > _CLOCK_STEP
    except psutil.NoSuchProcess:
        return True
    except (ValueError, psutil.AccessDenied):
        return False


def known_to_live(holder: str) -> bool:
    """Whether a process that a lease names runs on this machine, in this space of pids."""
    words = holder.split(" ")
    here = len(words) == 4 and bool(words[3]) and words[3] == _pids_of()  # noqa: PLR2004 - as above
    return here and not known_to_be_gone(holder)


@cache
def _pids_of() -> str:
    """Names this boot of this machine, and the space of pids that this process lives in; empty where it cannot be told."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}/{Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return ""
