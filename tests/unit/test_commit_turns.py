"""Whose commit is next: the laws of turns."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allotment.model.versions import Version, VersionState
from allotment.work.commit_turns import AT_ONCE, OF_DATASET, OF_PERSON, Turns

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
PEOPLE, DATASETS = st.sampled_from("abcdef"), st.sampled_from(["one", "two", "three", "four"])


def commit(person: str, dataset: str, number: int) -> Version:
    state = VersionState.COMMITTING
    token = f"{person}{number}"
    return Version(dataset, number, state, "", person, NOW, "main", space=dataset, token=token)


@pytest.mark.promise("SET-4")
def test_turns_go_round_among_people_however_many_commits_of_one_wait() -> None:
    turns = Turns()
    for number in range(OF_PERSON):
        turns.add(commit("bob", f"bobs{number}", number))
    turns.add(commit("zoe", "zoes", 1))
    turns.add(commit("zoe", "zoes2", 2))
    began = []
    # One at a time, as if all other turns were taken.
    while (one := turns.next()) is not None:
        began.append(one.token)
        turns.done(one)

    assert began[:5] == ["bob0", "zoe1", "bob1", "zoe2", "bob2"]
    assert len(began) == OF_PERSON + 2


@pytest.mark.promise("SET-4")
@given(st.lists(st.one_of(st.tuples(PEOPLE, DATASETS), st.integers(0, AT_ONCE - 1))))
def test_never_two_of_a_dataset_or_person_at_once_and_nothing_is_lost_or_out_of_order(
    steps: list[tuple[str, str] | int],
) -> None:
    turns, running = Turns(), []
    asked: list[Version] = []
    began: list[Version] = []

    def give() -> None:
        while (one := turns.next()) is not None:
            running.append(one)
            began.append(one)
            assert len(running) <= AT_ONCE
            assert max(Counter(other.space for other in running).values()) == 1
            assert max(Counter(other.committed_by for other in running).values()) == 1

    for number, step in enumerate(steps):
        if isinstance(step, int):
            for one in running[step : step + 1]:
                running.remove(one)
                turns.done(one)
        elif turns.refusal(step[0], step[1], step[1]) is None:
            asked.append(commit(*step, number))
            turns.add(asked[-1])
        give()
        waits = Counter(one.space for one in asked if one.token in turns.tokens())
        assert all(count <= OF_DATASET for count in waits.values())
    while running:
        turns.done(running.pop())
        give()

    assert turns.tokens() == ()
    assert Counter(one.token for one in began) == Counter(one.token for one in asked)
    for dataset in ("one", "two", "three", "four"):
        in_order = [one.number for one in began if one.space == dataset]
        assert in_order == sorted(in_order)
