"""Use and cost through the API, the client and the command line: the same numbers, by permission."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from typer.testing import CliRunner

from allotment.cli import app
from allotment.model.refusals import Refusal
from allotment.record import claims, groups, platform

pytestmark = pytest.mark.parametrize("store", ["sqlite"])


@pytest.fixture
def month(lab: Any, api: Any) -> Any:
    """Two sessions of vision around the end of March in Berlin, and one of zoe's without a price."""
    lab.profile("gpu", devices=1, price="2.40")
    with lab.write() as writing:
        platform.set_time_zone(writing, "Europe/Berlin")
        groups.edit(writing, "vision", tags={"project": "=atlas"})
    for person, profile, begin, end in (
        (
            "ann",
            "gpu",
            datetime(2026, 3, 31, 20, tzinfo=UTC),
            datetime(2026, 3, 31, 23, tzinfo=UTC),
        ),
        (
            "bob",
            "gpu",
            datetime(2026, 4, 1, 8, tzinfo=UTC),
            datetime(2026, 4, 1, 8, 30, tzinfo=UTC),
        ),
        ("zoe", "cpu", datetime(2026, 4, 1, 9, tzinfo=UTC), datetime(2026, 4, 1, 10, tzinfo=UTC)),
    ):
        lab.now = begin
        allotment = lab.granted(person, profile)
        claims.mark_running(lab.record, allotment, begin)
        claims.mark_stopping(lab.record, allotment, "", "hub", end)
        claims.release(lab.record, allotment, "no process is left", end)
    lab.now = datetime(2026, 4, 1, 12, tzinfo=UTC)
    return api


@pytest.mark.promise("MONEY-2")
@pytest.mark.parametrize(
    ("token", "people"),
    [
        ("olga+", {"ann", "bob", "zoe"}),
        ("rita+", {"ann", "bob", "zoe"}),
        ("ann+", {"ann", "bob"}),
        ("ann", {"ann"}),
        ("bob+", {"bob"}),
        ("zoe", {"zoe"}),
    ],
)
def test_everybody_sees_own_use_leads_their_groups_and_operators_all(
    month: Any, token: str, people: set[str]
) -> None:
    found = month.client(token).usage.all(begin="2026-03-01", end="2026-04-30")

    assert {row.person for row in found.items} == people


@pytest.mark.promise("MONEY-2")
def test_use_is_of_this_month_of_the_platforms_time_zone_until_now(month: Any) -> None:
    found = month.client("olga+").usage.all(["group", "day"])

    assert [(row.group, row.day, row.cost) for row in found.items] == [
        ("", "2026-04-01", Decimal(0)),
        ("vision", "2026-04-01", Decimal("3.6")),  # an hour of ann's after midnight, half of bob's
    ]
    assert found.begin == datetime(2026, 3, 31, 22, tzinfo=UTC)
    assert found.total.hours == Decimal("2.5")
    assert found.time_zone == "Europe/Berlin"


@pytest.mark.promise("MONEY-2")
def test_days_are_named_whole_and_pages_hold_all_of_them(month: Any) -> None:
    client = month.client("olga+")
    march = client.usage.all(["month"], begin="2026-03-31", end="2026-03-31")
    query = "from=2026-03-01&by=person,month&limit=1"
    first = month.ask("GET", f"/usage?{query}", "olga+").json()
    second = month.ask("GET", f"/usage?{query}&cursor={first['next']}", "olga+").json()

    assert [(row.month, row.hours) for row in march.items] == [("2026-03", Decimal(2))]
    assert [first["items"][0]["month"], second["items"][0]["month"]] == ["2026-03", "2026-04"]
    assert first["total"] == second["total"]


@pytest.mark.promise("MONEY-2", "MONEY-5")
def test_a_spreadsheet_reads_the_same_and_no_formula(month: Any) -> None:
    text = month.client("olga+").usage.csv(["tag", "profile"], begin="2026-03-01", tag="project")
    rows = list(csv.DictReader(io.StringIO(text)))

    assert [(row["tag"], row["profile"], Decimal(row["cost"])) for row in rows] == [
        ("", "cpu", Decimal(0)),
        ("'=atlas", "gpu", Decimal("8.4")),
    ]
    head = month.ask("GET", "/usage", "olga+", headers={"Accept": "text/csv"}).headers
    assert head["content-disposition"] == (
        'attachment; filename="use-2026-04-01-to-2026-04-01.csv"'
    )


@pytest.mark.parametrize(
    "query",
    [
        "by=day,month",
        "by=person,person",
        "by=colour",
        "by=tag",
        "tag=project",
        "from=2026-13-01",
        "from=yesterday",
        "from=2026-04-02T00:00:00",
        "from=9999-12-31",
        "from=2026-03-31&to=2026-03-01",
        "by=day&from=2020-01-01",
    ],
)
def test_what_makes_no_sense_is_refused_in_words(month: Any, query: str) -> None:
    answer = month.ask("GET", f"/usage?{query}", "olga+")

    assert answer.status_code == 422
    assert answer.json()["detail"]


def test_the_client_raises_what_the_api_refuses(month: Any) -> None:
    with pytest.raises(Refusal, match="not both"):
        month.client("olga+").usage.all(["day", "month"])


@pytest.mark.promise("MONEY-2")
def test_the_command_line_shows_a_table_a_spreadsheet_and_json(month: Any) -> None:
    environment = {"ALLOTMENT_API_URL": month.url, "ALLOTMENT_TOKEN": "olga+"}

    def run(*words: str) -> str:
        result = CliRunner().invoke(app, ["usage", *words], env=environment)
        assert result.exit_code == 0, result.output
        return result.stdout

    table = run("--by", "person", "--from", "2026-03-01")
    assert "Person  Hours  Device hours  Cost  Sessions" in table
    assert "ann      3.00          3.00  7.20         1" in table
    assert "in all   4.50          3.50  8.40" in table
    assert run("--csv", "--from", "2026-03-01").splitlines()[0].startswith("person,hours")
    assert json.loads(run("--json"))["total"]["cost"] == "3.600000"
    assert "Nothing was used" in run("--person", "olga")
