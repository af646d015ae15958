"""Replays of the platform's own history through the API, the client and the command line."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from allotment.cli import app
from allotment.model.documents import Simulation, SimulationQuestion, SimulationState
from allotment.model.refusals import NotFound, Refusal
from allotment.model.simulation import SimulationPolicy
from allotment.simulate.running import MOST_WAITING

pytestmark = pytest.mark.parametrize("store", ["sqlite"])


@pytest.fixture
def busy(lab: Any, api: Any) -> Any:
    """Both devices of a100 are held for two hours, in which bob waits for one and gives up after one."""
    first, second = lab.granted("ann", "gpu", "one"), lab.granted("ann", "gpu", "two")
    lab.later(minutes=30)
    lab.claim("bob", "gpu", "fit")
    lab.later(minutes=30)
    lab.claim("bob", "gpu", "fit")
    lab.later(hours=1)
    lab.end(first)
    lab.end(second)
    return api


def larger(policy: SimulationPolicy | None) -> SimulationPolicy:
    """The policy with one device more, guaranteed to vision."""
    assert policy is not None
    (pool,) = policy.pools
    assert pool.shares != "by-use"
    (share,) = pool.shares
    shares = (share.model_copy(update={"guaranteed": 3, "ceiling": 3}),)
    changed = pool.model_copy(update={"devices": 3, "nodes": (3,), "shares": shares})
    return policy.with_pool(changed)


def ended(api: Any, begun: Simulation) -> Simulation:
    found = api.plane.simulations.ended(begun.id, 60)
    assert isinstance(found, Simulation)
    assert found.state is SimulationState.DONE, found.problem
    return found


@pytest.mark.promise("OPS-6")
def test_own_history_is_replayed_against_a_changed_policy(busy: Any) -> None:
    simulations = busy.client("rita+").simulations
    begun = simulations.begin(changed=larger(simulations.present_policy()))
    ended(busy, begun)
    found = simulations.get(begun.id)

    assert found.present is not None
    assert found.changed is not None
    assert (found.launches, found.asked_by, found.own) == (3, "rita", True)
    assert (found.present.gave_up, found.changed.gave_up) == (1, 0)
    assert found.present.device_hours == pytest.approx(4, abs=0.01)
    assert found.changed.device_hours == pytest.approx(6, abs=0.01)


@pytest.mark.promise("QUEUE-7")
def test_single_changes_are_told_by_what_they_would_have_done(busy: Any) -> None:
    begun = busy.client("olga+").simulations.begin(SimulationQuestion.LET_IN)
    found = ended(busy, begun)

    assert found.let_in is not None
    best = found.let_in.changes[0]
    assert (best.words, best.let_in) == ("1 device more in a100, guaranteed to vision", 1)
    assert best.hours_saved == pytest.approx(0.5, abs=0.01)
    assert found.let_in.untried == 0


@pytest.mark.promise("OPS-6")
def test_a_trace_that_is_sent_is_replayed_instead(busy: Any) -> None:
    trace = "submitted_at,duration,devices,group\n" + "2026-01-01T00:00:00Z,3600,1,x\n" * 2
    policy = SimulationPolicy.model_validate({"pools": [{"devices": 1}]})
    begun = busy.client("olga+").simulations.begin(trace=trace, present=policy)
    found = ended(busy, begun)

    assert found.present is not None
    assert (found.present.waits.longest, found.changed, found.own) == (60, None, False)


@pytest.mark.promise("OPS-6")
def test_a_trace_may_be_larger_than_other_bodies(busy: Any) -> None:
    trace = (
        "submitted_at,duration,devices,group\n" + "\n" * 600_000 + "2026-01-01T00:00:00Z,60,1,x\n"
    )
    body = {"trace": trace, "present": {"pools": [{"devices": 1}]}}

    assert busy.ask("POST", "/simulations", "olga+", json=body).status_code == 202
    assert busy.ask("POST", "/pools", "olga+", json=body).status_code == 413


@pytest.mark.promise("OPS-6")
def test_what_is_wrong_with_a_trace_is_told_with_its_line(busy: Any) -> None:
    with pytest.raises(Refusal, match="trace:2: expected a time such as"):
        busy.client("olga+").simulations.begin(
            trace="submitted_at,duration,devices,group\nsoon,1,1,x"
        )


@pytest.mark.promise("OPS-6")
def test_a_period_without_launches_is_done_at_once(busy: Any) -> None:
    begun = busy.client("olga+").simulations.begin(begin="2020-01-01", end="2020-01-02")

    assert (ended(busy, begun).launches, ended(busy, begun).present) == (0, None)


@pytest.fixture
def stuck(busy: Any) -> Any:
    """A control plane whose workers never answer."""
    quiet = "import signal, sys; sys.stdin.read(); signal.pause()"
    busy.plane.simulations._worker = (sys.executable, "-c", quiet)
    return busy


@pytest.mark.promise("OPS-6")
def test_a_replay_is_ended_while_it_runs_and_says_so(stuck: Any) -> None:
    simulations = stuck.client("olga+").simulations
    first, second = simulations.begin(), simulations.begin()
    simulations.end(first.id)
    simulations.end(second.id)

    states = [one.state for one in simulations.all().items]
    assert states == [SimulationState.CANCELLED, SimulationState.CANCELLED]


@pytest.mark.promise("OPS-6")
def test_more_replays_than_may_wait_are_refused(stuck: Any) -> None:
    simulations = stuck.client("olga+").simulations
    for _ in range(MOST_WAITING):
        simulations.begin()

    with pytest.raises(Refusal, match="replays wait or run already"):
        simulations.begin()


@pytest.mark.promise("OPS-6")
def test_a_worker_that_fails_is_told_and_the_next_one_is_served(busy: Any) -> None:
    workers = busy.plane.simulations
    right, workers._worker = workers._worker, (sys.executable, "-c", "raise SystemExit(3)")
    simulations = busy.client("olga+").simulations
    failed = workers.ended(simulations.begin().id, 60)
    workers._worker = right

    assert (failed.state, failed.problem) == (
        SimulationState.FAILED,
        "It failed; the control plane's log says how.",
    )
    ended(busy, simulations.begin())


def test_a_replay_that_nobody_asked_for_is_not_found(busy: Any) -> None:
    with pytest.raises(NotFound):
        busy.client("olga+").simulations.get("0")


def command(api: Any, *arguments: str) -> Any:
    """The command line as rita, who reads."""
    environment = {"ALLOTMENT_API_URL": api.url, "ALLOTMENT_TOKEN": "rita+"}
    return CliRunner().invoke(app, list(arguments), env=environment)


@pytest.mark.promise("OPS-6")
def test_the_command_replays_own_history_beside_a_changed_policy(busy: Any, tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text(command(busy, "simulate", "--show-policy").stdout.replace("2", "3"))
    told = command(busy, "simulate", "--policy", str(file))
    document = json.loads(command(busy, "simulate", "--policy", str(file), "--json").stdout)

    assert told.stdout.index("Present policy") < told.stdout.index("Changed policy")
    assert (document["present"]["gave_up"], document["changed"]["gave_up"]) == (1, 0)


@pytest.mark.promise("QUEUE-7")
def test_the_command_ranks_single_changes(busy: Any) -> None:
    told = command(busy, "let-in")

    assert told.exit_code == 0
    assert "1 device more in a100, guaranteed to vision" in told.stdout
