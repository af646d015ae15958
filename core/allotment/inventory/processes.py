"""The processes of local servers: found by the mark that all of them inherit, ended, and proven gone.

Every process that a server starts inherits its environment, and with it the id of its allotment:
kernels, their children, and what detached itself from all of them (a session of its own, a second
fork). What empties its environment as well is found while a parent of it is known. What does both,
and outlives its parent, escapes: a local process is no container, and the documentation says so.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import signal
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import psutil

from allotment.model.allotments import ServerProcess

MARK = "ALLOTMENT_ID"
_CLOCK_STEP = 2.0
"""Seconds: start times are computed from the time of boot, which moves when the clock is set."""
_LOOK_AGAIN = 0.02
"""Seconds between two looks at processes that were told to end; no event tells of another's child."""


@dataclass(frozen=True, slots=True)
class MarkedProcess:
    """A process of a server, and what its environment said of the server when it started.

    ``token_hash`` is the SHA-256 of the server's API token: the token itself is not kept.
    """

    process: ServerProcess
    allotment: str
    hub: str
    hub_url: str
    """The hub's API as the server reaches it: hubs of one name on one machine differ by it."""
    person: str
    server: str
    profile: str
    group: str | None
    devices: tuple[str, ...]
    token_hash: str


def marked() -> tuple[MarkedProcess, ...]:
    """Every process that carries an allotment's id, whichever hub started it, oldest first."""
    found = []
    for process in psutil.process_iter():
        environment = _environment(process)
        if environment and environment.get(MARK):
            with contextlib.suppress(psutil.NoSuchProcess):
                found.append(_described(process, environment))
    return tuple(sorted(found, key=lambda one: (one.process.started, one.process.pid)))


def _described(process: psutil.Process, environment: Mapping[str, str]) -> MarkedProcess:
    token = environment.get("JUPYTERHUB_API_TOKEN", "")
    return MarkedProcess(
        process=ServerProcess(process.pid, process.create_time()),
        allotment=environment[MARK],
        hub=environment.get("ALLOTMENT_HUB", ""),
        hub_url=environment.get("JUPYTERHUB_API_URL", ""),
        person=environment.get("JUPYTERHUB_USER", ""),
        server=environment.get("JUPYTERHUB_SERVER_NAME", ""),
        profile=environment.get("ALLOTMENT_PROFILE", ""),
        group=environment.get("ALLOTMENT_GROUP") or None,
        devices=tuple(part for part in environment.get("ALLOTMENT_DEVICES", "").split(",") if part),
        token_hash=hashlib.sha256(token.encode()).hexdigest() if token else "",
    )


def started(pid: int) -> ServerProcess | None:
    """Name a process so that its pid can be given to another later without harm. None: it is gone."""
    try:
        return ServerProcess(pid, psutil.Process(pid).create_time())
    except psutil.NoSuchProcess:
        return None


def runs(process: ServerProcess, allotment: str) -> bool:
    """Whether this very process still runs, and is no other that was given its pid since.

    Its mark decides where it has one, for that survives a clock that was set; else its start time.
    """
    try:
        now = psutil.Process(process.pid)
        if now.status() == psutil.STATUS_ZOMBIE:
            return False
        mark = (_environment(now) or {}).get(MARK)
        if mark is not None:
            return mark == allotment
        return abs(now.create_time() - process.started) <= _CLOCK_STEP
    except psutil.NoSuchProcess:
        return False


def prove_gone(allotment: str, main: ServerProcess | None = None) -> str | None:
    """Say how it is known that no process of the allotment is left, or None while one is."""
    if _members(allotment, main):
        return None
    if main is None:
        return f"No process carries {MARK}={allotment}."
    return f"Process {main.pid} is gone, and no process carries {MARK}={allotment}."


def end(
    allotment: str,
    main: ServerProcess | None = None,
    *,
    grace: float = 3.0,
    patience: float = 5.0,
) -> tuple[int, ...]:
    """End every process of an allotment. Returns the pids that are left, none when all are gone.

    They are asked first (SIGTERM) and have ``grace`` seconds; what is left then is killed until
    nothing is, for at most ``patience`` seconds. Blocks: call it in a thread.
    """
    members = _members(allotment, main)
    _signal(members, signal.SIGTERM)
    _wait(members, grace)
    deadline = time.monotonic() + patience
    while members := _members(allotment, main):
        left = deadline - time.monotonic()
        if left <= 0:
            return tuple(sorted(process.pid for process in members))
        _signal(members, signal.SIGKILL)
        _wait(members, min(left, 0.5))
    return ()


def _members(allotment: str, main: ServerProcess | None) -> list[psutil.Process]:
    """All processes of an allotment: marked ones, their descendants, and what shares their session unreadably."""
    members: dict[int, psutil.Process] = {}
    hidden: list[psutil.Process] = []
    for process in psutil.process_iter():
        environment = _environment(process)
        if environment is None:
            hidden.append(process)
        elif environment.get(MARK) == allotment:
            members[process.pid] = process
    if main is not None and main.pid not in members and runs(main, allotment):
        members[main.pid] = psutil.Process(main.pid)
    if members:
        _add_sessions(members, hidden)
        _add_descendants(members)
    members.pop(os.getpid(), None)
    return [process for process in members.values() if _alive(process)]


def _environment(process: psutil.Process) -> Mapping[str, str] | None:
    """The environment a process was started with. None: it runs, and may not be read by us.

    A zombie's is empty: it holds nothing any more, and waits only to be collected by its parent.
    """
    try:
        return process.environ()
    except psutil.NoSuchProcess:
        return {}
    except (psutil.AccessDenied, OSError):
        return None


def _add_sessions(members: dict[int, psutil.Process], hidden: Iterable[psutil.Process]) -> None:
    """Add processes that hide their environment (set-user-id programs, key agents) in a member's session.

    Only in a session that the allotment began: one that a member leads, or whose leader is gone. In any
    other a member is a guest, and what hides there is the hub's own parent or an operator's shell.
    """
    sessions = {session for pid in members if (session := _session(pid)) is not None}
    begun = {one for one in sessions if one in members or not _others(one)}
    for process in hidden:
        if _session(process.pid) in begun:
            members[process.pid] = process


def _others(session: int) -> bool:
    """Whether a session is ours, or is led by somebody who is there (0: from outside a container)."""
    return session in (0, _session(0)) or psutil.pid_exists(session)


def _session(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except OSError:
        return None


def _add_descendants(members: dict[int, psutil.Process]) -> None:
    children: dict[int, list[psutil.Process]] = {}
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.NoSuchProcess):
            children.setdefault(process.ppid(), []).append(process)
    unvisited = list(members)
    while unvisited:
        for child in children.get(unvisited.pop(), ()):
            if child.pid not in members:
                members[child.pid] = child
                unvisited.append(child.pid)


def _alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _signal(members: Iterable[psutil.Process], number: signal.Signals) -> None:
    for process in members:
        # What we may not signal stays a member, and so stands in the way of the proof.
        with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            process.send_signal(number)


def _wait(members: Iterable[psutil.Process], seconds: float) -> None:
    """Wait until none of them is alive, at most some seconds. Collects nobody's exit status."""
    deadline = time.monotonic() + seconds
    left = [process for process in members if _alive(process)]
    while left and time.monotonic() < deadline:
        time.sleep(_LOOK_AGAIN)
        left = [process for process in left if _alive(process)]
