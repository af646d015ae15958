"""From POST to a ready server: with our spawner, beside JupyterHub's own one.

    make bench ARGS=spawn

Two hubs of one configuration run side by side and start the same server in turn, so that a machine
whose speed drifts favours neither. The smallest server shows what admission, the record and the
proof of the end add; Jupyter's own shows what a person notices of it. The hub looks for a server
that starts at growing, random intervals, so single times scatter: quote the medians.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

import hubs
from hubs import HubUnderTest
from table import Row, main

AIM = 1.05
"""At most five in a hundred more."""
PERSON = "ada"
JUPYTER = [str(Path(sys.executable).parent / "jupyterhub-singleuser")]
PATIENT = "c.JupyterHub.tornado_settings = {'slow_spawn_timeout': 120, 'slow_stop_timeout': 120}\n"
STOCK = PATIENT + (
    "c.JupyterHub.spawner_class = 'simple'\nc.Spawner.args = ['--allow-root'] * (os.getuid() == 0)"
)


def timed(hub: HubUnderTest, method: str) -> float:
    """Seconds that the hub takes to start or to stop a server, ready or gone when it answers."""
    body = {"user_options": {"profile": "gpu"}} if method == "POST" else None
    began = time.perf_counter()
    answer = hub.api(method, f"/users/{PERSON}/server", body, token=hub.token(PERSON))
    elapsed = time.perf_counter() - began
    assert answer.status_code in {201, 204}, answer.text
    return elapsed


def in_turn(command: list[str], rounds: int, folder: Path) -> list[tuple[float, float]]:
    """Start and stop on both hubs in turn; returns the medians of starting and of stopping, ours first."""
    pair = [HubUnderTest(folder / "ours", command, PATIENT)]
    pair.append(HubUnderTest(folder / "stock", command, STOCK))
    times: dict[tuple[int, str], list[float]] = {}
    try:
        for hub in pair:
            hub.change(hubs.seed)
            hub.start()
            timed(hub, "POST")  # the first start of a home writes more than those that follow
            timed(hub, "DELETE")
        for number in range(rounds):
            for side in (0, 1) if number % 2 else (1, 0):
                for method in ("POST", "DELETE"):
                    times.setdefault((side, method), []).append(timed(pair[side], method))
    finally:
        for hub in pair:
            hub.close()
    medians = {key: statistics.median(found) for key, found in times.items()}
    return [(medians[0, method], medians[1, method]) for method in ("POST", "DELETE")]


def compared(what: str, ours: float, beside: float, aim: float | None) -> Row:
    """One row of two medians."""
    ratio = ours / beside
    return Row(
        what,
        f"{ours * 1000:.0f} ms",
        f"{beside * 1000:.0f} ms",
        f"{ratio:.3f}",
        f"at most {aim:g}" if aim else "",
        ratio <= aim if aim else None,
    )


def measure(quick: bool) -> list[Row]:
    """The smallest server, and Jupyter's own."""
    rows = []
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place:
        for name, command, rounds in (
            ("Jupyter's server", JUPYTER, 3 if quick else 15),
            ("smallest server", hubs.TINY, 5 if quick else 40),
        ):
            start, stop = in_turn(command, rounds, Path(place) / name.split()[0].strip("'s"))
            rows.append(compared(f"{name}: from POST to ready", *start, AIM))
            rows.append(compared(f"{name}: from DELETE to gone", *stop, None))
    return rows


if __name__ == "__main__":
    main("Starting a server with our spawner, beside SimpleLocalProcessSpawner", measure)
