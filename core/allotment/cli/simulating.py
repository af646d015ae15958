"""``allotment simulate`` and ``let-in``: replay a trace or own history before a policy is applied."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from allotment.cli.ending import Misused
from allotment.cli.options import Json, Url, control_plane, needs_a_hubs_parts
from allotment.cli.output import Output
from allotment.model.documents import Simulation, SimulationQuestion, SimulationState
from allotment.model.reasons import refused_words
from allotment.model.refusals import AllotmentError
from allotment.model.simulation import Outcome, PoolResult, Result, SimulationPolicy, Waits

_HOUR, _DAY = 60.0, 1440.0

Trace = Annotated[
    Path | None,
    typer.Argument(
        metavar="[TRACE]",
        help="A CSV file (or .csv.gz) with submitted_at, duration, devices and group of each launch; "
        "left out: the platform's own history.",
    ),
]
PolicyFile = Annotated[
    Path | None,
    typer.Option(
        "--policy",
        metavar="FILE",
        help="A YAML file: pools with devices, shares, and how they share; profiles with their ends.",
    ),
]
Begin = Annotated[
    str | None, typer.Option("--from", metavar="DAY", help="From this day on; else 7 days.")
]
End = Annotated[
    str | None, typer.Option("--to", metavar="DAY", help="Up to this day's end; else until now.")
]
LOOK = 2.0
"""Seconds for which the control plane may keep a question about one that still runs."""


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(simulate)
    app.command(name="let-in")(let_in)


def simulate(
    trace: Trace = None,
    policy: PolicyFile = None,
    begin: Begin = None,
    end: End = None,
    show_policy: Annotated[
        bool,
        typer.Option("--show-policy", help="Write the present policy, to change it, and end."),
    ] = False,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Replay launches against a policy: who would have waited, and for how long.

    A trace is replayed here. Own history is replayed by the control plane, under the present policy
    and, where one is given, beside the changed one.
    """
    out = Output(as_json=as_json)
    if show_policy:
        _write_policy(url)
    elif trace is not None:
        _replay_trace(out, trace, policy)
    else:
        changed = None if policy is None else _read_policy(policy)
        found = _ask(url, SimulationQuestion.COMPARE, begin, end, changed)
        if as_json:
            out.document(found)
        else:
            _show_both(out, found)


def let_in(begin: Begin = None, end: End = None, url: Url = None, as_json: Json = False) -> None:
    """Show which single change would have let most people in, by replays of own history."""
    out = Output(as_json=as_json)
    found = _ask(url, SimulationQuestion.LET_IN, begin, end, None)
    if as_json:
        out.document(found)
        return
    table = found.let_in
    changes = table.changes if table else ()
    out.table(
        ("Change", "#Let in", "#Hours saved", "#Reclaimed", "#Stopped idle", "#Cost"),
        (
            (
                one.words,
                f"{one.let_in:+,}",
                f"{one.hours_saved:,.1f}",
                f"{one.reclaimed:+,}",
                f"{one.stopped_idle:+,}",
                f"{one.cost:+,.2f}",
            )
            for one in changes
        ),
        empty="No single change would have let anybody in.",
    )
    if table and table.untried:
        out.say(f"{table.untried} changes were not tried: the time was up.", "yellow")
    for rule, count in found.refused_otherwise.items():
        out.say(
            f"{count:,} launches were refused by {refused_words(rule)}, which no device would mend.",
            "dim",
        )


def _write_policy(url: str | None) -> None:
    with control_plane(url) as client:
        present = client.simulations.present_policy()
    if present is None:
        raise Misused("No pool has devices: there is no policy yet.")
    # JSON is YAML: what is written here can be changed and given back as --policy.
    typer.echo(present.model_dump_json(indent=2, exclude_defaults=True))


def _read_policy(path: Path) -> SimulationPolicy:
    with needs_a_hubs_parts():
        from allotment.simulate import read_policy  # noqa: PLC0415 - what only this command needs
    return read_policy(path)


def _replay_trace(out: Output, trace: Path, policy: Path | None) -> None:
    with needs_a_hubs_parts():
        from allotment.simulate import (  # noqa: PLC0415 - what only this command needs
            TraceInvalid,
            read_trace,
            replay,
        )
    if policy is None:
        raise Misused("A trace is replayed against a policy: give its file as --policy FILE.")
    plan = _read_policy(policy)
    try:
        jobs = read_trace(trace)
    except TraceInvalid as invalid:
        raise Misused(str(invalid)) from invalid
    with _bar(len(jobs)) as progress:
        result = replay(jobs, plan, progress)
    if out.as_json:
        out.document(result)
        return
    _show(out, result)


def _ask(
    url: str | None,
    question: SimulationQuestion,
    begin: str | None,
    end: str | None,
    changed: SimulationPolicy | None,
) -> Simulation:
    """Have the control plane replay own history, and follow it to its end."""
    with control_plane(url) as client, _bar(100) as progress:
        found = client.simulations.begin(question, begin=begin, end=end, changed=changed)
        said = 0
        while not found.state.ended:
            found = client.simulations.get(found.id, wait=LOOK)
            progress(int(found.progress * 100) - said)
            said = int(found.progress * 100)
    if found.state is not SimulationState.DONE:
        raise AllotmentError(found.problem or "The replay was cancelled.")
    return found


def _show_both(out: Output, found: Simulation) -> None:
    for title, result in (("Present policy", found.present), ("Changed policy", found.changed)):
        if result is not None:
            out.say(f"\n{title}", "bold")
            _show(out, result)
    if found.present is None:
        out.say("Nothing was launched in this time.")


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
            "#Held idle",
            "#Reclaimed",
            "#Stopped idle",
            "#Gave up",
            "#Never",
            "#Cost",
        ),
        (row for pool in result.pools for row in _rows(pool)),
        empty="Nothing was launched.",
    )
    for pool in result.pools:
        for rule, count in pool.reasons.items():
            out.say(f"{pool.pool}: {count:,} launches had to wait for {rule}.", "dim")


def _rows(pool: PoolResult) -> Iterator[tuple[object, ...]]:
    for group in pool.groups:
        yield pool.pool, group.group or "no group", group.guaranteed, *_outcome(group, "")
    idle = f"{pool.idle_device_hours:,.0f}"
    yield pool.pool, "all", pool.devices, *_outcome(pool, idle)


def _outcome(part: Outcome, idle: str) -> Iterator[object]:
    yield from _waits(part.waits)
    yield from (f"{part.device_hours:,.0f}", idle, f"{part.held_idle_device_hours:,.0f}")
    yield from (part.reclaimed, part.stopped_idle, part.gave_up, part.never)
    yield f"{part.cost:,.2f}"


def _waits(waits: Waits) -> tuple[object, ...]:
    times = (waits.mean, waits.half, waits.ninety, waits.ninety_nine)
    return waits.launches, *(_duration(minutes) for minutes in times)


def _duration(minutes: float) -> str:
    if minutes < _HOUR:
        return f"{minutes:.0f} min"
    return f"{minutes / _HOUR:.1f} h" if minutes < 2 * _DAY else f"{minutes / _DAY:.1f} d"
