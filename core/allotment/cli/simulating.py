"""``allotment simulate``: replay a trace against a policy before it is applied."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from allotment.cli.ending import Misused
from allotment.cli.options import Json, needs_a_hubs_parts
from allotment.cli.output import Output

if TYPE_CHECKING:
    from allotment.simulate import PoolResult, Result, Waits

_HOUR, _DAY = 60.0, 1440.0

Trace = Annotated[
    Path,
    typer.Argument(
        metavar="TRACE",
        help="A CSV file (or .csv.gz) with submitted_at, duration, devices and group of each launch.",
    ),
]
PolicyFile = Annotated[
    Path,
    typer.Option(
        "--policy",
        metavar="FILE",
        help="A YAML file: pools with devices, shares, and how they share.",
    ),
]


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(simulate)


def simulate(trace: Trace, policy: PolicyFile, as_json: Json = False) -> None:
    """Replay launches against a policy: who would have waited, and for how long."""
    with needs_a_hubs_parts():
        from allotment.simulate import (  # noqa: PLC0415 - what only this command needs
            TraceInvalid,
            read_policy,
            read_trace,
            replay,
        )
    plan = read_policy(policy)
    try:
        jobs = read_trace(trace)
    except TraceInvalid as invalid:
        raise Misused(str(invalid)) from invalid
    with _bar(len(jobs)) as progress:
        result = replay(jobs, plan, progress)
    out = Output(as_json=as_json)
    if as_json:
        out.document(result)
        return
    _show(out, result)


@contextmanager
def _bar(total: int) -> Iterator[Callable[[int], None]]:
    """A progress bar where somebody looks; it is written beside the result, never into it."""
    columns = (
        TextColumn("Replaying"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task("replay", total=total)
        yield lambda more: bar.advance(task, more)


def _show(out: Output, result: Result) -> None:
    out.table(
        (
            "Pool",
            "Group",
            "#Guaranteed",
            "#Launches",
            "#Wait mean",
            "#50 %",
            "#90 %",
            "#99 %",
            "#Device hours",
            "#Idle while waiting",
            "#Reclaimed",
            "#Never",
        ),
        (row for pool in result.pools for row in _rows(pool)),
        empty="Nothing was launched.",
    )
    for pool in result.pools:
        for rule, count in pool.reasons.items():
            out.say(f"{pool.pool}: {count:,} launches had to wait for {rule}.", "dim")


def _rows(pool: PoolResult) -> Iterator[tuple[object, ...]]:
    for group in pool.groups:
        yield (
            pool.pool,
            group.group,
            group.guaranteed,
            *_waits(group.waits),
            f"{group.device_hours:,.0f}",
            "",
            group.reclaimed,
            group.never,
        )
    yield (
        pool.pool,
        "all",
        pool.devices,
        *_waits(pool.waits),
        f"{pool.device_hours:,.0f}",
        f"{pool.idle_device_hours:,.0f}",
        pool.reclaimed,
        pool.never,
    )


def _waits(waits: Waits) -> tuple[object, ...]:
    times = (waits.mean, waits.half, waits.ninety, waits.ninety_nine)
    return waits.launches, *(_duration(minutes) for minutes in times)


def _duration(minutes: float) -> str:
    if minutes < _HOUR:
        return f"{minutes:.0f} min"
    return f"{minutes / _HOUR:.1f} h" if minutes < 2 * _DAY else f"{minutes / _DAY:.1f} d"
