"""PostgreSQL goes away in the middle: at each statement, and at each commit, whoever is at it.

Every transaction here runs over a line that breaks at its first message, then at its second, and so
on until it ends before the break. Nothing is ever half done, and nothing is done twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import count
from typing import Any

import pytest

from allotment.api.problems import answer_error
from allotment.model.allotments import ServerProcess
from allotment.model.claims import Claim, Granted, Queued
from allotment.model.groups import Group
from allotment.model.refusals import OutcomeUnknown, RecordUnavailable, RecordUndone
from allotment.record import (
    Record,
    Writing,
    allotments,
    claims,
    events,
    groups,
    offers,
    open_record,
    tickets,
    undone,
)
from allotment.record.offers import Place
from database_lines import COMMIT, Break, DatabaseLine

PLACE = Place("a100", "A100", "n1")

pytestmark = [
    pytest.mark.promise("POOL-8"),
    pytest.mark.promise("LIMIT-2"),
    pytest.mark.promise("SERVER-7"),
]


@pytest.fixture
def store() -> str:
    """SQLite has no connection that could be lost."""
    return "postgresql"


@pytest.fixture
def line(record_url: str) -> Iterator[DatabaseLine]:
    """A line to the lab's database."""
    with DatabaseLine(record_url).running() as running:
        yield running


@pytest.fixture
def over(line: DatabaseLine) -> Iterator[Record]:
    """The lab's record, over the line."""
    opened = open_record(line.url, patience=5)
    yield opened
    opened.close()


@pytest.fixture(params=list(Break))
def how(request: pytest.FixtureRequest) -> Break:
    """How the line breaks."""
    return Break(request.param)


class Broken:
    """What happens to a transaction at each of its statements."""

    def __init__(self, lab: Any, over: Record, line: DatabaseLine, how: Break) -> None:
        self.lab, self._over, self._line, self._how = lab, over, line, how
        self._since = 0
        self.statements = 0

    def at_each_statement(self) -> Iterator[None]:
        """Go once round for each message of what is done in the round."""
        for number in count():
            with self._over.reading() as reading:  # it is connected, and its statements are its own
                self._since = events.latest_sequence(reading)
            self._line.break_at(number, self._how)
            yield
            assert self.lab.sound()
            if not self._line.broke:
                assert COMMIT in b"".join(self._line.said)
                self.statements = number
                return

    def happened(self, kind: str) -> int:
        """How many events of a kind this round has written."""
        with self.lab.record.reading() as reading:
            return len(events.after(reading, self._since, kind=kind))


@pytest.fixture
def broken(lab: Any, over: Record, line: DatabaseLine, how: Break) -> Broken:
    return Broken(lab, over, line, how)


def held(lab: Any) -> list[str]:
    with lab.record.reading() as reading:
        return [one.id for one in allotments.active(reading)]


def test_an_admission_holds_its_devices_once(lab: Any, over: Record, broken: Broken) -> None:
    for _ in broken.at_each_statement():
        claim = Claim("hub", "ann", "work", "two-gpu")
        granted = claims.admit(over, claim, lab.later(seconds=1))

        assert isinstance(granted, Granted)
        assert held(lab) == [granted.allotment.id]
        assert broken.happened("allotment.admitted") == 1
        assert lab.free("a100") == 0
        lab.end(granted.allotment.id)
    assert broken.statements >= 3


def test_a_server_steps_on_once(lab: Any, over: Record, broken: Broken) -> None:
    for _ in broken.at_each_statement():
        mine = lab.granted("ann", "gpu")
        assert claims.mark_running(over, mine, lab.later(seconds=1))
        assert broken.happened("allotment.running") == 1
        lab.end(mine)


def test_a_server_is_marked_as_stopping_once(lab: Any, over: Record, broken: Broken) -> None:
    for _ in broken.at_each_statement():
        mine = lab.granted("ann", "gpu")
        claims.mark_stopping(over, mine, "It was stopped.", "ann", lab.later(seconds=1))
        assert broken.happened("allotment.stopping") == 1
        lab.end(mine)


def test_a_release_frees_its_devices_once(lab: Any, over: Record, broken: Broken) -> None:
    for _ in broken.at_each_statement():
        mine = lab.granted("ann", "two-gpu")
        claims.mark_stopping(lab.record, mine, "stopped", "ann", lab.later(seconds=1))

        claims.release(over, mine, "no process is left", lab.later(seconds=1))
        assert (held(lab), lab.free("a100")) == ([], 2)
        assert broken.happened("allotment.released") == 1


def test_a_server_that_is_gone_is_charged_once(lab: Any, over: Record, broken: Broken) -> None:
    for _ in broken.at_each_statement():
        mine = lab.granted("ann", "gpu")
        claims.mark_gone(over, mine, "Its server was gone.", "reconciling", lab.later(seconds=1))
        assert broken.happened("allotment.stopping") == 1
        lab.end(mine)


def test_a_claim_waits_once(lab: Any, over: Record, broken: Broken) -> None:
    full = lab.granted("bob", "two-gpu")
    for _ in broken.at_each_statement():
        waits = claims.admit(over, Claim("hub", "ann", "", "gpu", wait=True), lab.later(seconds=1))
        assert isinstance(waits, Queued)
        assert broken.happened("ticket.made") == 1
        cancel(lab, waits.ticket.id)
    assert held(lab) == [full]


def cancel(lab: Any, ticket: str) -> None:
    with lab.write() as writing:
        tickets.cancel(writing, ticket, "Enough.")


def waiting(lab: Any) -> str:
    """A ticket of ann's whose turn has come."""
    full = lab.granted("bob", "two-gpu")
    waits = lab.claim("ann", "gpu", wait=True)
    assert isinstance(waits, Queued)
    lab.end(full)
    return str(waits.ticket.id)


def test_an_offer_holds_its_devices_once(lab: Any, over: Record, broken: Broken) -> None:
    for _ in broken.at_each_statement():
        ticket = waiting(lab)
        offered = offers.offer(over, ticket, PLACE, lab.later(seconds=1))

        # Where the answer was lost and it was asked again, the ticket waits no more: once is enough.
        assert offered is None or isinstance(offered, Granted)
        assert len(held(lab)) == 1
        assert broken.happened("allotment.offered") == 1
        assert offers.withdraw(lab.record, ticket, "Enough.", lab.later(seconds=1))


def test_an_offer_is_taken_once(lab: Any, over: Record, broken: Broken) -> None:
    for _ in broken.at_each_statement():
        ticket = waiting(lab)
        offers.offer(lab.record, ticket, PLACE, lab.later(seconds=1))

        claim = Claim("hub", "ann", "", "", token_hash="f" * 64)
        started, _known = offers.take_offer(over, claim, ticket, lab.later(seconds=1))
        assert isinstance(started, Granted)
        assert held(lab) == [started.allotment.id]
        assert broken.happened("allotment.starting") == 1
        lab.end(started.allotment.id)


def test_an_offer_is_taken_back_once(lab: Any, over: Record, broken: Broken) -> None:
    for _ in broken.at_each_statement():
        ticket = waiting(lab)
        offers.offer(lab.record, ticket, PLACE, lab.later(seconds=1))

        assert offers.withdraw(over, ticket, "Its server does not start.", lab.later(seconds=1))
        assert (held(lab), lab.free("a100")) == ([], 2)


def test_a_change_of_the_configuration_is_made_as_a_whole_or_not_at_all(
    lab: Any, over: Record, broken: Broken
) -> None:
    for number, _ in enumerate(broken.at_each_statement()):
        name = f"team-{number}"
        made = tried(lambda name=name: make_group(lab, over, name))

        with lab.record.reading() as reading:
            there = [one.name for one in groups.all_groups(reading)]
        assert (name in there) == made
        assert broken.happened("group.created") == int(made)


def tried(change: Callable[[], object]) -> bool:
    """Whether a change was made: it either is, or says that it is not."""
    try:
        change()
    except RecordUndone:
        return False
    return True


def make_group(lab: Any, record: Record, name: str) -> None:
    with record.writing("olga", lab.later(seconds=1)) as writing:
        groups.create(writing, name)


@pytest.mark.parametrize("committed", [True, False])
def test_an_answer_to_a_commit_that_nobody_can_find_out_is_not_guessed(
    lab: Any, line: DatabaseLine, committed: bool
) -> None:
    impatient = open_record(line.url, patience=0.2)
    line.when_broken = line.go_away
    line.break_at_commit(Break.ANSWER if committed else Break.BEFORE)

    with pytest.raises(OutcomeUnknown, match="Look before you try again"):
        make_group(lab, impatient, "after")

    with lab.record.reading() as reading:
        assert ("after" in [one.name for one in groups.all_groups(reading)]) is committed
    impatient.close()


def test_a_number_that_the_database_has_lost_in_a_crash_was_not_committed(
    lab: Any, over: Record, line: DatabaseLine
) -> None:
    with lab.write() as other:
        groups.create(other, "other")
    lost = int(number_of(other)) + 1000

    assert not tried(lambda: make_group_under(str(lost), lab, over, line))
    assert [one.name for one in all_groups(lab)] == ["other", "vision"]


def test_a_number_that_was_given_to_another_after_a_crash_was_not_committed(
    lab: Any, over: Record, line: DatabaseLine
) -> None:
    with lab.write() as other:
        groups.create(other, "other")

    assert not tried(lambda: make_group_under(number_of(other), lab, over, line))
    assert [one.name for one in all_groups(lab)] == ["other", "vision"]


def number_of(writing: Writing) -> str:
    assert writing.written is not None
    return writing.written.number


def all_groups(lab: Any) -> Sequence[Group]:
    with lab.record.reading() as reading:
        return groups.all_groups(reading)


def make_group_under(number: str, lab: Any, record: Record, line: DatabaseLine) -> None:
    """Make a group whose commit never arrives, and whose transaction is then asked for by a number."""
    with record.writing("olga", lab.later(seconds=1)) as writing:
        groups.create(writing, "after")
        writing.flush_events()
        assert writing.written is not None
        writing.written = replace(writing.written, number=number)
        line.break_at_commit(Break.BEFORE)


def test_a_commit_without_an_event_whose_answer_is_lost_is_believed_by_its_number(
    lab: Any, over: Record, line: DatabaseLine
) -> None:
    mine = lab.granted("ann", "gpu")
    line.break_at_commit(Break.ANSWER)
    claims.placed(over, mine, ServerProcess(4711, 1.5), lab.later(seconds=1))

    assert line.broke
    with lab.record.reading() as reading:
        (placed,) = allotments.active(reading)
    assert placed.place == ServerProcess(4711, 1.5)


def test_a_program_is_told_to_repeat_only_what_was_not_done() -> None:
    undone_answer = answer_error(RecordUndone("Nothing was written."))
    unknown = answer_error(OutcomeUnknown("Look before you try again."))

    assert (undone_answer.status_code, unknown.status_code) == (503, 503)
    assert "Retry-After" in undone_answer.headers
    assert "Retry-After" not in unknown.headers


def test_a_database_that_went_away_and_came_back_is_found_by_who_asks_next(
    lab: Any, over: Record, line: DatabaseLine
) -> None:
    line.go_away()
    with pytest.raises(RecordUnavailable, match="cannot be reached"):
        claims.admit(over, Claim("hub", "ann", "", "gpu"), lab.later(seconds=1))
    assert held(lab) == []

    line.come_back()
    assert isinstance(
        claims.admit(over, Claim("hub", "ann", "", "gpu"), lab.later(seconds=1)), Granted
    )


def test_what_is_undone_each_time_is_given_up() -> None:
    asked: list[int] = []

    @undone.again_where_undone
    def never() -> None:
        asked.append(1)
        message = "Others changed the same."
        raise RecordUndone(message)

    with pytest.raises(RecordUndone):
        never()
    assert len(asked) == undone.MOST
