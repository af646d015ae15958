"""Taking out of use, as operators do it by program and by command."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from typer.testing import CliRunner

from allotment.cli import app
from allotment.client import AllotmentClient
from allotment.model.reasons import Rule
from allotment.model.refusals import NotFound, NotPermitted, Refusal

DAY = timedelta(days=1)


@pytest.fixture
def olga(api: Any) -> AllotmentClient:
    """An operator."""
    found: AllotmentClient = api.client("olga+")
    return found


@pytest.mark.promise("CLUSTER-3")
def test_an_operator_takes_a_node_out_of_use_at_a_date_and_gives_it_back(
    lab: Any, api: Any, olga: AllotmentClient
) -> None:
    lab.granted("ann", "gpu", "train")
    drain = lab.now + DAY

    foreseen = olga.cordons.consequences("node", ["n1"], "New power supply", drain_at=drain)
    made = olga.cordons.create("node", ["n1"], "New power supply", drain_at=drain)

    assert [(one.person, one.name, one.devices) for one in foreseen.servers] == [
        ("ann", "train", ("gpu-0",))
    ]
    assert [(one.pool, one.available, one.guaranteed) for one in foreseen.short] == [("a100", 0, 2)]
    assert (made.subject, made.in_force, made.devices, made.servers) == ("node n1", True, 2, 1)
    assert (made.said_by, made.drain_at) == ("olga", drain)
    assert olga.overview().cordons == (made,)
    assert api.client("rita+").cordons.all().items == (made,)
    assert {one.state for one in olga.devices.all().items} == {"held", "cordoned"}
    changed = olga.cordons.edit(made.id, revision=made.revision, reason="Dust", drain_at=None)
    assert (changed.reason, changed.drain_at, changed.revision) == ("Dust", None, 2)
    olga.cordons.lift(made.id, revision=changed.revision)
    assert olga.cordons.all().items == ()
    assert {one.state for one in olga.devices.all().items} == {"held", "free"}


@pytest.mark.promise("CLUSTER-3")
def test_foreseeing_changes_nothing(olga: AllotmentClient) -> None:
    olga.cordons.consequences("pool", ["a100"], "Dust")

    assert olga.cordons.all().items == ()
    assert {one.state for one in olga.devices.all().items} == {"free"}


@pytest.mark.promise("CLUSTER-3", "QUEUE-8")
def test_promises_that_cannot_be_kept_meanwhile_are_shown(lab: Any, olga: AllotmentClient) -> None:
    olga.reservations.create("a100", 2, lab.now + DAY, lab.now + 2 * DAY, group="vision")

    foreseen = olga.cordons.consequences("device", ["gpu-0"], "Dust")
    olga.cordons.create("device", ["gpu-0"], "Dust")

    assert [(one.pool, one.available, one.reserved) for one in foreseen.short] == [("a100", 1, 2)]
    said = [one.message for one in olga.overview().alerts if one.kind == "cordon"]
    assert said == [
        "a100 can give out 1 of its 2 devices, and 2 are guaranteed to groups: 1 device is out of use."
    ]


@pytest.mark.promise("CLUSTER-3")
def test_readers_see_what_is_out_of_use_and_only_operators_change_it(
    api: Any, olga: AllotmentClient
) -> None:
    made = olga.cordons.create("pool", ["a100"], "Dust")

    with pytest.raises(NotPermitted):
        api.client("rita+").cordons.lift(made.id, revision=1)
    with pytest.raises(NotPermitted):
        api.client("ann+").cordons.all()


@pytest.mark.promise("CLUSTER-3")
def test_what_cannot_be_is_refused_with_the_reason(lab: Any, olga: AllotmentClient) -> None:
    with pytest.raises(NotFound):
        olga.cordons.create("node", ["nowhere"], "Dust")
    with pytest.raises(Refusal) as refused:
        olga.cordons.create("node", ["n1"], "Dust", ends_at=lab.now - DAY)

    assert [one.rule for one in refused.value.reasons] == [Rule.REQUEST]


@pytest.mark.promise("CLUSTER-3")
def test_commands_take_out_of_use_list_and_give_back(
    lab: Any, api: Any, olga: AllotmentClient
) -> None:
    lab.granted("ann", "gpu", "train")

    def run(*words: str) -> str:
        given = {"ALLOTMENT_API_URL": api.url, "ALLOTMENT_TOKEN": "olga+", "COLUMNS": "200"}
        result = CliRunner().invoke(app, list(words), env=given, catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.output

    dust = ("--reason", "Dust", "--stop", "2036-12-01T09:00")

    assert "ann/train would be stopped at 2036-12-01 09:00 (gpu-0)." in run(
        "cordon", "n1", *dust, "--dry-run"
    )
    assert olga.cordons.all().items == ()
    said = run("cordon", "n1", *dust)
    assert "node n1 is out of use" in said
    assert "Users of 1 server are told of 2036-12-01 09:00." in said
    (made,) = olga.cordons.all().items
    listed = run("cordons")
    assert "Dust" in listed
    assert "when lifted" in listed
    run("uncordon", made.id)
    assert "Nothing is out of use." in run("cordons")
