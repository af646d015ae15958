"""The operator console, whole, with 10,000 servers and 1,000 devices: control plane, kernel, Voilà, Chromium.

Each round opens the overview in a fresh page with a kernel of its own. Then a hundred servers begin
to stop, and a hundred report other use. The servers are of a hub that is not there, so no
reconciling touches them. The figures are for two cores that do nothing else.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

from playwright.sync_api import Browser, Page

import browsing
from allotment.model.allotments import Allotment, State
from allotment.model.reports import DeviceUse, Measured, ServerReport
from allotment.record import allotments, claim_statements
from allotment_widgets import console_notebook_path
from console_widgets import FRAMES, SCROLLS, WAIT_MILLISECONDS, WATCH
from control_plane import SERVERS, fill
from control_planes import Platform, platform
from table import Row, main

HELD = 800
CHANGED = 100
PAINT_AIM, DELTA_AIM, TASK_AIM, FRAME_AIM, SHOWN_AIM = 3.0, 20.0, 250.0, 50.0, 2.0
"""Seconds, kB, ms, ms, seconds."""


@dataclass
class Round:
    """What one page showed."""

    paint: float = 0.0
    first_bytes: float = 0.0
    shown: float = 0.0
    delta: float = 0.0
    task: float = 0.0
    report_delta: float = 0.0
    report_task: float = 0.0
    frames: list[float] = field(default_factory=list)


def measure(quick: bool) -> list[Row]:
    """Fill a record, open pages, and hold the medians against the aims."""
    servers, rounds = (1_000, 1) if quick else (SERVERS, 5)
    with tempfile.TemporaryDirectory() as folder, platform(Path(folder)) as running:
        fill(running.record, servers, HELD)
        running.start()
        running_servers = active(running)
        report(running, running_servers, busy=50.0)
        with opened(running, Path(folder) / "notebooks") as (browser, address):
            batches = iter(running_servers)
            done = [
                one_round(browser, address, running, list(islice(batches, CHANGED)))
                for _ in range(rounds)
            ]
    return rows(done, servers)


def active(running: Platform) -> list[Allotment]:
    """Servers that run, those with devices first."""
    with running.record.reading() as reading:
        found = allotments.active(reading)
    return sorted(found, key=lambda one: not one.devices)


@contextmanager
def opened(running: Platform, folder: Path) -> Iterator[tuple[Browser, str]]:
    """A browser, and the address of the wheel's notebook."""
    folder.mkdir()
    notebook = folder / "console.ipynb"
    notebook.write_bytes(console_notebook_path().read_bytes())
    os.environ["ALLOTMENT_API_URL"] = running.url
    os.environ["JUPYTERHUB_API_TOKEN"] = running.hub.token("olga")
    with (
        browsing.voila(folder, "--template=allotment") as server,
        browsing.chromium() as browser,
    ):
        yield browser, f"{server.address}/voila/render/console.ipynb"


def report(running: Platform, some: list[Allotment], busy: float) -> None:
    """These servers report this use of their devices."""
    now = datetime.now(UTC)
    for one in some:
        uses = tuple(
            DeviceUse(id=device.id, measured=Measured.NVML, utilisation=busy)
            for device in one.devices
        )
        sent = ServerReport(
            kernels=1,
            kernels_busy=1,
            terminals=0,
            last_activity=now - timedelta(seconds=5),
            devices=uses,
        )
        running.plane.use.take(one, f"{one.hub}~{one.person}~{one.server}", sent, now)


def one_round(
    browser: Browser, address: str, running: Platform, changing: list[Allotment]
) -> Round:
    """Open, report, stop, scroll."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    browsing.stay_here(page, [])
    page.add_init_script(WATCH)
    page.goto(address)
    page.wait_for_function("measured.painted !== null", timeout=WAIT_MILLISECONDS)
    done = Round(
        paint=page.evaluate("(measured.painted - measured.opened) / 1000"),
        first_bytes=page.evaluate("measured.received / 1000"),
    )
    page.locator(".ag-row .ag-cell").first.wait_for(timeout=WAIT_MILLISECONDS)
    settled(page)
    done.report_delta, done.report_task, _ = after(
        page, lambda: report(running, changing, busy=73.0), arrived
    )
    before = page.locator(".facts").inner_text()
    done.delta, done.task, done.shown = after(
        page,
        lambda: begin_to_stop(running, changing),
        lambda page: page.wait_for_function(
            "(before) => document.querySelector('.facts').innerText !== before",
            arg=before,
            timeout=WAIT_MILLISECONDS,
        ),
    )
    done.frames = scroll(page)
    # Left as a person leaves it, so that its console ends too.
    page.close(run_before_unload=True)
    context.close()
    return done


def arrived(page: Page) -> None:
    """Wait until more has arrived than the beat that says that all is live."""
    page.wait_for_function("measured.received > 2000", timeout=WAIT_MILLISECONDS)


def settled(page: Page) -> None:
    """Wait until nothing has arrived for a second and a half: reports are gathered for one."""
    page.wait_for_function(
        """() => {
          const { received, quiet } = measured;
          if (quiet?.received !== received) measured.quiet = { received, since: performance.now() };
          return performance.now() - measured.quiet.since > 1500;
        }""",
        timeout=WAIT_MILLISECONDS,
    )


def begin_to_stop(running: Platform, some: list[Allotment]) -> None:
    """A hundred servers step on in one transaction, as after one request."""
    with running.record.writing("olga", datetime.now(UTC), configuration=False) as writing:
        for one in some:
            claim_statements.step(writing, one.id, State.STOPPING, "Maintenance")


def after(
    page: Page, act: Callable[[], object], seen: Callable[[Page], object]
) -> tuple[float, float, float]:
    """Kilobytes received, the longest task in ms, and the seconds until it was seen."""
    start = page.evaluate("() => { measured.received = 0; return performance.now(); }")
    began = time.perf_counter()
    act()
    seen(page)
    shown = time.perf_counter() - began
    settled(page)
    tasks = page.evaluate("(start) => measured.tasks.filter(([at]) => at >= start)", start)
    longest = max((duration for _, duration in tasks), default=0.0)
    return page.evaluate("measured.received") / 1000, longest, shown


def scroll(page: Page) -> list[float]:
    """Times between frames, in ms, while a wheel turns over the rows."""
    rows = page.locator(".allotment-grid .rows").first
    rows.scroll_into_view_if_needed()
    box = rows.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 200, box["y"] + 150)
    page.evaluate(FRAMES)
    for _ in range(SCROLLS):
        page.mouse.wheel(0, 240)
    last = page.locator(".ag-row").last.get_attribute("aria-rowindex")
    assert int(last or 0) > SCROLLS, "the rows did not scroll"
    frames: list[float] = page.evaluate(
        "() => { cancelAnimationFrame(measured.frame); return measured.frames; }"
    )
    return frames


def rows(done: list[Round], servers: int) -> list[Row]:
    """The medians, against the aims."""
    load = os.getloadavg()[0]
    frames = [statistics.quantiles(one.frames, n=20)[-1] for one in done]
    return [
        figure(
            f"console, {servers:,} servers: first paint",
            [one.paint for one in done],
            "s",
            PAINT_AIM,
        ),
        figure("… on the wire", [one.first_bytes for one in done], "kB", None),
        figure("100 servers stop: seen after", [one.shown for one in done], "s", SHOWN_AIM),
        figure("… on the wire, page and all", [one.delta for one in done], "kB", DELTA_AIM),
        figure("… longest task", [one.task for one in done], "ms", TASK_AIM),
        figure("100 servers report: wire", [one.report_delta for one in done], "kB", DELTA_AIM),
        figure("… longest task", [one.report_task for one in done], "ms", TASK_AIM),
        figure(f"frames while scrolling, p95 (load {load:.1f})", frames, "ms", FRAME_AIM),
    ]


def figure(what: str, values: list[float], unit: str, most: float | None) -> Row:
    """One row: the median of the rounds, with the worst beside it."""
    median = statistics.median(values)
    ours, worst = f"{median:.1f} {unit}", f"worst {max(values):.1f}"
    if most is None:
        return Row(what, ours, beside=worst)
    return Row(what, ours, beside=worst, aim=f"under {most:g} {unit}", met=median < most)


if __name__ == "__main__":
    main("The operator console", measure)
