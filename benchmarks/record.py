"""Admission and release per second, beside the bare database writing the same rows.

    python benchmarks/record.py [--quick]

*Bare* writes the same rows with the same library in as many transactions, without reads and rules,
row by row. Both sides run in alternating blocks of one process, so that a machine whose speed
drifts does not favour either. Quote the ratios; the rates depend on the disk.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pgserver
from rich.console import Console
from rich.table import Table

from allotment.model.claims import Claim, Granted
from allotment.model.devices import DeviceOrigin, DeviceSpec
from allotment.model.groups import Share
from allotment.model.profiles import Profile
from allotment.record import (
    Record,
    claims,
    counting,
    devices,
    groups,
    open_record,
    people,
    pools,
    profiles,
)
from allotment.record.columns import dumps, to_stored

POOLS, FREE_IN_EACH = 16, 8


def now() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)


def arrange(record: Record, running: int) -> None:
    """Make 16 pools of one group each, and so many running servers of one device spread over them."""
    each = running // POOLS + FREE_IN_EACH + 1
    with record.writing("operator", now()) as writing:
        specs = [
            DeviceSpec(
                f"d{pool}-{i}",
                f"n{pool}-{i // 8}",
                "A100",
                80 << 30,
                f"GPU-{pool}-{i}",
                DeviceOrigin.SETTINGS,
            )
            for pool in range(POOLS)
            for i in range(each)
        ]
        devices.observe(writing, specs, DeviceOrigin.SETTINGS)
        profiles.publish(writing, Profile(name="gpu", title="One GPU", devices=1), "gpu.yaml", "d")
        for pool in range(POOLS):
            pools.create(writing, f"p{pool}", [f"d{pool}-{i}" for i in range(each)])
            groups.create(writing, f"g{pool}", wanted=[Share(f"g{pool}", f"p{pool}", each, each)])
            people.onboard(
                writing, [f"u{pool}-{i}" for i in range(running // POOLS // 10 + 2)], f"g{pool}"
            )
    for number in range(running):
        pool, person = number % POOLS, number // POOLS // 10 + 1
        outcome = claims.admit(
            record, Claim("hub", f"u{pool}-{person}", f"s{number}", "gpu"), now()
        )
        assert isinstance(outcome, Granted), outcome
        claims.mark_running(record, outcome.allotment.id, now())


def ours(record: Record, pool: int, number: int) -> None:
    """One admission and one release of one device."""
    outcome = claims.admit(record, Claim("hub", f"u{pool}-0", f"bench{number % 4}", "gpu"), now())
    assert isinstance(outcome, Granted), outcome
    key = outcome.allotment.id
    _set_stopping(record, key)
    assert claims.release(record, key, "no process is left", now())


def _set_stopping(record: Record, key: str) -> None:
    """What mark_stopping does, on both sides: a cycle has three transactions."""
    claims.mark_stopping(record, key, "benchmark", "benchmark", now())


class Bare:
    """The same rows as :func:`ours`, one statement a row, without reads or rules."""

    def __init__(self, record: Record) -> None:
        self.record = record
        with record.reading() as reading:
            device = {d.pool: d for d in devices.all_devices(reading) if d.holder is None}
        self.device = device

    def cycle(self, pool: int, number: int) -> None:
        """Admit, stop and release, as rows."""
        moment = now()
        key = claims.new_id(moment)
        self._admit(key, pool, number, moment)
        self._step(key, moment)
        self._release(key, pool, moment)

    def _admit(self, key: str, pool: int, number: int, moment: datetime) -> None:
        device = self.device[f"p{pool}"]
        held = dumps(
            [
                [
                    device.id,
                    device.uuid,
                    device.node,
                    device.model,
                    device.memory,
                    str(device.isolation),
                ]
            ]
        )
        at = to_stored(moment)
        with self.record.writing(f"u{pool}-0", moment, configuration=False) as writing:
            writing.driver(
                "INSERT INTO allotments (id, hub, person, server, group_name, pool, profile, state, device_count, terms, devices,"
                " token_hash, admitted_at) VALUES (:id, 'bare', :person, :server, :g, :p, 'gpu', 'starting', 1, :terms, :held, '', :at)",
                {
                    "id": key,
                    "person": f"u{pool}-0",
                    "server": f"bare{threading.get_ident()}",
                    "g": f"g{pool}",
                    "p": f"p{pool}",
                    "terms": TERMS,
                    "held": held,
                    "at": at,
                },
            )
            writing.driver(
                "INSERT INTO servers (person, hub, name, profile, allotment, created_at) VALUES (:person, 'bare', :name, 'gpu', :id, :at)"
                " ON CONFLICT (person, hub, name) DO UPDATE SET profile = excluded.profile, allotment = excluded.allotment",
                {"person": f"u{pool}-0", "name": f"bare{number % 4}", "id": key, "at": at},
            )
            writing.driver(
                "INSERT INTO holdings (device, allotment) VALUES (:d, :id)",
                {"d": device.id, "id": key},
            )
            writing.driver("UPDATE devices SET free = FALSE WHERE id = :d", {"d": device.id})
            self._counters(writing, pool, device, 1)
            self._event(
                writing,
                "allotment.admitted",
                key,
                pool,
                {
                    "server": "bare",
                    "hub": "hub",
                    "profile": "gpu",
                    "pool": f"p{pool}",
                    "devices": [device.id],
                },
            )

    def _step(self, key: str, moment: datetime) -> None:
        with self.record.writing("hub", moment, configuration=False) as writing:
            writing.driver(
                "UPDATE allotments SET state = 'stopping', stopping_at = :at, stop_reason = 'benchmark', stopped_by = 'benchmark' WHERE id = :id",
                {"at": to_stored(moment), "id": key},
            )
            self._event(
                writing,
                "allotment.stopping",
                key,
                0,
                {"state": "stopping", "server": "bare", "hub": "hub", "reason": "benchmark"},
            )

    def _release(self, key: str, pool: int, moment: datetime) -> None:
        device = self.device[f"p{pool}"]
        with self.record.writing("hub", moment, configuration=False) as writing:
            writing.driver(
                "UPDATE allotments SET state = 'released', released_at = :at, proof = 'gone' WHERE id = :id",
                {"at": to_stored(moment), "id": key},
            )
            writing.driver("DELETE FROM holdings WHERE device = :d", {"d": device.id})
            writing.driver("UPDATE devices SET free = TRUE WHERE id = :d", {"d": device.id})
            self._counters(writing, pool, device, -1)
            self._event(
                writing,
                "allotment.released",
                key,
                pool,
                {"server": "bare", "hub": "hub", "proof": "no process is left"},
            )

    @staticmethod
    def _counters(writing: Any, pool: int, device: Any, number: int) -> None:
        writing.driver(
            "UPDATE shares SET held = held + :n WHERE group_name = :g AND pool = :p",
            {"n": number, "g": f"g{pool}", "p": f"p{pool}"},
        )
        writing.driver(
            "UPDATE pool_nodes SET free = free - :n WHERE pool = :p AND node = :node AND model = :m",
            {"n": number, "p": f"p{pool}", "node": device.node, "m": device.model},
        )

    @staticmethod
    def _event(writing: Any, kind: str, key: str, pool: int, after: dict[str, Any]) -> None:
        writing.event(kind, key, person=f"u{pool}-0", group=f"g{pool}", after=after)


TERMS = dumps({"profile": Profile(name="gpu", title="One GPU", devices=1).model_dump(mode="json")})


def alternate(
    left: Callable[[int], None], right: Callable[[int], None], blocks: int, cycles: int
) -> tuple[list[float], list[float]]:
    """Run blocks in turn; returns cycles per second of each block."""
    rates: tuple[list[float], list[float]] = ([], [])
    number = 0
    for block in range(blocks + 1):
        for side, run in enumerate((left, right) if block % 2 else (right, left)):
            side = side if block % 2 else 1 - side  # noqa: PLW2901 - the order alternates
            begun = time.perf_counter()
            for _ in range(cycles):
                run(number)
                number += 1
            if block:  # the first pair warms up
                rates[side].append(cycles / (time.perf_counter() - begun))
    return rates


def ratio_of(rates: tuple[list[float], list[float]]) -> tuple[float, float, float]:
    """Median rate of ours, of bare, and the median of the ratios of neighbouring blocks."""
    ratios = [ours_rate / bare_rate for ours_rate, bare_rate in zip(*rates, strict=True)]
    return statistics.median(rates[0]), statistics.median(rates[1]), statistics.median(ratios)


def threaded(
    work: Callable[[int, int], None], threads: int, cycles: int
) -> tuple[float, list[list[float]]]:
    """Run cycles in threads, each on a pool of its own; returns cycles per second and each thread's durations (s)."""
    durations: list[list[float]] = [[] for _ in range(threads)]
    barrier = threading.Barrier(threads + 1)
    last = time.perf_counter() + 3600

    def body(thread: int) -> None:
        barrier.wait()
        for number in range(cycles):
            begun = time.perf_counter()
            work(thread % POOLS, number)
            durations[thread].append(time.perf_counter() - begun)
            if time.perf_counter() > last:
                return

    workers = [threading.Thread(target=body, args=(thread,)) for thread in range(threads)]
    for worker in workers:
        worker.start()
    barrier.wait()
    begun = time.perf_counter()
    for worker in workers:
        worker.join()
    return threads * cycles / (time.perf_counter() - begun), durations


def _in_turn(record: Record, bare: Bare, blocks: int, cycles: int) -> tuple[float, float, float]:
    def left(number: int) -> None:
        ours(record, number % POOLS, number)

    def right(number: int) -> None:
        bare.cycle(number % POOLS, number)

    return ratio_of(alternate(left, right, blocks, cycles))


def measure(name: str, url: Callable[[], str], table: Table, blocks: int, cycles: int) -> None:
    """Add one database's rows to the table."""
    rates: dict[int, float] = {}
    ratios: dict[int, float] = {}
    for running in (10, 1_000, 10_000):
        record = open_record(url(), migrate=True)
        arrange(record, running)
        bare = Bare(record)
        found = _in_turn(record, bare, blocks, cycles)
        rates[running], ratios[running] = found[0], found[2]
        aim = "at least 0.75" if name == "SQLite" else "at least 1.0"
        table.add_row(
            f"{name}, one thread, {running:,} running",
            f"{found[0]:.0f}/s",
            f"{found[1]:.0f}/s",
            f"{found[2]:.2f}",
            aim,
        )
        if running == 10_000:  # noqa: PLR2004 - the fullest one
            _with_threads(name, record, bare, table, cycles)
        with record.reading() as reading:
            assert counting.discrepancies(reading) == ()
        record.close()
    growth = (rates[10] / rates[10_000], ratios[10] / ratios[10_000])
    table.add_row(
        f"{name}, growth from 10 to 10,000",
        f"{growth[0]:.2f}x",
        "",
        f"{growth[1]:.2f}x",
        "at most 1.25x",
    )


def _with_threads(name: str, record: Record, bare: Bare, table: Table, cycles: int) -> None:
    pairs = [
        (
            threaded(lambda p, n: ours(record, p, n), 16, cycles // 4),
            threaded(bare.cycle, 16, cycles // 4),
        )
        for _ in range(3)
    ]
    ratio = statistics.median(mine[0] / theirs[0] for mine, theirs in pairs)
    rate = statistics.median(mine[0] for mine, _ in pairs)
    base = statistics.median(theirs[0] for _, theirs in pairs)
    table.add_row(
        f"{name}, 16 threads, 16 pools",
        f"{rate:.0f}/s",
        f"{base:.0f}/s",
        f"{ratio:.2f}",
        "at least 0.8" if name != "SQLite" else "",
    )
    durations = sorted(d for d in (x for mine, _ in pairs for thread in mine[1] for x in thread))
    slowest = max(statistics.mean(thread) for mine, _ in pairs for thread in mine[1])
    fastest = min(statistics.mean(thread) for mine, _ in pairs for thread in mine[1])
    p99 = durations[int(len(durations) * 0.99)] * 1000
    table.add_row(
        f"{name}, 16 threads, a whole cycle at p99",
        f"{p99:.0f} ms",
        "",
        "",
        "under 50 ms" if name == "SQLite" else "",
    )
    table.add_row(
        f"{name}, 16 threads, slowest over fastest thread",
        f"{slowest / fastest:.2f}x",
        "",
        "",
        "none starved",
    )


def main() -> int:
    """Measure and print one table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument(
        "--quick", action="store_true", help="fewer blocks: the shape, not the figures"
    )
    blocks, cycles = (4, 60) if parser.parse_args().quick else (12, 200)
    table = Table(
        "what",
        "ours",
        "bare",
        "ratio",
        "aim",
        title="Admission and release of one device, cycles per second",
    )
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        files = iter(range(100))
        measure("SQLite", lambda: f"sqlite:///{folder}/{next(files)}.sqlite", table, blocks, cycles)
        server = pgserver.get_server(Path(folder) / "postgresql")
        try:
            measure("PostgreSQL", lambda: _database(server, next(files)), table, blocks, cycles)
        finally:
            server.cleanup()
    Console(width=110).print(table)
    return 0


def _database(server: Any, number: int) -> str:
    server.psql(f"CREATE DATABASE bench{number};")
    return str(server.get_uri(f"bench{number}"))


if __name__ == "__main__":
    sys.exit(main())
