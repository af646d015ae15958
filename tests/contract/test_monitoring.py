"""Metrics, and what is made of them: every query of the dashboard and of the alerts names what there is."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import promql_parser
import pytest
from prometheus_client import REGISTRY, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from ruamel.yaml import YAML

from allotment.api.measures import Followed, Measures
from allotment.model.claims import Granted, Queued, Refused
from allotment.model.reasons import Reason, Rule
from allotment.model.refusals import RecordUnavailable
from allotment.record import drift, leases
from allotment.work.loop import Loop, Step
from allotment.work.queueing import Queueing
from allotment.work.reconciling import Reconciled
from allotment_hub import sign_in_people
from allotment_spawner import measures as of_hub
from allotment_spawner import pages

FILES = Path(__file__).parents[2] / "hub_config" / "monitoring"
GIVEN = {"instance", "job", "le"}
"""Labels that Prometheus and histograms add."""
OF_PROMETHEUS = {"up"}

Series = dict[str, set[str]]
"""Names of series, each with its labels."""


class Nobody:
    """As much of a hub as a queue asks that starts nothing here."""

    def server(self, _person: str, _name: str) -> None:
        """None is known."""

    def start_server(self, *_asked: object) -> None:
        """None is started."""

    def close(self) -> None:
        """Nothing waits."""


class Plane:
    """What a control plane over the lab measures."""

    def __init__(self, lab: Any) -> None:
        self.lab, self.measures = lab, Measures()
        self.queueing = Queueing(lab.record, Nobody(), "hub", self.measures.work)  # type: ignore[arg-type]  # as much of a hub as is asked
        self.seen = Step("seen", 1.0, lambda _now: "")
        self.loop = Loop((self.seen,), lambda: lab.now)

    def text(self) -> str:
        """What Prometheus reads."""
        sequence = self.queueing.followed
        followed = Followed({} if sequence is None else {"queue": sequence})
        return self.measures.text(self.lab.record, self.loop, self.lab.now, followed).decode()


@pytest.fixture
def plane(lab: Any) -> Iterator[Plane]:
    """A control plane on which nothing has happened."""
    made = Plane(lab)
    yield made
    made.queueing.close()


@pytest.fixture
def busy(lab: Any, plane: Plane) -> Plane:
    """A control plane of a platform on which everything has happened once."""
    lab.profile("wide", devices=2, pool="a100")
    assert isinstance(lab.claim("ann", "wide", "first"), Granted)
    assert isinstance(lab.claim("bob", "wide", "second", wait=True), Queued)
    with lab.write() as writing:
        drift.note(writing, "0a", "hub", "bob", "stray", ["gpu-0"], "It runs without an allotment.")
        leases.take(writing, "work:hub", "one", timedelta(seconds=45))
    lab.later(seconds=1)
    work = plane.measures.work
    work.reconciled(Reconciled(released=("ann/first",)))
    work.waited("a100", 12.0)
    plane.measures.request("GET", "/pools", 200, 0.01)
    plane.measures.report()
    plane.loop.run_once(plane.seen)
    plane.queueing.round(lab.now)
    pages.TAKES.labels("home")
    sign_in_people.SIGN_INS.labels("signed_in")
    of_hub.REASONS.labels(str(Rule.DEVICES_FREE), "waits")
    return plane


@pytest.fixture
def series(busy: Plane) -> Series:
    """What hub and control plane of a busy platform say."""
    return described(busy.text() + generate_latest(REGISTRY).decode())


def described(text: str) -> Series:
    """The series that an exposition has or announces."""
    found: Series = {}
    for family in text_string_to_metric_families(text):
        names = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count")}
        for suffix in names.get(family.type, ("",)):
            found.setdefault(family.name + suffix, set())
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return found


def dashboard() -> dict[str, Any]:
    """The dashboard."""
    return dict(json.loads((FILES / "grafana-dashboard.json").read_text()))


def rules() -> list[dict[str, Any]]:
    """The alerts."""
    groups = YAML(typ="safe").load(FILES / "prometheus-alerts.yaml")["groups"]
    return [rule for group in groups for rule in group["rules"]]


def queries() -> list[str]:
    """Every query, with what Grafana puts into it put in."""
    asked = [
        target["expr"] for panel in dashboard()["panels"] for target in panel.get("targets", ())
    ]
    filled = [one.replace("$__rate_interval", "5m").replace("$pool", ".*") for one in asked]
    return [*filled, *(rule["expr"] for rule in rules())]


def nodes(query: str) -> list[Any]:
    """The parts of a query."""
    seen: list[Any] = []
    promql_parser.walk(promql_parser.parse(query), seen.append)
    return seen


def unknown(query: str, series: Series) -> Iterator[str]:
    """What a query names that there is not."""
    parts = nodes(query)
    selected = [one for one in parts if isinstance(one, promql_parser.VectorSelector)]
    labels = GIVEN.union(*(series.get(str(one.name), set()) for one in selected))
    for one in selected:
        if one.name not in series and one.name not in OF_PROMETHEUS:
            yield str(one.name)
        mine = series.get(str(one.name), set()) | GIVEN
        yield from (
            f"{one.name}{{{each.name}}}" for each in one.matchers.matchers if each.name not in mine
        )
    for one in parts:
        if isinstance(one, promql_parser.AggregateExpr) and one.modifier is not None:
            yield from (f"by ({name})" for name in one.modifier.labels if name not in labels)


@pytest.mark.promise("OPS-3")
def test_every_query_of_the_dashboard_and_the_alerts_names_metrics_and_labels_that_exist(
    series: Series,
) -> None:
    wrong = {query: list(unknown(query, series)) for query in queries()}

    assert len(wrong) > 40
    assert {query: names for query, names in wrong.items() if names} == {}


@pytest.mark.promise("OPS-3")
def test_every_metric_of_ours_is_on_the_dashboard(series: Series) -> None:
    shown = {one.name for query in queries() for one in nodes(query) if hasattr(one, "matchers")}
    ours = {
        re.sub(r"_(bucket|sum|count)$", "", name)
        for name in series
        if name.startswith("allotment_")
    }
    ours = {name for name in ours if not name.endswith("_created")}

    assert ours - {re.sub(r"_bucket$", "", name) for name in shown} == {"allotment_build_info"}


@pytest.mark.promise("OPS-3")
def test_every_metric_is_documented_with_its_unit_and_its_labels(series: Series) -> None:
    page = (FILES.parents[1] / "docs" / "operating.md").read_text()
    rows = re.findall(r"^\| `(allotment_\w+)` \| ([^|]+) \| ([^|]*)\|", page, re.MULTILINE)
    said = {name: {label.strip() for label in labels.split(",")} - {""} for name, _, labels in rows}
    ours = {
        re.sub(r"_(bucket|sum|count)$", "", name): labels - {"le"}
        for name, labels in series.items()
        if name.startswith("allotment_") and not name.endswith("_created")
    }

    assert said.keys() == ours.keys()
    assert {name: said[name] for name in ours if ours[name]} == {
        name: labels for name, labels in ours.items() if labels
    }
    assert all(unit.strip() for _, unit, _ in rows)


@pytest.mark.promise("OPS-3")
def test_no_metric_names_a_person_a_server_or_a_device(busy: Plane, series: Series) -> None:
    text = busy.text() + generate_latest(REGISTRY).decode()
    ours = "\n".join(line for line in text.splitlines() if line.startswith("allotment_"))

    assert not re.search(r'"[^"]*\b(olga|ann|bob|first|second|stray|gpu-\d)\b', ours)
    assert {
        label
        for name, labels in series.items()
        if name.startswith("allotment_")
        for label in labels
    } <= {
        *(
            "method",
            "route",
            "status",
            "le",
            "version",
            "kind",
            "outcome",
            "pool",
            "state",
            "group",
        ),
        *("follower", "hub", "lease", "step", "rule", "proven", "page"),
    }


@pytest.mark.promise("OPS-3")
def test_the_dashboard_and_the_alerts_are_what_grafana_and_prometheus_take() -> None:
    shown, alerts = dashboard(), rules()
    panels = shown["panels"]

    assert len({panel["id"] for panel in panels}) == len(panels)
    assert all(panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24 for panel in panels)
    places = {(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels}
    assert len(places) == len(panels)
    assert all(rule["annotations"].keys() == {"summary", "description"} for rule in alerts)
    assert {rule["labels"]["severity"] for rule in alerts} == {"warning", "critical"}
    assert all(re.fullmatch(r"\d+m", rule["for"]) for rule in alerts)


@pytest.mark.promise("OPS-3")
def test_metrics_tell_pools_waits_drift_leases_and_how_far_followers_lag(
    lab: Any, busy: Plane
) -> None:
    with lab.write() as writing:
        writing.event("note.kept", "something that the queue has not seen")
    lab.later(seconds=30)

    text = busy.text()

    assert 'allotment_pool_devices_held{pool="a100"} 2.0' in text
    assert 'allotment_tickets{state="waiting"} 1.0' in text
    assert 'allotment_drift{hub="hub"} 1.0' in text
    assert re.search(r'allotment_lease_seconds_left\{lease="work:hub"\} [34]\d\.', text)
    assert re.search(r'allotment_event_lag_seconds\{follower="queue"\} 3\d\.0', text)
    assert "allotment_longest_wait_seconds 33.0" in text
    assert 'allotment_reconcile_findings_total{kind="released"} 1.0' in text


@pytest.mark.promise("OPS-3")
def test_a_turn_that_comes_is_counted_with_how_long_it_was_waited_for(
    lab: Any, plane: Plane
) -> None:
    lab.profile("wide", devices=2, pool="a100")
    first = lab.granted("ann", "wide", "first")
    lab.claim("bob", "wide", "second", wait=True)
    lab.later(minutes=10)
    lab.end(first)

    plane.queueing.round(lab.now)

    text = plane.text()
    assert re.search(r'allotment_queue_wait_seconds_sum\{pool="a100"\} 60\d\.0', text)
    assert 'allotment_queue_offers_total{outcome="offered"} 1.0' in text


@pytest.mark.promise("OPS-3")
def test_metrics_say_that_the_record_is_away(
    lab: Any, plane: Plane, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away() -> Any:
        message = "The record did not answer: gone."
        raise RecordUnavailable(message)

    with monkeypatch.context() as patched:
        patched.setattr(lab.record, "reading", away)
        text = plane.text()

    assert "allotment_record_up 0.0" in text
    assert "allotment_devices" not in text


async def answered(outcome: Any) -> Any:
    """A decision that has been made."""
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


@pytest.mark.promise("OPS-3")
async def test_the_hub_counts_decisions_by_outcome_and_refusals_by_rule() -> None:
    def value(name: str, **labels: str) -> float:
        return REGISTRY.get_sample_value(name, labels) or 0.0

    def counted() -> list[float]:
        return [
            value("allotment_admissions_total", outcome="refused"),
            value("allotment_admissions_total", outcome="record_away"),
            value("allotment_refusals_total", rule="devices.free", outcome="refused"),
            value("allotment_refusals_total", rule="profile.visible", outcome="refused"),
            value("allotment_admission_seconds_count"),
        ]

    before = counted()
    reasons = (Reason(Rule.DEVICES_FREE, "None."), Reason(Rule.PROFILE_VISIBLE, "No."))
    await of_hub.decided(answered(Refused(reasons)))
    with pytest.raises(RecordUnavailable):
        await of_hub.decided(answered(RecordUnavailable("away")))

    assert [now - then for now, then in zip(counted(), before, strict=True)] == [1, 1, 1, 1, 2]
