"""A hub's name stands for one hub: of two with one name the second is refused, and a restart never waits."""

from __future__ import annotations

import atexit
import os
import signal
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest

from allotment.record import Record, events, hubs
from allotment.work import hub_names
from allotment.work.holders import known_to_live, this_process
from allotment.work.hub_names import HubName, HubNameTaken, SignsOfLife
from allotment.work.tenure import Tenure
from allotment_hub import identity

pytestmark = pytest.mark.promise("SERVER-7")

HERE, THERE = "here 1 1.00 boot/pid:[1]", "there 2 1.00 boot/pid:[2]"


def never(_holder: str) -> bool:
    return False


def hub(
    record: Record,
    identity: str,
    holder: str,
    *,
    gone: Callable[[str], bool] = never,
    lives: Callable[[str], bool] = never,
) -> HubName:
    return HubName(record, "north", identity, holder, gone, lives)


def test_a_second_hub_of_a_name_is_refused_and_told_where_the_first_runs(record: Record) -> None:
    hub(record, "first", HERE).take()
    second = hub(record, "second", THERE, lives=lambda holder: holder == HERE)

    with pytest.raises(
        HubNameTaken, match=r"'north' uses this record: it runs on here .*\(hub: …\)"
    ):
        second.wait_until_free()
    with pytest.raises(HubNameTaken):
        second.take()


def test_a_hub_that_says_again_that_it_runs_is_seen_to_run(record: Record) -> None:
    first = hub(record, "first", HERE)
    looks: list[bool | None] = []
    first.take()

    def says_so_meanwhile(_holder: str) -> bool:
        looks.append(first.keep() if looks else None)
        return False

    with pytest.raises(HubNameTaken):
        hub(record, "second", THERE, gone=says_so_meanwhile).wait_until_free()
    assert len(looks) > 1
    assert all(looks[1:])


def test_the_name_of_a_hub_that_says_nothing_more_is_free_in_time(record: Record) -> None:
    killed = hub(record, "first", HERE)
    killed.lasts = timedelta(seconds=1)
    killed.take()
    second = hub(record, "second", THERE)

    second.wait_until_free()
    second.take()
    assert not killed.keep()


def test_the_name_of_a_hub_whose_machine_slept_is_not_free(record: Record) -> None:
    slept = hub(record, "first", HERE)
    slept.lasts = timedelta(0)
    slept.take()
    second = hub(record, "second", THERE, lives=lambda holder: holder == HERE)

    with pytest.raises(HubNameTaken):
        second.wait_until_free()
    with pytest.raises(HubNameTaken):
        second.take()
    assert slept.keep()


def test_the_same_hub_has_its_name_at_once_and_its_former_process_hears_of_it(
    record: Record,
) -> None:
    before, after = hub(record, "first", HERE), hub(record, "first", THERE)
    before.take()

    after.wait_until_free()
    after.take()

    assert (before.keep(), after.keep()) == (False, True)
    before.leave()
    with record.reading() as reading:
        found = hubs.get(reading, "north")
    assert found is not None
    assert (found.machine, found.rest > timedelta(0)) == ("there", True)


@pytest.mark.parametrize("ending", ["in good order", "killed on this machine"])
def test_the_name_of_a_hub_that_ended_is_free_at_once(record: Record, ending: str) -> None:
    first = hub(record, "first", HERE)
    first.take()
    killed = ending != "in good order"
    if not killed:
        first.leave()
    second = hub(record, "second", THERE, gone=lambda holder: killed and holder == HERE)

    second.wait_until_free()
    second.take()


def test_that_a_name_stands_for_another_hub_is_told_once(record: Record) -> None:
    for whose, holder in (("first", HERE), ("first", HERE), ("second", THERE)):
        one = hub(record, whose, holder)
        one.take()
        one.leave()

    with record.reading() as reading:
        (told,) = events.after(reading, 0, kind="hub.replaced")
    assert (told.subject, told.before, told.after) == (
        "north",
        {"machine": "here"},
        {"machine": "there"},
    )


def test_names_of_several_hubs_are_told_apart(record: Record) -> None:
    hub(record, "first", HERE).take()
    south = HubName(record, "south", "second", THERE, never, never)
    south.wait_until_free()
    south.take()

    with record.reading() as reading:
        assert [(one.name, one.identity) for one in hubs.seen(reading)] == [
            ("north", "first"),
            ("south", "second"),
        ]


def test_a_control_plane_of_another_hub_of_the_name_does_no_periodic_work(record: Record) -> None:
    hub(record, "first", HERE).take()
    own = Tenure(record, "north", "own", gone=never, identity="first")
    others = Tenure(record, "north", "others", gone=never, identity="second")

    assert (others.keep(), others.anothers) == (False, True)
    assert (own.keep(), own.anothers) == (True, False)
    own.give_up()
    assert not others.keep()


def test_a_control_plane_works_before_any_hub_has_said_which_it_is(record: Record) -> None:
    assert Tenure(record, "north", "own", gone=never, identity="first").keep()


def test_a_hub_says_that_it_runs_until_the_name_is_anothers(record: Record) -> None:
    first, lost = hub(record, "first", HERE), threading.Event()
    first.take()
    first.every = 0.01
    signs = SignsOfLife(first, lost.set)
    signs.start()

    hub(record, "first", THERE).take()
    assert lost.wait(20)
    signs.end()


class App:
    """What is asked of JupyterHub here."""

    cleanup_servers = True


@dataclass
class Serving:
    """A hub that serves in this process, and what it did to end itself."""

    app: App
    ended: threading.Event
    at_exit: list[Callable[[], None]]


@pytest.fixture
def serving(record: Record, monkeypatch: pytest.MonkeyPatch) -> Iterator[Serving]:
    """A hub that has the name, and says so often."""
    made = Serving(App(), threading.Event(), [])
    monkeypatch.setitem(hub_names._PACES, record.dialect, (timedelta(minutes=1), 0.01))
    monkeypatch.setattr(identity, "open_record", lambda _url: record)
    monkeypatch.setattr(atexit, "register", made.at_exit.append)
    signals = {(os.getpid(), signal.SIGTERM): made.ended.set}
    monkeypatch.setattr(os, "kill", lambda *asked: signals[asked]())
    identity.serve_as(made.app, "the record", "north", "first")
    yield made
    for end in made.at_exit:
        end()


def test_a_hub_whose_name_another_process_took_ends_and_leaves_its_servers(
    record: Record, serving: Serving
) -> None:
    hub(record, "first", THERE).take()

    assert serving.ended.wait(20)
    assert serving.app.cleanup_servers is False


def test_a_hub_that_ends_leaves_its_name_to_whoever_asks(record: Record, serving: Serving) -> None:
    (end,) = serving.at_exit
    end()

    with record.reading() as reading:
        found = hubs.get(reading, "north")
    assert found is not None
    assert found.rest == timedelta(0)
    assert not serving.ended.is_set()


def test_a_hub_does_not_serve_when_another_took_the_name_in_this_moment(
    record: Record, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(identity, "open_record", lambda _url: record)
    hub(record, "first", THERE).take()

    with pytest.raises(SystemExit):
        identity.serve_as(App(), "the record", "north", "second")
    assert "another hub called 'north' uses this record" in capsys.readouterr().err


def test_this_process_is_known_to_live() -> None:
    assert known_to_live(this_process())
    assert not known_to_live(THERE)
