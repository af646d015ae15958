"""A thousand servers that are pods, and two hundred launches at once: our hub beside one of stock KubeSpawner.

    make bench ARGS=kubernetes

Two clusters of the tests, each in a process of its own, have a hub each; the record is in PostgreSQL.
Both hubs begin with as many running servers, and launch and stop as many in turn, so that a machine
whose speed drifts favours neither. The figures are for two cores that do nothing else: what a hub
computes (CPU) can be compared on a busy machine too, what passes meanwhile cannot.
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pgserver

import pod_console
import pod_control_plane
from allotment.record import open_record
from filled import settle
from pod_cluster import pod_cluster
from pod_hubs_measured import Burst, MeasuredHub
from table import Row, main

SERVERS, BURST, PEOPLE, DEVICES = 1_000, 200, 2_000, 8
REST = 30.0
CPU_AIM, TURN_AIM = 1.05, 50.0
"""A ratio; milliseconds."""


def measure(quick: bool) -> list[Row]:
    """Fill both hubs, launch in turn, then look at the control plane and the console."""
    servers, burst, people, rounds = (180, 20, 300, 1) if quick else (SERVERS, BURST, PEOPLE, 2)
    nodes = (servers + burst) // DEVICES + 1
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True)))
        url = _record(stack, folder)
        pair = [
            _hub(stack, folder / name, nodes, record)
            for name, record in (("ours", url), ("stock", ""))
        ]
        pair[0].seed_record(people)
        for hub in pair:
            hub.start()
            hub.seed_users(people)
            hub.fill(servers)
        settle(url)
        rests = [hub.rest(5.0 if quick else REST) for hub in pair]
        bursts = list(_in_turn(pair, range(servers, servers + burst), rounds))
        rows = [
            *_launches([one[0] for one in bursts], servers, burst),
            *_turns([one[0] for one in bursts], rests[0], f"{servers:,} running"),
            _rest(rests, servers),
            _memory("memory of the hub", [hub.memory() for hub in pair]),
        ]
        pair[1].close()
        rows += pod_control_plane.measure(pair[0], folder, servers, quick=quick)
        pair[0].kill()
        return rows + pod_console.measure(url, folder, quick=quick)


def _record(stack: ExitStack, folder: Path) -> str:
    """A migrated record in a PostgreSQL of its own."""
    server: Any = pgserver.get_server(folder / "postgresql")
    stack.callback(server.cleanup)
    url = str(server.get_uri())
    open_record(url, migrate=True).close()
    return url


def _hub(stack: ExitStack, folder: Path, nodes: int, record: str) -> MeasuredHub:
    cluster = stack.enter_context(pod_cluster(folder / "cluster", nodes, DEVICES))
    hub = MeasuredHub(folder / "hub", cluster, record)
    stack.callback(hub.close)
    return hub


Pair = tuple[tuple[Burst, Burst], tuple[Burst, Burst]]
"""Of launching and of stopping, ours first."""


def _in_turn(pair: Sequence[MeasuredHub], numbers: range, rounds: int) -> Iterator[Pair]:
    """Rounds of both hubs, each beginning as often; the first warms up and is not counted."""
    for number in range(rounds + 1):
        done = {}
        for side in (0, 1) if number % 2 else (1, 0):
            done[side] = pair[side].launch_and_stop(numbers)
        if number or not rounds:
            yield (done[0][0], done[1][0]), (done[0][1], done[1][1])


def _launches(rounds: Sequence[tuple[Burst, Burst]], servers: int, burst: int) -> Iterator[Row]:
    what = f"{burst} launches at once, {servers:,} running"
    yield _seconds(f"{what}: asked to admitted", rounds, lambda one: one.admitted, 0.5)
    yield _seconds("…", rounds, lambda one: one.admitted, 0.95)
    yield _seconds("… asked to ready", rounds, lambda one: one.done, 0.5)
    yield _seconds("…", rounds, lambda one: one.done, 0.95)
    ours, stock = (statistics.median(pair[side].cpu for pair in rounds) for side in (0, 1))
    ratio = statistics.median(pair[0].cpu / pair[1].cpu for pair in rounds)
    yield Row(
        "CPU of the hub for a launch",
        f"{ours / burst * 1000:.0f} ms",
        f"{stock / burst * 1000:.0f} ms",
        f"{ratio:.2f}",
        f"at most {CPU_AIM:g}",
        ratio <= CPU_AIM,
    )


def _seconds(
    what: str,
    rounds: Sequence[tuple[Burst, Burst]],
    of: Callable[[Burst], list[float]],
    part: float,
) -> Row:
    """A part of the times of all rounds, beside that of stock KubeSpawner."""
    ours, stock = ([at for pair in rounds for at in of(pair[side])] for side in (0, 1))
    name = "p50" if part == 0.5 else f"p{part * 100:.0f}"  # noqa: PLR2004 - the middle
    found, beside = _part(ours, part), _part(stock, part)
    return Row(f"{what}, {name}", f"{found:.2f} s", f"{beside:.2f} s", f"{found / beside:.2f}")


def _part(values: list[float], part: float) -> float:
    return sorted(values)[int(len(values) * part)]


def _turns(rounds: Sequence[tuple[Burst, Burst]], rest: Burst, what: str) -> Iterator[Row]:
    """The longest turn of a hub's loop: of its computing first, since others may have had the core meanwhile."""
    for name, some in (
        ("while launching", [pair[0] for pair in rounds]),
        (f"at rest, {what}", [rest]),
    ):
        beside = [pair[1] for pair in rounds] if some[0] is not rest else []
        longest = _longest(some)
        yield Row(
            f"longest turn of the hub's loop {name}",
            f"{longest[1]:.0f} ms computing, {longest[0]:.0f} ms in all",
            f"{_longest(beside)[1]:.0f} ms computing" if beside else "",
            aim=f"under {TURN_AIM:g} ms",
            met=longest[1] < TURN_AIM,
        )


def _longest(some: Sequence[Burst]) -> tuple[float, float]:
    """Milliseconds in all, and of computing, each the longest."""
    turns = [turn for one in some for turn in one.turns]
    return tuple(max((turn[at] for turn in turns), default=0.0) * 1000 for at in (0, 1))  # type: ignore[return-value]  # of two


def _rest(rests: Sequence[Burst], servers: int) -> Row:
    ours, stock = (one.cpu for one in rests)
    return Row(
        f"CPU of the hub at rest, {servers:,} running",
        f"{ours:.2f} s",
        f"{stock:.2f} s",
        f"{ours / stock:.2f}" if stock else "",
    )


def _memory(what: str, sizes: Sequence[int]) -> Row:
    ours, beside = sizes
    return Row(what, f"{ours / 1e6:.0f} MB", f"{beside / 1e6:.0f} MB", f"{ours / beside:.2f}")


if __name__ == "__main__":
    main("A thousand servers that are pods, beside stock KubeSpawner", measure)
