"""Claims that have to wait: our tickets a second, beside Slurm's jobs that ``GrpTRES`` holds.

    make bench ARGS=queue_slurm

Each of ours is one durable decision with every reason: the launch asks for a device that its full
group may not have, and gets a ticket. Each of Slurm's is one ``sbatch`` of an account that is over its
``GrpTRES``, with accounting on MariaDB, in the same run and in turn. A fair word on both: ``sbatch`` is
a program of its own that is started and authenticated each time, ours is called as the hub calls it,
without HTTP; Slurm's state reaches the disk some seconds later, ours before the answer.
"""

from __future__ import annotations

import itertools
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pgserver

from allotment.model.claims import Claim, Granted, Queued
from allotment.model.devices import DeviceOrigin, DeviceSpec
from allotment.model.groups import Share
from allotment.model.profiles import Profile
from allotment.record import Record, claims, devices, groups, open_record, people, pools, profiles
from slurm_cluster import Slurm, SlurmAway, slurm
from table import Row, main

CLIENTS = (1, 4)
PEOPLE = 1_000
"""Each waits with a few servers: nobody may with more than twenty."""
HOLDER = "holder"


def arrange(record: Record) -> None:
    """A group whose one device is held, and its people."""
    now = datetime.now(UTC)
    spec = DeviceSpec("d0", "n0", "A100", 80 << 30, "d0", DeviceOrigin.SETTINGS)
    with record.writing("operator", now) as writing:
        devices.observe(writing, [spec], DeviceOrigin.SETTINGS)
        pools.create(writing, "a100", ["d0"])
        groups.create(writing, "vision", wanted=[Share("vision", "a100", 1, 1)])
        people.onboard(writing, [HOLDER, *(f"p{one}" for one in range(PEOPLE))], "vision")
        profiles.publish(writing, Profile(name="gpu", title="GPU", devices=1), "gpu.yaml", "gpu")
    outcome = claims.admit(record, Claim("hub", HOLDER, "", "gpu"), now)
    assert isinstance(outcome, Granted), outcome


def ours(record: Record) -> Callable[[int], None]:
    """One claim that waits, by its number."""

    def ask(number: int) -> None:
        claim = Claim("hub", f"p{number % PEOPLE}", f"s{number}", "gpu", wait=True)
        outcome = claims.admit(record, claim, datetime.now(UTC))
        assert isinstance(outcome, Queued), outcome

    return ask


def theirs(cluster: Slurm) -> Callable[[int], None]:
    """One job that is held."""

    def ask(_number: int) -> None:
        assert cluster.submit() is not None

    return ask


def rate(ask: Callable[[int], None], clients: int, numbers: Iterator[int], count: int) -> float:
    """How many a second so many clients get through together."""
    some = list(itertools.islice(numbers, count))
    began = time.perf_counter()
    with ThreadPoolExecutor(clients) as threads:
        list(threads.map(ask, some))
    return count / (time.perf_counter() - began)


def compared(
    sides: dict[str, Callable[[int], None]], blocks: int, count: int
) -> dict[tuple[str, int], float]:
    """The median rate of each side and number of clients; all take turns in each block."""
    found: dict[tuple[str, int], list[float]] = {}
    numbers = itertools.count()
    for _ in range(blocks):
        for clients in CLIENTS:
            for name, ask in sides.items():
                found.setdefault((name, clients), []).append(rate(ask, clients, numbers, count))
    return {key: statistics.median(rates) for key, rates in found.items()}


def rows(rates: dict[tuple[str, int], float], why: str) -> Iterator[Row]:
    """One row for each database and number of clients; ``why`` Slurm could not be measured, if so."""
    for clients in CLIENTS:
        beside = rates.get(("Slurm", clients))
        for name in ("SQLite", "PostgreSQL"):
            mine = rates[name, clients]
            yield Row(
                f"{name}: claims that wait, {clients} at a time",
                f"{mine:.0f}/s",
                f"Slurm: {why}" if beside is None else f"Slurm {beside:.0f}/s",
                "" if beside is None else f"{mine / beside:.1f}",
            )


def measure(quick: bool) -> list[Row]:
    """Both databases and, where it can be run, Slurm."""
    blocks, count = (1, 40) if quick else (5, 200)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place:
        folder = Path(place)
        server = pgserver.get_server(folder / "postgresql")
        try:
            server.psql("CREATE DATABASE tickets;")
            return _measure(folder, server, blocks, count)
        finally:
            server.cleanup()


def _measure(folder: Path, server: Any, blocks: int, count: int) -> list[Row]:
    urls = {
        "SQLite": f"sqlite:///{folder}/record.sqlite",
        "PostgreSQL": str(server.get_uri("tickets")),
    }
    records = {name: open_record(url, migrate=True) for name, url in urls.items()}
    for record in records.values():
        arrange(record)
    sides = {name: ours(record) for name, record in records.items()}
    (folder / "slurm").mkdir()
    try:
        with slurm(folder / "slurm") as cluster:
            found = list(rows(compared(sides | {"Slurm": theirs(cluster)}, blocks, count), ""))
            return [*found, held(cluster)]
    except SlurmAway as away:
        return list(rows(compared(sides, blocks, count), str(away)))
    finally:
        for record in records.values():
            record.close()


def held(cluster: Slurm) -> Row:
    """What holds Slurm's jobs, by its own word."""
    deadline = time.monotonic() + 60
    while not any(word.startswith("AssocGrp") for word in cluster.held()):
        if time.monotonic() > deadline:
            break
        time.sleep(1)
    words = ", ".join(f"{reason} {number}" for reason, number in sorted(cluster.held().items()))
    return Row("why Slurm's jobs wait", "", words)


if __name__ == "__main__":
    main("Claims that have to wait, a second", measure)
