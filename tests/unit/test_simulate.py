"""Replays of traces against policies."""

import gzip
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from allotment.cli.program import app
from allotment.model.refusals import SettingsInvalid
from allotment.simulate import (
    Job,
    PoolPlan,
    Result,
    ShareInPlan,
    SimulationPolicy,
    TraceInvalid,
    read_policy,
    read_trace,
    replay,
)

HEADER = "submitted_at,duration,devices,group\n"
HOUR = 3600.0


def trace_file(folder: Path, text: str) -> Path:
    file = folder / "trace.csv"
    file.write_text(text, "utf-8")
    return file


def run(jobs: list[Job], **plan: Any) -> Result:
    return replay(jobs, SimulationPolicy(pools=(PoolPlan(**plan),)))


def launches(group: str, count: int, hours: float = 1, devices: int = 1) -> list[Job]:
    """Launches that all ask at the same moment."""
    return [Job(0.0, hours * HOUR, devices, group) for _ in range(count)]


SHARES = (
    ShareInPlan(group="a", guaranteed=1, ceiling=2),
    ShareInPlan(group="b", guaranteed=1, ceiling=2),
)


@pytest.mark.promise("OPS-6")
def test_what_is_idle_is_lent_where_the_pool_shares() -> None:
    jobs = launches("a", 2)
    fixed = run(jobs, devices=2, shares=SHARES)
    shared = run(jobs, devices=2, shares=SHARES, sharing=True)
    assert (fixed.waits.longest, fixed.idle_device_hours) == (60, 1)
    assert (shared.waits.longest, shared.idle_device_hours) == (0, 0)


@pytest.mark.promise("OPS-6", "QUEUE-4")
def test_who_is_reclaimed_goes_on_later_and_the_owner_waits_for_the_grace_only() -> None:
    owner = Job(HOUR, HOUR, 1, "b")
    found = run([*launches("a", 2, hours=3), owner], devices=2, shares=SHARES, sharing=True)
    borrower, lender = found.pools[0].groups
    assert lender.waits.longest == 5
    assert borrower.reclaimed == 1
    assert found.device_hours == pytest.approx(7)


@pytest.mark.promise("OPS-6", "QUEUE-4")
def test_without_reclaim_the_owner_waits_for_the_borrower() -> None:
    jobs = [*launches("a", 2, hours=3), Job(HOUR, HOUR, 1, "b")]
    found = run(jobs, devices=2, shares=SHARES, sharing=True, reclaim=False)
    assert (found.reclaimed, found.waits.longest) == (0, 120)


@pytest.mark.promise("OPS-6")
def test_a_launch_larger_than_its_group_may_ever_hold_is_counted_apart() -> None:
    found = run(launches("a", 1, devices=3), devices=4, shares=SHARES, sharing=True)
    assert (found.never, found.waits.launches) == (1, 0)


@pytest.mark.promise("OPS-6")
def test_launches_are_counted_by_the_rule_that_made_them_wait() -> None:
    found = run([*launches("a", 2), *launches("b", 2)], devices=2, shares=SHARES, sharing=True)
    assert found.pools[0].reasons == {"devices.free": 2}


@pytest.mark.promise("OPS-6")
def test_pools_are_replayed_apart() -> None:
    pools = (PoolPlan(name="one", devices=1), PoolPlan(name="two", devices=1))
    jobs = [Job(0.0, HOUR, 1, "a", pool) for pool in ("one", "two", "one")]
    found = replay(jobs, SimulationPolicy(pools=pools))
    assert [(pool.pool, pool.waits.longest) for pool in found.pools] == [("one", 60), ("two", 0)]


@pytest.mark.promise("OPS-6")
def test_shares_follow_the_use_in_the_trace_where_none_are_written() -> None:
    found = run([*launches("a", 3), *launches("b", 1)], devices=8)
    assert {group.group: group.guaranteed for group in found.pools[0].groups} == {"a": 6, "b": 2}


@pytest.mark.promise("OPS-6")
def test_a_trace_is_read_under_its_own_names_or_under_ours(tmp_path: Path) -> None:
    philly = tmp_path / "trace.csv.gz"
    text = "timestamp,duration,num_gpus,gpu_time,cluster\n1970-01-01 01:00:00,66.0,2,132.0,x\n"
    philly.write_bytes(gzip.compress(text.encode()))
    ours = trace_file(tmp_path, HEADER + "1970-01-01T02:00:00+01:00,66,2,x\n")
    assert list(read_trace(philly)) == list(read_trace(ours)) == [Job(3600.0, 66.0, 2, "x")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "1: expected a column submitted_at or timestamp; found "),
        (HEADER, "2: expected at least one launch below the columns' names"),
        (HEADER + "soon,1,1,a", "2: expected a time such as 2026-11-22T14:02:11Z, found 'soon'"),
        (
            HEADER + "9999-12-31T23:59:59Z,1,1,a",
            "2: expected a time from 1900 to 9000, found '9999-12-31T23:59:59Z'",
        ),
        (HEADER + "\n2026-01-01,-1,1,a", "3: expected seconds of at least 0, found '-1'"),
        (HEADER + "2026-01-01,nan,1,a", "2: expected seconds of at least 0, found 'nan'"),
        (HEADER + "2026-01-01,1,0,a", "2: expected a number of devices of at least 1, found '0'"),
        (HEADER + "2026-01-01,1,1.5,a", "2: expected a whole number of devices, found '1.5'"),
        (HEADER + "2026-01-01,1,1,", "2: expected the name of a group, found nothing"),
        (HEADER + "2026-01-01,1,1", "2: expected 4 values, found 3"),
    ],
)
@pytest.mark.promise("OPS-6")
def test_what_is_wrong_with_a_trace_is_told_with_its_line(
    tmp_path: Path, text: str, message: str
) -> None:
    file = trace_file(tmp_path, text)
    with pytest.raises(TraceInvalid) as refused:
        read_trace(file)
    assert str(refused.value) == f"{file}:{message}"


@pytest.mark.promise("OPS-6")
def test_what_is_wrong_with_a_policy_is_told_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text("pools:\n  - devices: 4\n    sharing: yes\n    ceiling: 3\n")
    with pytest.raises(SettingsInvalid) as refused:
        read_policy(file)
    assert any(f"{file}:4: pools[0].ceiling" in problem for problem in refused.value.problems)


@pytest.mark.promise("OPS-6")
def test_the_command_writes_a_row_for_each_group_or_json(tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text("pools:\n  - devices: 2\n    sharing: true\n    protect_after: 48h\n")
    rows = "2026-01-01T00:00:00Z,3600,1,a\n" * 3
    arguments = ["simulate", str(trace_file(tmp_path, HEADER + rows)), "--policy", str(policy)]
    told = CliRunner().invoke(app, arguments)
    document = json.loads(CliRunner().invoke(app, [*arguments, "--json"]).stdout)
    assert "1.0 h" in told.stdout
    assert document["waits"]["longest"] == 60
    assert read_policy(policy).pools[0].protect_after == timedelta(hours=48)


def test_the_command_says_which_line_of_the_trace_it_cannot_read(tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text("pools:\n  - devices: 2\n")
    trace = trace_file(tmp_path, HEADER + "soon,1,1,a\n")
    told = CliRunner().invoke(app, ["simulate", str(trace), "--policy", str(policy)])
    assert told.exit_code == 2
    assert f"{trace}:2: expected a time" in told.stderr
