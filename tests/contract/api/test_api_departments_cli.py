"""Departments on the command line: made, changed after saying what that does, left, deleted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from allotment.cli import app

pytestmark = pytest.mark.parametrize("store", ["sqlite"])
Run = Callable[..., Result]


@pytest.fixture
def run(api: Any) -> Run:
    """As olga."""
    environment = {"ALLOTMENT_API_URL": api.url, "ALLOTMENT_TOKEN": "olga+"}
    return lambda *words: CliRunner().invoke(app, list(words), env=environment)


@pytest.mark.promise("GROUP-6")
def test_a_department_is_made_with_ceilings_and_groups_and_listed(run: Run) -> None:
    made = run(
        "department", "research", "--title", "Research", "--ceiling", "a100=2", "--group", "vision"
    )

    assert made.stdout == "Department research: vision; holds 0 of 2 in a100.\n"
    (row,) = [line for line in run("departments").stdout.splitlines() if "research" in line]
    assert row.split() == ["research", "Research", "vision", "0", "of", "2", "in", "a100"]


@pytest.mark.promise("GROUP-5", "GROUP-6")
def test_a_ceiling_below_what_is_held_is_set_only_where_somebody_agrees(run: Run, lab: Any) -> None:
    run("department", "research", "--ceiling", "a100=2", "--group", "vision")
    lab.granted("ann", "two-gpu")

    asked = run("department", "research", "--ceiling", "a100=1")
    agreed = run("department", "research", "--ceiling", "a100=1", "--yes")

    assert asked.exit_code != 0
    assert agreed.stdout.endswith("Department research: vision; holds 2 of 1 in a100.\n")


@pytest.mark.promise("GROUP-6")
def test_a_ceiling_is_taken_away_a_group_leaves_and_the_department_is_deleted(run: Run) -> None:
    run("department", "research", "--ceiling", "a100=2", "--group", "vision")
    refused = run("department", "research", "--remove")

    left = run("department", "research", "--ceiling", "a100=", "--leave", "vision")
    gone = run("department", "research", "--remove")

    assert refused.exit_code != 0
    assert left.stdout == "Department research: no group; no ceiling.\n"
    assert gone.stdout == "Department research was deleted.\n"
    assert "There is no department." in run("departments").stdout


def test_what_is_no_ceiling_is_refused_with_an_example(run: Run) -> None:
    refused = run("department", "research", "--ceiling", "a100")

    assert refused.exit_code != 0
    assert "expected a pool and a number, such as a100=8" in " ".join(refused.stderr.split())
