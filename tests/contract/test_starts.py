"""What a server waits for while it starts, as the record keeps it."""

from __future__ import annotations

from typing import Any

import pytest

from allotment.record import allotments, claims, events, starts

WORDS = "0/2 nodes are available: 2 Insufficient nvidia.com/gpu."


def awaits(lab: Any, allotment: str) -> str:
    with lab.record.reading() as reading:
        return allotments.get(reading, allotment).awaits


def told(lab: Any) -> int:
    with lab.record.reading() as reading:
        return len(events.after(reading, 0, kind="allotment.waits"))


@pytest.mark.promise("SERVER-2")
def test_what_holds_a_start_up_is_told_once_and_taken_back(lab: Any) -> None:
    allotment = lab.granted("ann", "gpu")

    assert starts.note_wait(lab.record, allotment, WORDS, lab.now)
    assert not starts.note_wait(lab.record, allotment, WORDS, lab.now)
    assert (awaits(lab, allotment), told(lab)) == (WORDS, 1)
    assert starts.note_wait(lab.record, allotment, "", lab.now)

    assert (awaits(lab, allotment), told(lab)) == ("", 2)


@pytest.mark.promise("SERVER-2")
def test_of_a_server_that_runs_nothing_is_told_that_held_it_up(lab: Any) -> None:
    allotment = lab.granted("ann", "gpu")
    claims.mark_running(lab.record, allotment, lab.later(seconds=1))

    assert not starts.note_wait(lab.record, allotment, WORDS, lab.later(seconds=2))
    assert told(lab) == 0
