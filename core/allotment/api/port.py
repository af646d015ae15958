"""The port: taken over from a control plane that a killed hub left behind."""

from __future__ import annotations

import errno
import logging
import os
import socket
import time

import psutil

from allotment.model.refusals import AllotmentError

log = logging.getLogger(__name__)

PATIENCE = 10.0
"""Seconds to wait for an orphan to let the port go. It watches its own hub, and soon ends by itself."""
_PAUSE = 0.1
_MODULE = "allotment.api"


def listen(address: str, port: int, patience: float = PATIENCE) -> socket.socket:
    """Listen, after ending an orphan that holds the port.

    Raises:
        AllotmentError: another program holds the port.
    """
    until = time.monotonic() + patience
    asked: set[int] = set()
    while True:
        try:
            return _bound(address, port)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
        orphan = _orphan(port)
        if orphan is not None and orphan.pid not in asked:
            log.warning(
                "ending an orphan of an earlier hub, process %d, on port %d", orphan.pid, port
            )
            asked.add(orphan.pid)
            orphan.terminate()
        if time.monotonic() >= until:
            message = f"Port {port} on {address} is held by another program."
            raise AllotmentError(message)
        time.sleep(_PAUSE)


def _bound(address: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    # Said to be TCP in so many words: asyncio sends at once only on sockets that say so, and an
    # answer in two parts would wait 40 ms for the other side's acknowledgement of the first.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
        listener.listen(2048)
    except OSError:
        listener.close()
        raise
    return listener


def _orphan(port: int) -> psutil.Process | None:
    """A control plane of this same platform on this port, whose hub is gone."""
    for process in psutil.process_iter():
        try:
            if process.pid != os.getpid() and _is_orphan(process) and _holds(process, port):
                return process
        except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            continue
    return None


def _is_orphan(process: psutil.Process) -> bool:
    if _MODULE not in process.cmdline():
        return False
    own = os.environ.get("ALLOTMENT_STATE")
    same = own is not None and process.environ().get("ALLOTMENT_STATE") == own
    return same and process.ppid() != os.getppid()


def _holds(process: psutil.Process, port: int) -> bool:
    return any(
        one.status == psutil.CONN_LISTEN and one.laddr.port == port
        for one in process.net_connections(kind="tcp")
    )
