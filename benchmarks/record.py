"""Admission and release per second, beside the bare database writing the same rows.

    make bench ARGS=record

*Bare* writes the same rows with the same library in as many transactions, without reads and rules,
row by row. Both sides run in alternating blocks of one process, so that a machine whose speed
drifts does not favour either. Quote the ratios; the rates depend on the disk.
"""

from __future__ import annotations

import itertools
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pgserver

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
from bare import Bare, now
from filled import settle
from table import Row, main

POOLS, FREE_IN_EACH, THREADS = 16, 8, 16
FEW, MANY, MOST = 10, 1_000, 10_000
GROWTH, LONGEST, STARVED = 1.25, 50.0, 2.0


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


def ours(record: Record, pool: int, number: int) -> list[float]:
    """One admission, stop and release of one device; returns the seconds of each transaction."""
    clock = [time.perf_counter()]
    outcome = claims.admit(record, Claim("hub", f"u{pool}-0", f"bench{number % 4}", "gpu"), now())
    assert isinstance(outcome, Granted), outcome
    clock.append(time.perf_counter())
    claims.mark_stopping(record, outcome.allotment.id, "benchmark", "benchmark", now())
    clock.append(time.perf_counter())
    assert claims.release(record, outcome.allotment.id, "no process is left", now())
    clock.append(time.perf_counter())
    return [end - begin for begin, end in itertools.pairwise(clock)]


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
    work: Callable[[int, int], list[float]], threads: int, cycles: int
) -> tuple[float, list[list[float]]]:
    """Run cycles in threads, each on a pool of its own; returns cycles per second and each thread's transactions (s)."""
    durations: list[list[float]] = [[] for _ in range(threads)]
    barrier = threading.Barrier(threads + 1)

    def body(thread: int) -> None:
        barrier.wait()
        for number in range(cycles):
            durations[thread].extend(work(thread % POOLS, number))

    workers = [threading.Thread(target=body, args=(thread,)) for thread in range(threads)]
    for worker in workers:
        worker.start()
    barrier.wait()
    begun = time.perf_counter()
    for worker in workers:
        worker.join()
    return threads * cycles / (time.perf_counter() - begun), durations


class Figures:
    """One database's rows."""

    def __init__(
        self, name: str, aim: float, threaded_aim: float | None, url: Callable[[], str]
    ) -> None:
        self.name, self.aim, self.threaded_aim, self.url = name, aim, threaded_aim, url
        self.rows: list[Row] = []

    def measure(self, blocks: int, cycles: int) -> list[Row]:
        """Fill three records and run both sides on each, then ours on the smallest and the largest."""
        records = {running: self._filled(running) for running in (FEW, MANY, MOST)}
        for running, record in records.items():
            bare = Bare(record)
            mine, theirs, ratio = _in_turn(record, bare, blocks, cycles)
            self._row(f"one thread, {running:,} running", mine, theirs, ratio, self.aim)
            if running == MOST:
                self._with_threads(record, bare, cycles)
        self._growth(records[FEW], records[MOST], blocks, cycles)
        for record in records.values():
            with record.reading() as reading:
                assert counting.discrepancies(reading) == ()
            record.close()
        return self.rows

    def _filled(self, running: int) -> Record:
        url = self.url()
        record = open_record(url, migrate=True)
        arrange(record, running)
        settle(url)
        return record

    def _growth(self, few: Record, most: Record, blocks: int, cycles: int) -> None:
        """The two records in alternating blocks, so that a machine that drifts is no growth."""
        quick, slow, growth = ratio_of(
            alternate(
                lambda number: ours(few, number % POOLS, number),
                lambda number: ours(most, number % POOLS, number),
                blocks,
                cycles,
            )
        )
        self.rows.append(
            Row(
                f"{self.name}: growth from {FEW} to {MOST:,} running",
                f"{quick:.0f}/s",
                f"{slow:.0f}/s",
                f"{growth:.2f}x",
                f"at most {GROWTH}x",
                growth <= GROWTH,
            )
        )

    def _row(self, what: str, mine: float, theirs: float, ratio: float, aim: float | None) -> None:
        words = "" if aim is None else f"at least {aim}"
        met = None if aim is None else ratio >= aim
        self.rows.append(
            Row(
                f"{self.name}: {what}",
                f"{mine:.0f}/s",
                f"{theirs:.0f}/s",
                f"{ratio:.2f}",
                words,
                met,
            )
        )

    def _with_threads(self, record: Record, bare: Bare, cycles: int) -> None:
        def left(pool: int, number: int) -> list[float]:
            return ours(record, pool, number)

        pairs = [
            (threaded(left, THREADS, cycles // 4), threaded(bare.cycle, THREADS, cycles // 4))
            for _ in range(5)
        ]
        ratio = statistics.median(mine[0] / theirs[0] for mine, theirs in pairs)
        rates = [statistics.median(pair[side][0] for pair in pairs) for side in (0, 1)]
        self._row(f"{THREADS} threads, {POOLS} pools", rates[0], rates[1], ratio, self.threaded_aim)
        self._fairness([mine[1] for mine, _ in pairs], [theirs[1] for _, theirs in pairs])

    def _fairness(self, mine: list[list[list[float]]], theirs: list[list[list[float]]]) -> None:
        p99, base = (
            _p99([x for run in runs for thread in run for x in thread]) for runs in (mine, theirs)
        )
        sqlite = self.name == "SQLite"
        aim = "under 50 ms" if sqlite else ""
        what = f"{self.name}: {THREADS} threads, one transaction at p99"
        self.rows.append(
            Row(
                what,
                f"{p99:.0f} ms",
                f"{base:.0f} ms",
                f"{p99 / base:.2f}",
                aim,
                p99 < LONGEST if sqlite else None,
            )
        )
        spread = max(
            max(map(statistics.mean, run)) / min(map(statistics.mean, run)) for run in mine
        )
        self.rows.append(
            Row(
                f"{self.name}: slowest over fastest of {THREADS} threads",
                f"{spread:.2f}x",
                aim="under 2x",
                met=spread < STARVED,
            )
        )


def _p99(durations: list[float]) -> float:
    """The 99th percentile in milliseconds."""
    return sorted(durations)[int(len(durations) * 0.99)] * 1000


def _in_turn(record: Record, bare: Bare, blocks: int, cycles: int) -> tuple[float, float, float]:
    def left(number: int) -> None:
        ours(record, number % POOLS, number)

    def right(number: int) -> None:
        bare.cycle(number % POOLS, number)

    return ratio_of(alternate(left, right, blocks, cycles))


def measure(quick: bool) -> list[Row]:
    """Both databases."""
    blocks, cycles = (4, 60) if quick else (12, 200)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        files = iter(range(100))
        rows = Figures(
            "SQLite", 0.75, None, lambda: f"sqlite:///{folder}/{next(files)}.sqlite"
        ).measure(blocks, cycles)
        server = pgserver.get_server(Path(folder) / "postgresql")
        try:
            return rows + Figures(
                "PostgreSQL", 1.0, 0.8, lambda: _database(server, next(files))
            ).measure(blocks, cycles)
        finally:
            server.cleanup()


def _database(server: Any, number: int) -> str:
    server.psql(f"CREATE DATABASE bench{number};")
    return str(server.get_uri(f"bench{number}"))


if __name__ == "__main__":
    main("Admission and release of one device, cycles per second", measure)
