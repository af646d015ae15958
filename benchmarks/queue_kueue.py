"""Kueue's own baseline test, in real time and with every decision durable.

    make bench ARGS=queue_kueue

Five pools with six groups each. Every group is guaranteed 20 of its pool's 120 devices and may hold
100 with what it borrows. In each group 350 launches of 1 device for 0.2 s come every 0.1 s, 100 of 5
for 0.5 s every 0.5 s, and 50 of 20 for 1 s every 1.2 s: 15,000 in all, for which capacity alone needs
66 s. Kueue publishes 351 s for the same (test/performance/scheduler in kubernetes-sigs/kueue).

Users and servers are played by this process: every claim waits, takes its offer, steps to *stopping*
and is released when its time is over, each by the record's own function in a transaction of its own.
The control plane's step decides and offers in another process, as it does beside a hub. Nothing is
started, so the figure is that of queue and record.

The shares are of wall time in the control plane's process, where *reading* and *deciding* make a
decision, and *offering* writes it; *committing* is part of offering. CPU time is of both processes.
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pgserver

from kueue_load import bound, play
from table import Row, main

THREADS = {"SQLite": 4, "PostgreSQL": 2}
"""Threads of each kind that play users and servers: on SQLite more of them share a commit."""
KUEUE = 351.0
"""Seconds that Kueue publishes for all 15,000."""
AIM = 70.0
QUICK = 0.06
LONGEST = 600.0
"""Seconds after which a machine is too slow or too busy to go on."""


def figures(name: str, url: str, part: float) -> Iterator[Row]:
    """Play once over an empty record and tell what it took."""
    whole = part == 1
    try:
        played = play(url, part, THREADS[name], LONGEST)
    except TimeoutError as error:
        yield Row(f"{name}: gave up", str(error), aim=f"under {AIM:.0f} s", met=False)
        return
    number = len(played.waits)
    yield Row(
        f"{name}: {number:,} launches, bound {bound(part):.0f} s",
        f"{played.seconds:.1f} s, {number / played.seconds:.0f}/s",
        f"Kueue {KUEUE:.0f} s, {15_000 / KUEUE:.0f}/s" if whole else "",
        f"{played.seconds / KUEUE:.2f}" if whole else "",
        f"under {AIM:.0f} s" if whole else "",
        played.seconds < AIM if whole else None,
    )
    waits = sorted(played.waits)
    yield Row(
        f"{name}: from coming to starting",
        f"{statistics.median(waits):.1f} s, 99 % {waits[int(number * 0.99)]:.1f} s",
    )
    plane = played.plane
    shares = ", ".join(
        f"{word} {plane.seconds.get(word, 0.0) / played.seconds:.0%}"
        for word in ("reading", "deciding", "offering", "committing")
    )
    yield Row(f"{name}: shares of {plane.calls.get('deciding', 0):,} decisions", shares)
    yield Row(
        f"{name}: CPU seconds",
        f"control plane {plane.cpu:.1f}",
        f"users and servers {played.hub.cpu:.1f}",
        f"{(plane.cpu + played.hub.cpu) / number * 1000:.2f} ms each",
    )


def measure(quick: bool) -> list[Row]:
    """Both databases."""
    part = QUICK if quick else 1.0
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        rows = list(figures("SQLite", f"sqlite:///{folder}/record.sqlite", part))
        server = pgserver.get_server(Path(folder) / "postgresql")
        try:
            server.psql("CREATE DATABASE kueue;")
            return rows + list(figures("PostgreSQL", str(server.get_uri("kueue")), part))
        finally:
            server.cleanup()


if __name__ == "__main__":
    main("Kueue's baseline test in real time", measure)
