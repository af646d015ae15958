"""The Philly trace replayed through the queue's rules, beside plain references in the same run.

    ALLOTMENT_PHILLY_TRACE=philly-2017.csv.gz python benchmarks/queue_philly.py [--quick]

The trace is not part of this repository: 82,247 jobs of 15 groups from the public traces of
Microsoft's Philly cluster (github.com/msr-fiddle/philly-traces, CC-BY-4.0), as a CSV file with the
columns timestamp, duration, num_gpus and cluster. The environment variable
``ALLOTMENT_PHILLY_TRACE`` names it.

Every group is guaranteed devices in proportion to its device hours, at least one; requests are
capped at the group's guarantee. The references are written without the rules
(:mod:`queue_references`). Seconds are of the processor.
"""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path

from allotment.rules.eta import Estimate, Sessions, Stretch, estimate
from allotment.rules.queue_standing import GroupInPool, Node, PoolStanding, WaitingClaim
from allotment.rules.queue_turn import Turn
from allotment.simulate import Job, PoolPlan, SimulationPolicy, Waits, read_trace, replay
from allotment.simulate.replay import PoolReplay
from queue_references import REFERENCES, Reference
from table import Row, main

VARIABLE = "ALLOTMENT_PHILLY_TRACE"
WHERE = (
    "This replays the public Philly trace, which is not part of the repository: get it from "
    "https://github.com/msr-fiddle/philly-traces (CC-BY-4.0) as CSV with the columns timestamp, "
    f"duration, num_gpus, cluster, and name it: {VARIABLE}=FILE."
)
SIZES, JUDGED = (480, 600, 800), 600
FEW = 8_000
"""Jobs of a quick run, which judges nothing."""
MOST_SECONDS, PLAIN_MEAN, PROTECTED_MEAN, PROTECTED_99 = 5.0, 329.0, 562.0, 3322.0
WAIT = timedelta(hours=48)
NEVER, AT_ONCE = timedelta(days=3000), timedelta(0)
LEAST_HELD, MOST_HELD = 0.85, 0.97


def policy(devices: int, **plan: object) -> SimulationPolicy:
    """One pool of the benchmark's kind."""
    made = {"devices": devices, "requests": "capped", "priority": "low", **plan}
    return SimulationPolicy(pools=(PoolPlan.model_validate(made),))


OURS: tuple[tuple[str, str, dict[str, object]], ...] = (
    ("fixed partitions", "fixed", {"protect_after": NEVER}),
    ("sharing", "least", {"sharing": True, "protect_after": NEVER}),
    ("sharing, protected after 48 h", "protected", {"sharing": True, "protect_after": WAIT}),
    ("sharing, protected at once", "backfill", {"sharing": True, "protect_after": AT_ONCE}),
)
"""Policies through our rules, and the reference that stands beside each."""
ALONE = ("common", "strict")
"""References that no policy of ours stands beside."""


def words(waits: Waits, idle: float) -> str:
    """Waits and idle hours in a line."""
    return f"mean {waits.mean:,.0f}, 99 % {waits.ninety_nine:,.0f} min; idle {idle:,.0f} h"


def replays(jobs: Sequence[Job], devices: int) -> Iterator[Row]:
    """Every policy on so many devices, without reclaim and with it."""
    judged = devices == JUDGED and len(jobs) > FEW
    for order in ALONE:
        plain = words(*Reference(jobs, devices, order).run())
        yield Row(f"{devices} devices: {REFERENCES[order]}", "", plain)
    for name, beside, plan in OURS:
        yield from _policy(jobs, devices, (name, beside), {**plan, "reclaim": False}, judged=judged)
        if "sharing" in plan:
            both = (f"{name}, reclaim", "")
            yield from _policy(jobs, devices, both, plan, judged=judged)


def _policy(
    jobs: Sequence[Job],
    devices: int,
    names: tuple[str, str],
    plan: Mapping[str, object],
    *,
    judged: bool,
) -> Iterator[Row]:
    """One policy and its reference, if one stands beside it."""
    name, beside = names
    gc.collect()
    begin = time.process_time()
    found = replay(jobs, policy(devices, **plan))
    took = time.process_time() - begin
    plain = Reference(jobs, devices, beside).run() if beside else None
    aim, met = _aim(name, found.waits) if judged else ("", None)
    yield Row(
        f"{devices} devices: {name} ({took:.1f} s; {found.reclaimed:,} reclaimed)",
        words(found.waits, found.idle_device_hours),
        f"{REFERENCES[beside]}: {words(*plain)}" if plain else "",
        f"{found.waits.mean / plain[0].mean:.2f}" if plain else "",
        aim,
        met,
    )
    if judged and name == "sharing":
        yield Row(
            "seconds of that replay, reasons included",
            f"{took:.1f} s",
            aim=f"under {MOST_SECONDS:.0f} s",
            met=took < MOST_SECONDS,
        )


def _aim(name: str, waits: Waits) -> tuple[str, bool | None]:
    if name == "sharing":
        return f"mean at most {PLAIN_MEAN:.0f} min", waits.mean <= PLAIN_MEAN
    if name == "sharing, protected after 48 h":
        met = waits.mean <= PROTECTED_MEAN and waits.ninety_nine <= PROTECTED_99
        return f"mean at most {PROTECTED_MEAN:.0f}, 99 % at most {PROTECTED_99:,.0f} min", met
    return "", None


class Scored(PoolReplay):
    """A replay in which some of those who wait are told when they start, and are scored."""

    every = 200

    def __init__(self, plan: PoolPlan, jobs: Sequence[Job]) -> None:
        super().__init__(plan, jobs)
        self.stretch, self.seconds = Stretch(), 0.0
        self.held = {"half": 0, "most": 0}
        self.told, self.unknown, self._seen = 0, 0, 0
        self._estimates: dict[str, Estimate] = {}

    def _note(self, turn: Turn, claim: WaitingClaim) -> None:
        super()._note(turn, claim)
        self._seen += 1
        if self._seen % self.every:
            return
        past = self._lasting.by_kind()
        begin = time.process_time()
        found = estimate(
            self._as_standing(),
            list(self.line),
            [claim.id],
            claim.since,
            sessions=Sessions(past),
            stretch=self.stretch,
        )[claim.id]
        self.seconds += time.process_time() - begin
        self._estimates[claim.id] = found

    def _began_one(self, name: str, clock: float) -> None:
        super()._began_one(name, clock)
        found = self._estimates.pop(name, None)
        if found is None:
            return
        if found.half is None or found.most is None:
            self.unknown += 1
            return
        now = self.now(clock)
        half, most = now <= found.half, now <= found.most
        self.told += 1
        self.held["half"] += half
        self.held["most"] += most
        self.stretch = self.stretch.learn(half_held=half, most_held=most)

    def _as_standing(self) -> PoolStanding:
        state = self.state
        groups = tuple(
            GroupInPool(
                *(one.name, one.guaranteed, one.ceiling, one.weight),
                held=one.held,
                held_dedicated=one.dedicated,
                recent_use=one.recent_use,
            )
            for one in state.groups.values()
        )
        nodes = tuple(Node(name, state.nodes.free(name)) for name in state.nodes.names)
        return PoolStanding(
            *(state.pool, "", state.policy, state.total, nodes, groups),
            held=tuple(state.held.values()),
        )


def calibration(jobs: Sequence[Job]) -> Iterator[Row]:
    """How often the times that were told came true."""
    scored = Scored(policy(JUDGED, sharing=True, reclaim=False, protect_after=WAIT).pools[0], jobs)
    scored.run()
    told = max(1, scored.told)
    most, half = scored.held["most"] / told, scored.held["half"] / told
    yield Row(
        f"90 % times that held, of {scored.told} ({scored.unknown} were told that nobody can say)",
        f"{most:.0%} (and {half:.0%} of the 50 % times)",
        aim=f"{LEAST_HELD:.0%} to {MOST_HELD:.0%}",
        met=LEAST_HELD <= most <= MOST_HELD if len(jobs) > FEW else None,
    )
    each = scored.seconds / max(1, scored.told + scored.unknown)
    yield Row("one estimate with all who wait then", f"{each * 1000:.0f} ms")


def measure(quick: bool) -> list[Row]:
    """Replay, or say where the trace is to be had."""
    named = os.environ.get(VARIABLE)
    if not named:
        return [Row("Philly replay", WHERE)]
    jobs = read_trace(Path(named))
    if quick:
        return [*replays(jobs[:FEW], JUDGED), *calibration(jobs[:FEW])]
    return [row for size in SIZES for row in replays(jobs, size)] + list(calibration(jobs))


if __name__ == "__main__":
    main(
        "The Philly trace replayed: waits in minutes, idle device hours while somebody waits",
        measure,
    )
