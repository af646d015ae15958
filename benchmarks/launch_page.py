"""The launch page with 200 profiles and 10,000 running servers: how long, and how long the hub's loop stands still.

    make bench ARGS=launch_page

A real hub draws the page for one person while another asks for its live parts. A task in the hub's
event loop wakes every millisecond and notes how late it was: that is for how long nobody else was
served. *Its own work* is what the loop's thread computed meanwhile; the rest it waited for a processor.
"""

from __future__ import annotations

import itertools
import json
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import psutil

from allotment.model.claims import Claim, Granted
from allotment.model.groups import Share
from allotment.record import Record, claims, groups, people, pools
from page_hubs import PageHub
from table import Row, main

PROFILES, SERVERS, POOLS = 200, 10_000, 50
DEVICES = 1_000
"""Devices of all pools; a tenth of the servers hold one."""
PAGE_AIM, LOOP_AIM = 50.0, 50.0
"""Milliseconds at the 95th percentile, and at most."""

WATCH = '''
import asyncio, json, time
from allotment_hub.sign_in import LocalAuthenticator

class Watched(LocalAuthenticator):
    """Notes, while the file beside the state is there, how late the event loop wakes."""
    async def refresh_user(self, user, handler=None):
        if not hasattr(Watched, "watching"):
            Watched.watching = asyncio.ensure_future(watch())
        return await super().refresh_user(user, handler)

async def watch():
    late, worked, wakes = 0.0, 0.0, 0
    while True:
        before, busy = time.perf_counter(), time.thread_time()
        await asyncio.sleep(0.001)
        late = max(late, time.perf_counter() - before - 0.001)
        worked = max(worked, time.thread_time() - busy)
        wakes += 1
        if wakes % 100 == 0:
            (place.state / "late.new").write_text(json.dumps([late, worked]))
            (place.state / "late.new").rename(place.state / "late.json")
        if (place.state / "forget").exists():
            (place.state / "forget").unlink()
            late = worked = 0.0

c.JupyterHub.authenticator_class = Watched
c.Watched.auth_refresh_age = 1
'''


def profile_files() -> Iterator[tuple[str, str]]:
    """Profiles of every kind: with and without devices, of any pool and of one."""
    sizes = itertools.cycle((0, 1, 1, 2, 4))
    kinds = itertools.cycle(("any", "pool-0", "{model: A100}"))
    for number in range(PROFILES):
        devices = next(sizes)
        pool = next(kinds) if devices else "any"
        lines = (
            f"title: Size {number}",
            f"description: For work of kind {number % 7}, with what it needs installed.",
            f"devices: {devices}",
            f"pool: {pool}",
            f"cpu: {1 + number % 16}",
            f"memory: {2 << number % 6}GiB",
            f"price: 2.{number:03d}",
        )
        yield f"size-{number:03d}", "\n".join(lines)


SETTINGS = "\n".join(
    [
        "sign_in: {kind: local, operators: [olga]}",
        "people: {ada: {}, ben: {}}",
        "devices:",
        *(f"  - {{id: d{n}, model: A100, memory: 80GiB, node: n{n // 8}}}" for n in range(DEVICES)),
        "profiles: [profiles]",
        "limits: {defaults: {devices: 4}}",
    ]
)


def fill(record: Record, servers: int) -> None:
    """Make pools and groups, and start so many servers of the record; a tenth of them hold a device.

    They carry a hub id of their own, so that nobody looks for their processes.
    """
    now = datetime.now(UTC)
    each = DEVICES // POOLS
    with record.writing("olga", now) as writing:
        for pool in range(POOLS):
            pools.create(writing, f"pool-{pool}", [f"d{pool * each + n}" for n in range(each)])
            groups.create(
                writing,
                f"group-{pool}",
                wanted=[Share(f"group-{pool}", f"pool-{pool}", each, each)],
            )
            people.onboard(writing, [f"p{pool}-{n}" for n in range(50)], group=f"group-{pool}")
        people.onboard(writing, ["ada", "ben"], group="group-0")
    for number in range(servers):
        pool, person = number % POOLS, number // POOLS % 50
        profile = "size-001" if number // POOLS < each * 3 // 4 else "size-000"
        claim = Claim("elsewhere", f"p{pool}-{person}", f"s{number}", profile)
        outcome = claims.admit(record, claim, now)
        assert isinstance(outcome, Granted), outcome
        claims.mark_running(record, outcome.allotment.id, now)


def timed(browser: httpx.Client, path: str, rounds: int) -> list[float]:
    """Milliseconds of each request."""
    taken = []
    for _ in range(rounds):
        before = time.perf_counter()
        answer = browser.get(path)
        taken.append((time.perf_counter() - before) * 1000)
        assert answer.is_success, answer.status_code
    return taken


def processor_seconds(hub: PageHub) -> float:
    """What the hub's process has computed so far: the same on a busy machine as on a quiet one."""
    assert hub.process
    spent = psutil.Process(hub.process.pid).cpu_times()
    return float(spent.user + spent.system)


def p95(values: list[float]) -> float:
    """The 95th percentile."""
    return statistics.quantiles(values, n=20)[-1]


def measure(quick: bool) -> list[Row]:
    """Draw the page again and again, alone and while others do."""
    servers, rounds = (500, 20) if quick else (SERVERS, 200)
    with tempfile.TemporaryDirectory() as folder:
        hub = PageHub(
            Path(folder) / "hub", settings=SETTINGS, profiles=dict(profile_files()), config=WATCH
        )
        try:
            hub.start()
            fill(hub.record, servers)
            return rows(hub, rounds, servers)
        finally:
            hub.stop()


def rows(hub: PageHub, rounds: int, servers: int) -> list[Row]:
    """The figures."""
    ada, ben = hub.signed_in("ada"), hub.signed_in("ben")
    # Straight to the hub: the proxy's own time is not what is measured.
    for browser in (ada, ben):
        browser.base_url = httpx.URL(f"http://127.0.0.1:{hub.hub_port}/hub")
    timed(ada, "/spawn", 5)
    (hub.state / "forget").touch()
    before = processor_seconds(hub)
    page = timed(ada, "/spawn", rounds)
    each = 1000 * (processor_seconds(hub) - before) / rounds
    others = threading.Thread(
        target=timed, args=(ben, f"/allotment/parts/launch?_xsrf={ben.cookies['_xsrf']}", rounds)
    )
    others.start()
    together = timed(ada, "/spawn", rounds)
    others.join()
    home = timed(ada, "/home", rounds)
    time.sleep(0.5)
    late, worked = json.loads((hub.state / "late.json").read_text())
    still, own = 1000 * late, 1000 * worked
    size = len(ada.get("/spawn").content)
    what = f"{PROFILES} profiles, {servers:,} servers"
    return [
        Row(
            f"launch page, p95 ({what})",
            f"{p95(page):.1f} ms",
            f"median {statistics.median(page):.1f}",
            aim=f"< {PAGE_AIM:g} ms",
            met=p95(page) < PAGE_AIM,
        ),
        Row("… the hub's processor time for one", f"{each:.1f} ms", f"{size / 1024:.0f} kB"),
        Row(
            "… while another's parts are drawn, p95",
            f"{p95(together):.1f} ms",
            f"median {statistics.median(together):.1f}",
        ),
        Row("home page, p95", f"{p95(home):.1f} ms", f"median {statistics.median(home):.1f}"),
        Row(
            "the hub's loop stood still, at most",
            f"{still:.1f} ms",
            f"its own work {own:.1f}",
            aim=f"< {LOOP_AIM:g} ms",
            met=still < LOOP_AIM,
        ),
    ]


if __name__ == "__main__":
    main("The launch page", measure)
