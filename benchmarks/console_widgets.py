"""How the console's widgets bear 10,000 servers and 1,000 devices.

    make bench ARGS=console_widgets

Each round opens a fresh page in Chromium (software-rendered, no window) on a Voilà of its own port:
first paint from the moment that the kernel's socket is open, a delta of 100 rows on the wire and in
the page's event loop, frames while scrolling. The aims are for two cores that do nothing else: a
load above 3 spoils the frames.
"""

import statistics
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Browser, Page

import browsing
from table import Row, main

ROUNDS = 5
SCROLLS = 120
WAIT_MILLISECONDS = 60_000

#: Kept by the page itself, so that no measure waits for the browser's remote control.
WATCH = """
window.measured = { opened: null, painted: null, received: 0, tasks: [], frames: [] };
const Socket = window.WebSocket;
window.WebSocket = class extends Socket {
  constructor(...given) {
    super(...given);
    if (!String(given[0]).includes("/channels")) return;
    this.addEventListener("open", () => { measured.opened ??= performance.now(); });
    this.addEventListener("message", ({ data }) => {
      measured.received += typeof data === "string" ? data.length : data.byteLength ?? data.size;
    });
  }
};
new PerformanceObserver((list) => {
  for (const task of list.getEntries()) measured.tasks.push([task.startTime, task.duration]);
}).observe({ type: "longtask", buffered: true });
new MutationObserver((_, observer) => {
  if (!document.querySelector(".ag-row .ag-cell")) return;
  observer.disconnect();
  requestAnimationFrame(() => setTimeout(() => { measured.painted = performance.now(); }));
}).observe(document, { childList: true, subtree: true });
"""

FRAMES = """
() => {
  measured.frames = [];
  let before = performance.now();
  const each = (now) => { measured.frames.push(now - before); before = now; measured.frame = requestAnimationFrame(each); };
  measured.frame = requestAnimationFrame(each);
}
"""

#: A console of widgets alone, without a control plane.
WIDGETS = Path(__file__).parent / "notebooks" / "console_widgets.py"


@dataclass(frozen=True)
class Aim:
    """What is wanted of a figure: at most this."""

    name: str
    unit: str
    most: float | None = None


FIRST_PAINT = Aim("first paint after the kernel is connected", "s", 3)
FIRST_BYTES = Aim("first paint on the wire", "kB")
DELTA_BYTES = Aim("delta of 100 rows on the wire", "kB", 20)
DELTA_TASK = Aim("longest task after a delta of 100 rows", "ms", 250)
SORTED_TASK = Aim("the same, filtered and sorted by a text", "ms", 250)
FRAME = Aim("frames while scrolling, p95", "ms", 50)
AIMS = (FIRST_PAINT, FIRST_BYTES, DELTA_BYTES, DELTA_TASK, SORTED_TASK, FRAME)


@dataclass
class Figures:
    """What the rounds measured."""

    samples: dict[Aim, list[float]] = field(default_factory=dict)

    def add(self, aim: Aim, value: float) -> None:
        """Takes one round's figure."""
        self.samples.setdefault(aim, []).append(value)

    def rows(self) -> list[Row]:
        """One row for each figure; the median is held against the aim."""
        return [_row(aim, values) for aim, values in self.samples.items()]


def _row(aim: Aim, values: list[float]) -> Row:
    median = statistics.median(values)
    return Row(
        f"10,000 rows: {aim.name}",
        f"{median:.1f} {aim.unit}",
        f"{min(values):.1f} to {max(values):.1f}",
        aim="" if aim.most is None else f"at most {aim.most:g} {aim.unit}",
        met=None if aim.most is None else median <= aim.most,
    )


def after(page: Page, act: Callable[[], object], seen: str) -> tuple[float, float]:
    """Kilobytes received and the longest task, in ms, until a text is seen and the page is idle."""
    start = page.evaluate("() => { measured.received = 0; return performance.now(); }")
    act()
    page.get_by_text(seen, exact=True).wait_for(timeout=WAIT_MILLISECONDS)
    # Two frames later what the change caused is painted, and its tasks are known.
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 300)))")
    tasks = page.evaluate("(start) => measured.tasks.filter(([at]) => at >= start)", start)
    longest = max((duration for _, duration in tasks), default=0.0)
    return page.evaluate("measured.received") / 1000, longest


def scroll(page: Page) -> float:
    """The 95th percentile of the time between two frames, in ms, while a wheel turns over the rows."""
    box = page.locator(".allotment-grid .rows").first.bounding_box()
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
    return statistics.quantiles(frames, n=20)[-1]


def round_of(browser: Browser, address: str, figures: Figures) -> None:
    """One page: opened, changed, filtered and sorted, scrolled."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    browsing.stay_here(page, [])
    page.add_init_script(WATCH)
    page.goto(address)
    page.wait_for_function("measured.painted !== null", timeout=WAIT_MILLISECONDS)
    figures.add(FIRST_PAINT, page.evaluate("(measured.painted - measured.opened) / 1000"))
    figures.add(FIRST_BYTES, page.evaluate("measured.received / 1000"))
    change = page.get_by_role("button", name="Change 100 rows")
    size, task = after(page, change.click, "changed 1 times")
    figures.add(DELTA_BYTES, size)
    figures.add(DELTA_TASK, task)
    figures.add(FRAME, scroll(page))
    page.get_by_role("columnheader", name="User").click()
    page.get_by_role("searchbox").first.fill("vision")
    page.locator(".count", has_text=" of 10,000").wait_for(timeout=WAIT_MILLISECONDS)
    figures.add(SORTED_TASK, after(page, change.click, "changed 2 times")[1])
    context.close()


def measure(quick: bool) -> list[Row]:
    """Open pages, and hold the medians against the aims."""
    figures = Figures({aim: [] for aim in AIMS})
    with (
        tempfile.TemporaryDirectory() as folder,
        browsing.voila(Path(folder), "--template=allotment") as server,
        browsing.chromium() as browser,
    ):
        address = server.page("widgets", WIDGETS.read_text(encoding="utf-8"))
        for _ in range(1 if quick else ROUNDS):
            round_of(browser, address, figures)
    return figures.rows()


if __name__ == "__main__":
    main("The console's widgets", measure)
