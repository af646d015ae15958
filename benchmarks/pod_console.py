"""The operator console over a record of very many pods, in PostgreSQL: paint, changes, bytes."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import console
from control_planes import platform
from table import Row

CHANGED = 100


def measure(record: str, folder: Path, *, quick: bool) -> list[Row]:
    """Open the console, let servers begin to stop, and hold the medians against the console's own aims."""
    with platform(folder, record) as running:
        running.start()
        some = console.active(running)
        console.report(running, some, busy=50.0)
        with console.opened(running, folder / "notebooks") as (browser, address):
            batches = iter(some)
            changed = 10 if quick else CHANGED
            done = [
                console.one_round(browser, address, running, list(islice(batches, changed)))
                for _ in range(1 if quick else 3)
            ]
        return console.rows(done, len(some))
