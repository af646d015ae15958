"""Announced ends in the API: told with the server and to the server itself, put off, kept from."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from allotment.model.endings import Cause
from allotment.model.refusals import NotFound, Refusal
from allotment.model.reports import ServerReport
from allotment.record import claims, endings

pytestmark = pytest.mark.parametrize("store", ["sqlite"])

MESSAGE = "Idle since 12:00 UTC: no cell or program ran, and nobody worked in it."


@pytest.fixture
def server(lab: Any) -> str:
    """A running server of ann's, whose end is announced; its id in the API."""
    allotment = lab.granted(
        "ann", "gpu", "train", token_hash=claims.hash_token("anns-servers-token")
    )
    claims.mark_running(lab.record, allotment, lab.later(seconds=1))
    with lab.write("endings") as writing:
        endings.say(writing, allotment, Cause.IDLE, writing.now + timedelta(minutes=15), MESSAGE)
    return "hub~ann~train"


@pytest.mark.promise("IDLE-2")
def test_an_announced_end_is_told_with_its_server_and_put_off_by_its_owner(
    api: Any, server: str
) -> None:
    with api.client("ann") as ann:
        (told,) = ann.servers.get(server).endings
        (later,) = ann.servers.extend(server).endings
    assert (told.cause, told.message, told.extensions_left) == (Cause.IDLE, MESSAGE, 3)
    assert later.stop_at - told.stop_at == timedelta(seconds=told.extend_by)
    assert (later.extended, later.extensions_left) == (1, 2)


@pytest.mark.promise("IDLE-2")
def test_a_server_whose_end_is_not_announced_has_nothing_to_put_off(
    api: Any, lab: Any, server: str
) -> None:
    with lab.write("endings") as writing:
        (one,) = endings.open_endings(writing)
        endings.withdraw(writing, one, Cause.IDLE)
    with api.client("ann") as ann, pytest.raises(Refusal, match="nothing to put off"):
        ann.servers.extend(server)


def test_a_stopped_server_is_neither_put_off_nor_kept(api: Any, lab: Any, server: str) -> None:
    with lab.record.reading() as reading:
        (allotment,) = endings.open_endings(reading)
    lab.end(allotment)
    with api.client("ann") as ann, pytest.raises(NotFound):
        ann.servers.extend(server)
    with api.client("ann") as ann, pytest.raises(NotFound):
        ann.servers.keep(server, lab.now + timedelta(hours=1))


@pytest.mark.promise("IDLE-4")
def test_operators_see_which_server_is_to_be_left_alone_until_when_and_why(
    api: Any, lab: Any, server: str
) -> None:
    until = lab.now + timedelta(hours=2)
    with api.client("ann") as ann:
        ann.servers.keep(server, until, "A long training.")
    with api.client("olga+") as olga:
        kept = olga.servers.get(server).keep
    assert (kept.until, kept.said_by, kept.note) == (until, "ann", "A long training.")


@pytest.mark.promise("IDLE-4")
def test_a_server_is_left_alone_no_longer_than_its_profile_says(
    api: Any, lab: Any, server: str
) -> None:
    with api.client("ann") as ann, pytest.raises(Refusal, match="12 hours at most"):
        ann.servers.keep(server, lab.now + timedelta(hours=13))


@pytest.mark.promise("IDLE-2")
@pytest.mark.usefixtures("server")
def test_a_server_that_reports_is_told_its_own_end(api: Any, lab: Any) -> None:
    report = ServerReport(kernels=1, kernels_busy=0, terminals=0, last_activity=lab.now)
    api.plane.endings.round(lab.now)
    with api.client("anns-servers-token") as own:
        (told,) = own.report(report).endings
    assert (told.cause, told.message) == (Cause.IDLE, MESSAGE)


@pytest.mark.promise("IDLE-2")
def test_who_stopped_a_server_and_why_is_told_as_data(api: Any, lab: Any, server: str) -> None:
    api.plane.endings.round(lab.later(minutes=1))
    with lab.record.reading() as reading:
        (allotment,) = endings.open_endings(reading)
    with api.client("olga+") as olga:
        olga.servers.stop([server], "Maintenance.")
        stopped = olga.servers.get(server)
    assert (stopped.stop_cause, stopped.stopped_by) == ("stopped", "olga")
    assert stopped.allotment == allotment
