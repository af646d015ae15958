"""The workloads of Kueue's baseline test, and the two processes that play a hub and a control plane."""

from __future__ import annotations

import heapq
import itertools
import multiprocessing
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from typing import Any, TypeVar

from allotment.model.claims import Claim, Granted, Queued
from allotment.model.devices import DeviceOrigin, DeviceSpec
from allotment.model.groups import Share
from allotment.model.profiles import Priority, Profile
from allotment.model.sharing import PoolPolicy
from allotment.record import (
    Record,
    claims,
    counting,
    devices,
    groups,
    offers,
    open_record,
    people,
    pools,
    profiles,
    tickets,
)
from allotment.record.queue_lines import Lines
from allotment.work import queueing
from allotment.work.queueing import Queueing
from filled import settle

POOLS, GROUPS, GUARANTEED, CEILING = 5, 6, 20, 100
PEOPLE = 100
"""People of each group: nobody waits with more than twenty servers."""
KINDS = ((1, 0.2, 0.1, 350), (5, 0.5, 0.5, 100), (20, 1.0, 1.2, 50))
"""Devices, seconds that it runs, seconds between two that come, and how many of them in each group."""
HUB = "hub"
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True, order=True)
class Workload:
    """One launch: when it comes, in seconds from the begin."""

    at: float
    group: str
    number: int
    devices: int = field(compare=False)
    seconds: float = field(compare=False)

    @property
    def claim(self) -> Claim:
        """What its person asks for."""
        person = f"{self.group}-{self.number % PEOPLE}"
        return Claim(HUB, person, f"s{self.number}", f"gpu-{self.devices}")


def workloads(part: float = 1.0) -> list[Workload]:
    """All launches in the order in which they come; only a part of each kind where asked."""
    found = []
    for group in group_names():
        numbers = itertools.count()
        found += [
            Workload(every * (place + 1), group, next(numbers), size, seconds)
            for size, seconds, every, count in KINDS
            for place in range(int(count * part))
        ]
    return sorted(found)


def bound(part: float = 1.0) -> float:
    """Seconds that capacity alone needs for them."""
    work = sum(size * seconds * int(count * part) for size, seconds, _, count in KINDS)
    return work / GUARANTEED


def group_names() -> Iterator[str]:
    """Every group; the number before the dash is its pool's."""
    return (f"g{pool}-{group}" for pool in range(POOLS) for group in range(GROUPS))


def now() -> datetime:
    """The time now, UTC."""
    return datetime.now(UTC)


def arrange(record: Record) -> None:
    """Five pools of one node with 120 devices, six groups in each, and their people."""
    size = GROUPS * GUARANTEED
    names = {pool: [f"d{pool}-{place}" for place in range(size)] for pool in range(POOLS)}
    specs = [
        DeviceSpec(name, f"n{pool}", "A100", 80 << 30, name, DeviceOrigin.SETTINGS)
        for pool, some in names.items()
        for name in some
    ]
    with record.writing("operator", now()) as writing:
        devices.observe(writing, specs, DeviceOrigin.SETTINGS)
        for pool, some in names.items():
            pools.create(writing, f"p{pool}", some, policy=PoolPolicy(sharing=True))
        for group in group_names():
            pool = f"p{group[1]}"
            share = Share(group, pool, GUARANTEED, CEILING)
            groups.create(writing, group, wanted=[share])
            people.onboard(writing, [f"{group}-{number}" for number in range(PEOPLE)], group)
        for devices_asked, *_ in KINDS:
            name = f"gpu-{devices_asked}"
            profile = Profile(name=name, title=name, devices=devices_asked, priority=Priority.LOW)
            profiles.publish(writing, profile, f"{name}.yaml", name)


class Meter:
    """Wall seconds and calls of some functions, by a word for what they do."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.calls: dict[str, int] = {}
        self._lock = threading.Lock()

    def timed(self, word: str, work: Callable[..., Answer]) -> Callable[..., Answer]:
        """The same function with its time taken."""

        def run(*args: Any, **named: Any) -> Answer:
            began = time.perf_counter()
            try:
                return work(*args, **named)
            finally:
                took = time.perf_counter() - began
                with self._lock:
                    self.seconds[word] = self.seconds.get(word, 0.0) + took
                    self.calls[word] = self.calls.get(word, 0) + 1

        return run

    def commits_of(self, record: Record) -> None:
        """Take the time of a record's commits that wrote something."""
        dialect = record._writer.dialect  # noqa: SLF001 - nothing public says when a commit begins
        dialect.do_commit = self.timed("committing", dialect.do_commit)  # type: ignore[method-assign]  # the same


@dataclass(frozen=True)
class Report:
    """What a process says of itself at its end: CPU seconds, and what its meter took."""

    cpu: float
    seconds: dict[str, float]
    calls: dict[str, int]


class PlayedHub:
    """What the control plane asks of a hub: it hands the start on to the process that plays the servers."""

    def __init__(self, line: Connection) -> None:
        self._line, self._lock = line, threading.Lock()

    def start_server(
        self, person: str, name: str, options: dict[str, str], *, display_name: str = ""
    ) -> None:
        """Have a server started."""
        del display_name
        with self._lock:
            self._line.send((options["ticket"], person, name))


def control_plane(url: str, line: Connection) -> None:
    """Follow the queue until the other side says stop, and report."""
    meter = Meter()
    record = open_record(url)
    meter.commits_of(record)
    Lines.read = meter.timed("reading", Lines.read)  # type: ignore[method-assign]  # the same, timed
    queueing.schedule = meter.timed("deciding", queueing.schedule)
    offers.offer_all = meter.timed("offering", offers.offer_all)
    step = Queueing(record, PlayedHub(line), HUB)  # type: ignore[arg-type]  # as much of a hub as is asked
    began = time.process_time()
    while not line.poll():
        step.follow(now())
    step.close()
    line.recv()
    line.send(Report(time.process_time() - began, meter.seconds, meter.calls))
    record.close()


class Timetable:
    """Things to do at their time, by some threads."""

    def __init__(self, threads: int, act: Callable[[Any], None]) -> None:
        self._act = act
        self._due: list[tuple[float, int, Any]] = []
        self._numbers = itertools.count()
        self._changed = threading.Condition()
        self._ended = False
        self.failures: list[BaseException] = []
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(threads)]
        for thread in self._threads:
            thread.start()

    def add(self, at: float, thing: Any) -> None:
        """Do it at this moment of the monotonic clock."""
        with self._changed:
            heapq.heappush(self._due, (at, next(self._numbers), thing))
            self._changed.notify()

    def end(self) -> None:
        """Do nothing more."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        while (thing := self._next()) is not None:
            try:
                self._act(thing)
            except BaseException as error:  # noqa: BLE001 - whoever waits for the end is told
                self.failures.append(error)

    def _next(self) -> Any:
        with self._changed:
            while not self._ended:
                wait = self._due[0][0] - time.monotonic() if self._due else None
                if wait is not None and wait <= 0:
                    return heapq.heappop(self._due)[2]
                self._changed.wait(wait)
        return None


class Users:
    """Claims that come, servers that start by ticket, and their ends."""

    def __init__(
        self, record: Record, todo: Sequence[Workload], line: Connection, threads: int
    ) -> None:
        self._record, self._line = record, line
        self._by_server = {(one.claim.person, one.claim.server): one for one in todo}
        self._left = len(todo)
        self._done = threading.Event()
        self._lock = threading.Lock()
        self.waits: list[float] = []
        self.last = 0.0
        self._coming = Timetable(threads, self._ask)
        self._starting = Timetable(threads, self._start)
        self._ending = Timetable(threads, self._end)
        self.began = time.monotonic() + 0.5
        for one in todo:
            self._coming.add(self.began + one.at, one)

    def run(self, seconds: float) -> float:
        """Play until the last server has ended; returns how long it took."""
        deadline = time.monotonic() + seconds
        while not self._done.is_set():
            if self._line.poll(0.05):
                self._starting.add(0.0, self._line.recv())
            failures = self._coming.failures + self._starting.failures + self._ending.failures
            if failures:
                raise failures[0]
            if time.monotonic() > deadline:
                message = f"{self._left} workloads are left after {seconds:g} s"
                raise TimeoutError(message)
        for table in (self._coming, self._starting, self._ending):
            table.end()
        return self.last - self.began

    def _ask(self, one: Workload) -> None:
        outcome = claims.queue(self._record, one.claim, now())
        assert isinstance(outcome, Queued), outcome

    def _start(self, asked: tuple[str, str, str]) -> None:
        ticket, person, server = asked
        one = self._by_server[person, server]
        outcome, _ = offers.take_offer(self._record, one.claim, ticket, now())
        if not isinstance(outcome, Granted):
            return  # asked twice: it was started by the first
        begun = time.monotonic()
        self.waits.append(begun - self.began - one.at)
        self._ending.add(begun + one.seconds, outcome.allotment.id)

    def _end(self, allotment: str) -> None:
        claims.mark_stopping(self._record, allotment, "it has ended", HUB, now())
        claims.release(self._record, allotment, "no process is left", now())
        with self._lock:
            self._left -= 1
            self.last = time.monotonic()
            if not self._left:
                self._done.set()


@dataclass(frozen=True)
class Played:
    """How it went: seconds until the last server had ended, each wait, and what both processes say."""

    seconds: float
    waits: list[float]
    hub: Report
    plane: Report


def play(url: str, part: float, threads: int, longest: float) -> Played:
    """Play the workloads over an empty record; nothing may be left of them but history.

    Raises:
        TimeoutError: it took longer than so many seconds.
    """
    meter = Meter()
    record = open_record(url, migrate=True)
    arrange(record)
    settle(url)
    meter.commits_of(record)
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    plane = context.Process(target=control_plane, args=(url, there), daemon=True)
    plane.start()
    try:
        began = time.process_time()
        users = Users(record, workloads(part), here, threads)
        took = users.run(longest)
        mine = Report(time.process_time() - began, meter.seconds, meter.calls)
        here.send("stop")
        while not isinstance(said := here.recv(), Report):
            pass  # a start that was asked for twice
        plane.join(20)
        with record.reading() as reading:
            assert counting.discrepancies(reading) == ()
            assert not tickets.live(reading)
        return Played(took, users.waits, mine, said)
    finally:
        plane.kill()
        record.close()
