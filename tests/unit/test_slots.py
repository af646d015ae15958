"""Which slots of a node count as used by others and as unhealthy: counted off, free ones first."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allotment.rules.slots import Slot, settle

FREE = [Slot(f"s{i}", held=False) for i in range(4)]


@pytest.mark.promise("POOL-1")
def test_others_are_counted_on_slots_that_nobody_holds() -> None:
    slots = [Slot("s0", held=True), *FREE[1:3]]
    assert settle(slots, 0, [("pod a/b", 2)]).taken == {"s1": "pod a/b", "s2": "pod a/b"}


@pytest.mark.promise("POOL-1")
def test_more_users_than_free_slots_fall_on_a_held_one() -> None:
    slots = [Slot("s0", held=True), FREE[1]]
    found = settle(slots, 0, [("pod a/b", 3)])
    assert found.taken == {"s1": "pod a/b", "s0": "pod a/b"}
    assert found.without == 1


@pytest.mark.promise("POOL-1")
def test_who_used_a_slot_stays_on_it() -> None:
    slots = [FREE[0], Slot("s1", held=False, taken_by="pod a/b"), FREE[2]]
    found = settle(slots, 0, [("pod a/a", 1), ("pod a/b", 1)])
    assert found.taken == {"s1": "pod a/b", "s0": "pod a/a"}


@pytest.mark.promise("POOL-6")
def test_what_a_node_does_not_give_out_counts_on_a_slot_that_nobody_holds() -> None:
    slots = [Slot("s0", held=True), FREE[1], Slot("s2", held=True)]
    assert settle(slots, 1, []).ailing == {"s1"}
    assert settle(slots, 2, []).ailing == {"s1", "s2"}


@pytest.mark.promise("POOL-6")
def test_a_slot_that_counted_as_unhealthy_goes_on_to() -> None:
    slots = [FREE[0], Slot("s1", held=False, ailing=True), FREE[2]]
    assert settle(slots, 1, []).ailing == {"s1"}


@given(
    st.lists(st.tuples(st.booleans(), st.sampled_from(["", "a", "b"])), max_size=8),
    st.integers(0, 9),
    st.integers(0, 5),
    st.integers(0, 5),
)
def test_nobody_is_counted_twice_or_forgotten(
    had: list[tuple[bool, str]], ailing: int, a: int, b: int
) -> None:
    slots = [Slot(f"s{i}", held, who) for i, (held, who) in enumerate(had)]
    found = settle(slots, ailing, [("a", a), ("b", b)])
    assert len(found.taken) + found.without == a + b
    assert not found.ailing & found.taken.keys()
    free_left = [s for s in slots if s.id not in found.taken and s.id not in found.ailing]
    if any(not slot.held for slot in free_left):
        assert found.without == 0
        assert not any(slot.held and slot.id in found.taken for slot in slots)
