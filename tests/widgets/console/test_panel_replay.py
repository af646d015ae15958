"""Replay: the past under the present policy and a changed one, and applying it; what would let in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

import example_platform
from allotment.model.documents import Simulation
from allotment.model.policy_changes import policy_changes
from allotment.model.simulation import SimulationPolicy
from allotment_widgets.replay_views import comparison_html, refused_html
from control_planes import Platform

OpenConsole = Callable[..., Any]


@pytest.fixture
def page(open_console: OpenConsole, platform: Platform) -> Any:
    """The panel, with two in the queue for H100s."""
    example_platform.let_wait(platform.record, datetime.now(UTC))
    page = open_console(panel="replay")
    page.until(lambda: offered(page, "Pool"), "the present policy")
    return page


def offered(page: Any, label: str) -> list[str]:
    """What a field offers, once it is on the page."""
    fields = [each for each in page.shown() if getattr(each, "description", "") == label]
    return [str(name) for each in fields for name in each.options]


@pytest.mark.promise("OPS-6", "ADMIN-3")
def test_both_runs_stand_side_by_side(page: Any) -> None:
    page.fill("Pool", "h100")
    page.until(lambda: page.field("Devices").value == 16, "the pool's devices")
    page.fill("Devices", 24)
    page.fill("Guaranteed", 24)
    page.sees("h100: devices 16 \N{RIGHTWARDS ARROW} 24")
    page.press("Run")

    page.sees("better")
    row = page.rows("Groups")["h100/nlp"]
    assert row["guaranteed"] == 24
    assert row["present"] >= row["changed"]


@pytest.mark.promise("OPS-6", "ADMIN-3")
def test_a_changed_share_is_applied_from_there_as_the_groups_panel_would(
    page: Any, platform: Platform
) -> None:
    page.fill("Pool", "a100")
    page.until(lambda: page.field("Devices").value == 20, "the pool's devices")
    page.fill("Group", "vision")
    page.until(lambda: page.field("Guaranteed").value == 8, "the group's share")
    page.fill("Guaranteed", 4)
    page.fill("Lend what groups do not use", value=True)
    page.sees("a100: lends what groups do not use")
    page.sees("vision in a100: guaranteed 8 \N{RIGHTWARDS ARROW} 4")
    page.press("Run")
    page.press("Apply\N{HORIZONTAL ELLIPSIS}")
    page.press("Apply")

    page.sees("The policy is in force.")
    client = platform.client("operator")
    (share,) = client.groups.get("vision").shares
    assert (share.guaranteed, share.ceiling) == (4, 8)
    assert client.pools.get("a100").policy.sharing
    page.sees("Nothing is changed yet.")


@pytest.mark.promise("OPS-6", "ADMIN-3")
def test_what_cannot_be_read_is_said_and_cannot_be_replayed(page: Any) -> None:
    page.fill("Lifetime", "soon")

    page.sees("Lifetime: &#x27;soon&#x27; cannot be read. Write 30m, 12h, 2d or 1h30m, or off.")
    page.until(lambda: page.button("Run", disabled=True), "a button that cannot be pressed")


@pytest.mark.promise("OPS-6", "ADMIN-3")
def test_other_days_are_replayed_where_they_are_asked_for(page: Any) -> None:
    page.fill("Replay", "days")
    page.fill("From", {"year": 2020, "month": 0, "date": 1})
    page.fill("To", {"year": 2020, "month": 0, "date": 2})
    page.press("Run")

    page.sees("Nothing was launched in this time.")


@pytest.mark.promise("OPS-6", "ADMIN-3")
def test_a_trace_is_replayed_with_shares_by_its_use(page: Any) -> None:
    page.fill("Replay", "trace")
    trace = "submitted_at,duration,devices,group\n" + "2026-01-01T00:00:00Z,3600,4,x\n" * 2
    file = {"name": "t.csv", "type": "text/csv", "size": len(trace), "last_modified": 0}
    page.fill("Choose a file", [file | {"content": memoryview(trace.encode())}])
    page.press("Run")

    page.sees("2 launches began")
    assert set(page.rows("Groups")) == {"default/x"}


@pytest.mark.promise("QUEUE-7", "ADMIN-3")
def test_the_change_that_lets_most_in_leads_to_its_replay(page: Any) -> None:
    page.open("let-in")
    page.press("Find out")
    best = "4 devices more in h100, guaranteed to nlp"
    page.select("Single changes", best)
    assert page.rows("Single changes")[best]["let_in"] > 0
    page.act("Single changes", "replay")

    page.sees("h100: devices 16 \N{RIGHTWARDS ARROW} 20")


def test_a_reader_compares_and_applies_nothing(
    open_console: OpenConsole, platform: Platform
) -> None:
    assert platform.record is not None
    page = open_console(person="auditor", panel="replay")
    page.until(lambda: offered(page, "Pool"), "the present policy")
    page.press("Run")

    page.sees("launches began")
    assert "Apply\N{HORIZONTAL ELLIPSIS}" not in page.buttons()


def done(**more: Any) -> Simulation:
    """A replay that is done."""
    asked = {"id": "1", "question": "compare", "state": "done", "progress": 1}
    known = {"own": True, "asked_by": "x", "asked_at": datetime.now(UTC)}
    return Simulation.model_validate(asked | known | more)


def test_what_else_launches_were_refused_for_is_said_in_words() -> None:
    found = done(refused_otherwise={"limit.devices": 2, "<new>": 1})
    assert "2 by the person&#x27;s limit of devices, 1 by &lt;new&gt;." in refused_html(found)
    assert refused_html(done()) == ""


def test_nothing_launched_and_nothing_changed_are_said_so() -> None:
    policy = SimulationPolicy.model_validate({"pools": [{"devices": 1}]})
    found = done()
    assert comparison_html(found) == '<p class="quiet">Nothing was launched in this time.</p>'
    assert policy_changes(policy, policy) == ()
