"""The control plane with 10,000 servers and 1,000 devices: what the console asks of it, and reports."""

from __future__ import annotations

import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx

from allotment.api.identity import hash_token
from allotment.model.claims import Claim, Granted
from allotment.model.devices import DeviceOrigin, DeviceSpec
from allotment.model.groups import Share
from allotment.model.profiles import Profile
from allotment.record import Record, claims, devices, groups, people, pools, profiles
from control_planes import Platform, platform
from table import Row, main

DEVICES, SERVERS, POOLS, PEOPLE = 1_000, 10_000, 20, 50
CHANGED = 100
SNAPSHOT_AIM, CHANGES_AIM = 1.5, 0.25
"""Seconds. The console paints within three, reading servers and devices once."""
REPORTS_AIM = 333.0
"""Reports a second: 10,000 servers, each every half minute."""


def fill(record: Record, servers: int, held: int) -> None:
    """Pools, groups, people, and servers of which the first ``held`` hold a device; all of a hub that is not there."""
    now = datetime.now(UTC)
    specs = [
        DeviceSpec(
            f"d{number}", f"n{number // 8}", "A100", 80 << 30, f"u{number}", DeviceOrigin.SETTINGS
        )
        for number in range(DEVICES)
    ]
    each = DEVICES // POOLS
    with record.writing("olga", now) as writing:
        devices.observe(writing, specs, DeviceOrigin.SETTINGS)
        people.onboard(writing, ["olga"], role="operator")
        for pool in range(POOLS):
            name = f"pool-{pool}"
            pools.create(writing, name, [f"d{pool * each + number}" for number in range(each)])
            share = Share(f"group-{pool}", name, each, each)
            groups.create(writing, f"group-{pool}", wanted=[share])
            members = [f"p{pool}-{number}" for number in range(PEOPLE)]
            people.onboard(writing, members, group=f"group-{pool}")
        for count, name in enumerate(("desk", "gpu")):
            profile = Profile(name=name, title=name.title(), devices=count)
            profiles.publish(writing, profile, f"{name}.yaml", "0" * 64)
    for number in range(servers):
        launch(record, number, "gpu" if number < held else "desk", now)


def launch(record: Record, number: int, profile: str, now: datetime) -> str:
    """Start a server of the record; its token is ``token-`` and its number."""
    person = f"p{number % POOLS}-{number // POOLS % PEOPLE}"
    token = hash_token(f"token-{number}")
    claim = Claim("elsewhere", person, f"s{number}", profile, token_hash=token)
    outcome = claims.admit(record, claim, now)
    assert isinstance(outcome, Granted), outcome
    claims.mark_running(record, outcome.allotment.id, now)
    return outcome.allotment.id


@contextmanager
def asking(running: Platform) -> Iterator[httpx.Client]:
    """A client of the operator's console."""
    headers = {"Authorization": f"Bearer {running.hub.token('olga')}"}
    with httpx.Client(base_url=running.url, headers=headers, timeout=60, verify=False) as http:  # noqa: S501 - plain HTTP
        yield http


def timed(rounds: int, ask: Callable[[], httpx.Response]) -> tuple[float, int]:
    """Median seconds of some rounds, and the bytes of one answer."""
    seconds, size = [], 0
    for _ in range(rounds):
        started = time.perf_counter()
        answer = ask()
        seconds.append(time.perf_counter() - started)
        answer.raise_for_status()
        size = len(answer.content)
    return statistics.median(seconds), size


def row(what: str, measured: tuple[float, int], aim: float) -> Row:
    """A figure in milliseconds and kilobytes."""
    seconds, size = measured
    words = f"{seconds * 1e3:.0f} ms, {size / 1e3:.0f} kB"
    return Row(what, words, aim=f"under {aim * 1e3:.0f} ms", met=seconds < aim)


def measure(quick: bool) -> list[Row]:
    """Fill a record and ask."""
    servers, rounds = (1_000, 2) if quick else (SERVERS, 7)
    with tempfile.TemporaryDirectory() as folder, platform(Path(folder)) as running:
        fill(running.record, servers, held=800)
        running.start()
        with asking(running) as http:
            return [
                *snapshots(http, rounds),
                changes(running, http, servers),
                *reports(running, rounds),
            ]


def snapshots(http: httpx.Client, rounds: int) -> Iterator[Row]:
    """What the console reads when it opens."""
    for path in ("/servers?limit=20000", "/devices?limit=20000", "/users?limit=20000", "/overview"):
        measured = timed(rounds, lambda path=path: http.get(path))  # type: ignore[misc]  # bound for each
        yield row(f"GET {path.partition('?')[0]}, everything", measured, SNAPSHOT_AIM)


def changes(running: Platform, http: httpx.Client, first: int) -> Row:
    """What the console reads after some servers came."""
    before = http.get("/servers?limit=1").json()["sequence"]
    for number in range(first, first + CHANGED):
        launch(running.record, number, "desk", datetime.now(UTC))
    query = {"changed_after": before, "limit": 20_000}
    measured = timed(5, lambda: http.get("/servers", params=query))
    assert len(http.get("/servers", params=query).json()["items"]) == CHANGED
    return row(f"GET /servers, {CHANGED} that changed", measured, CHANGES_AIM)


def reports(running: Platform, rounds: int) -> Iterator[Row]:
    """How many reports a second are taken in, and how soon an event reaches who follows."""
    number = 100 * rounds
    document = {
        "kernels": 1,
        "kernels_busy": 1,
        "terminals": 0,
        "last_activity": "2026-11-22T14:02:11Z",
        "devices": [],
    }
    with httpx.Client(base_url=running.url, timeout=60, verify=False) as http:  # noqa: S501 - plain HTTP

        def report(which: int) -> None:
            headers = {"Authorization": f"Bearer token-{which % 1000}"}
            http.post("/reports", json=document, headers=headers).raise_for_status()

        started = time.perf_counter()
        with ThreadPoolExecutor(4) as threads:
            list(threads.map(report, range(number)))
        rate = number / (time.perf_counter() - started)
    yield Row(
        "reports of servers, a second",
        f"{rate:.0f}",
        aim=f"at least {REPORTS_AIM:.0f}",
        met=rate >= REPORTS_AIM,
    )
    yield following(running, rounds)


def following(running: Platform, rounds: int) -> Row:
    """From the commit of an event to its arrival in a client that follows."""
    seconds = []
    with running.client("olga") as client:
        after = client.events.after(limit=1).sequence
        arrived = threading.Event()
        at = [0.0]

        def follow() -> None:
            for _ in client.events.follow(after, stop=stop):
                at[0] = time.perf_counter()
                arrived.set()

        stop = threading.Event()
        thread = threading.Thread(target=follow, daemon=True)
        thread.start()
        for number in range(rounds):
            arrived.clear()
            with running.record.writing("olga", datetime.now(UTC)) as writing:
                people.onboard(writing, [f"late-{number}"])
            written = time.perf_counter()
            assert arrived.wait(10)
            seconds.append(at[0] - written)
        stop.set()
    median = statistics.median(seconds)
    return Row(
        "an event reaches who follows after",
        f"{median * 1e3:.0f} ms",
        aim="under 1000 ms",
        met=median < 1,
    )


if __name__ == "__main__":
    main("The control plane, 10,000 servers and 1,000 devices", measure)
