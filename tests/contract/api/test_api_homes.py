"""Homes, as operators and their people see them, by program and by command."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from typer.testing import CliRunner

from allotment.cli import app
from allotment.client import AllotmentClient
from allotment.model.homes import FoundHome, Home, HomeEnd, Packed
from allotment.model.refusals import NotFound, Refusal
from allotment.record import home_archives, homes, storage

DAY = timedelta(days=1)


@pytest.fixture
def olga(api: Any) -> AllotmentClient:
    """An operator."""
    found: AllotmentClient = api.client("olga+")
    return found


@pytest.fixture(autouse=True)
def two_homes(lab: Any) -> None:
    """Ann's, which holds something, is used; zoe's ends in ten days, and something of his was packed away."""
    lab.granted("ann", "gpu", "train")
    with lab.write() as writing:
        homes.seen(writing, "hub", [FoundHome("ann", "ann"), FoundHome("zoe", "zoe")])
        storage.measured(writing, "hub", "ann", 5 << 30, complete=True)
        zoes = homes.get(writing, "hub", "zoe")
        homes.warned(writing, zoes, writing.now + 10 * DAY, HomeEnd.REMOVE)
        old = Home("hub", "zoe", "zoe")
        home_archives.made(writing, "a1", old, "zoe.tar.gz", Packed(1 << 20, 7), "homes")


@pytest.mark.promise("SERVER-10")
def test_an_operator_sees_every_home_and_how_long_it_is_kept(olga: AllotmentClient) -> None:
    found = olga.homes.all()

    ann, zoe = found.items
    assert (ann.person, ann.used, ann.in_use, ann.ends_at) == ("ann", 5 << 30, True, None)
    assert zoe.unused_since is not None
    assert (zoe.in_use, zoe.ends_at) == (False, zoe.unused_since + 10 * DAY)
    assert [(one.person, one.size, one.entries) for one in found.archives] == [("zoe", 1 << 20, 7)]


@pytest.mark.promise("SERVER-10", "USER-5")
def test_a_person_sees_the_own_home_and_no_other(api: Any) -> None:
    found = api.client("ann").homes.all()

    assert [one.person for one in found.items] == ["ann"]
    assert found.archives == ()


@pytest.mark.promise("SERVER-10", "OPS-4")
def test_whose_home_ends_is_told(lab: Any, api: Any) -> None:
    told = [one for one in api.client("zoe").me().notices if one.kind == "home"]

    assert len(told) == 1
    assert f"ends at {lab.now + 10 * DAY:%Y-%m-%d}" in told[0].message


@pytest.mark.promise("SERVER-10")
def test_an_operator_keeps_ends_and_restores(lab: Any, olga: AllotmentClient) -> None:
    kept = olga.homes.keep("hub~zoe", lab.now + 100 * DAY)
    assert (kept.keep_until, kept.warned_at) == (lab.now + 100 * DAY, None)
    assert olga.homes.end("hub~zoe", "archive").asked == "archive"
    assert olga.homes.end("hub~zoe", None).asked is None
    assert olga.homes.archive("a1", "restore").asked == "restore"


@pytest.mark.promise("SERVER-10")
def test_what_cannot_be_is_refused(lab: Any, olga: AllotmentClient) -> None:
    with pytest.raises(Refusal, match="ann has a server on hub"):
        olga.homes.end("hub~ann", "remove")
    with pytest.raises(Refusal, match="has passed"):
        olga.homes.keep("hub~zoe", lab.now - DAY)
    with pytest.raises(NotFound):
        olga.homes.keep("hub~nobody", None)


@pytest.mark.promise("SERVER-10")
def test_commands_list_keep_end_and_restore(api: Any, olga: AllotmentClient) -> None:
    def run(*words: str) -> str:
        given = {"ALLOTMENT_API_URL": api.url, "ALLOTMENT_TOKEN": "olga+", "COLUMNS": "200"}
        result = CliRunner().invoke(app, list(words), env=given, catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.output

    listed = run("homes")
    assert "5 GiB" in listed
    assert "its person was told" in listed
    assert "zoe" in run("homes", "--archives")
    assert "is kept until 2036-12-01 00:00" in run("keep-home", "hub~zoe", "--until", "2036-12-01")
    assert "packed away within a minute" in run("end-home", "hub~zoe", "--archive")
    assert olga.homes.all().items[1].asked == "archive"
    assert "being packed away" in run("homes")
    assert "restored within a minute" in run("restore-home", "a1")
    assert "deleted within a minute" in run("delete-archive", "a1", "--yes")
