"""Changes on the command line: what they do is shown and asked before they are made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from allotment.cli import app
from allotment.record import claims

pytestmark = pytest.mark.parametrize("store", ["sqlite"])
Run = Callable[..., Result]


@pytest.fixture
def run(lab: Any, api: Any) -> Run:
    """As olga; ann and bob of vision each hold a device of a100, at 2 an hour since an hour."""
    lab.profile("gpu", devices=1, price="2")
    for person in ("ann", "bob"):
        claims.mark_running(lab.record, lab.granted(person, "gpu", "train"), lab.now)
    lab.later(hours=1)
    environment = {"ALLOTMENT_API_URL": api.url, "ALLOTMENT_TOKEN": "olga+"}
    return lambda *words, answer=None: CliRunner().invoke(
        app, list(words), env=environment, input=answer
    )


@pytest.mark.promise("GROUP-5")
def test_a_share_is_lowered_only_when_it_is_agreed_what_that_does(run: Run, api: Any) -> None:
    lower = ("share", "vision", "a100", "--guaranteed", "1", "--ceiling", "1")
    refused = run(*lower, answer="n\n")

    assert refused.exit_code == 1
    assert "1 server is then over the share" in refused.stdout
    row = next(line for line in refused.stdout.splitlines() if line.startswith("bob/train"))
    assert "runs on, over what is allowed" in row
    assert row.split()[-2:] == ["2.00", "2.00"]
    assert api.client("olga+").groups.get("vision").shares[0].guaranteed == 2
    assert run(*lower, answer="y\n").exit_code == 0
    assert api.client("olga+").groups.get("vision").shares[0].guaranteed == 1


def test_a_share_is_shown_lifted_and_taken_away(run: Run, api: Any) -> None:
    shown = run("share", "vision").stdout.splitlines()
    assert shown[-1].split() == ["a100", "2", "2", "2", "0"]
    api.client("olga+").pools.create("more")
    assert run("share", "vision", "a100", "--remove", "--yes").exit_code == 0
    assert api.client("olga+").groups.get("vision").shares == ()
    given = run("share", "vision", "more", "--guaranteed", "1")
    assert given.exit_code == 1
    assert "more has 0 devices" in given.output


@pytest.mark.promise("LIMIT-1")
def test_a_limit_is_set_after_naming_who_holds_more_and_taken_away(run: Run) -> None:
    refused = run("limit", "group", "devices", "0", "--of", "vision", answer="n\n")
    assert refused.exit_code == 1
    assert "2 people hold more than that now." in refused.stdout
    assert "No limit is set" in run("limits").stdout

    assert run("limit", "platform", "devices", "4").stdout == (
        "Devices at once, everybody: at most 4.\n"
    )
    assert run("limits").stdout.splitlines()[-1].split()[-1] == "4"
    assert run("limit", "platform", "devices", "--remove").exit_code == 0
    assert "No limit is set" in run("limits").stdout


@pytest.mark.parametrize(
    "words",
    [
        ("limit", "platform", "devices"),
        ("limit", "group", "devices", "1"),
        ("limit", "platform", "devices", "1", "--of", "vision"),
        ("share", "vision", "--guaranteed", "1"),
    ],
)
def test_what_is_left_out_is_named(run: Run, words: tuple[str, ...]) -> None:
    assert run(*words).exit_code == 2


@pytest.mark.promise("GROUP-5", "QUEUE-4")
def test_a_policy_that_takes_nothing_from_anybody_asks_nothing(run: Run, api: Any) -> None:
    assert run("policy", "a100", "--sharing").exit_code == 0
    assert api.client("olga+").pools.get("a100").policy.sharing
