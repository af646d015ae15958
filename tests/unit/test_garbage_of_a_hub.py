"""How a hub with much in memory is kept from searching all of it for garbage again and again."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from allotment_spawner import collecting


class Circle:
    """Something that only a search can find to be garbage."""

    def __init__(self) -> None:
        self.own = self


@pytest.fixture(autouse=True)
def _only_here() -> Iterator[None]:
    before, thresholds = list(gc.callbacks), gc.get_threshold()
    collecting.set_survivors_aside()
    yield
    gc.callbacks[:] = before
    gc.set_threshold(*thresholds)
    gc.unfreeze()


def test_what_a_full_search_leaves_over_is_not_searched_again() -> None:
    kept = Circle()
    gc.collect()

    assert all(one is not kept for one in gc.get_objects())
    assert gc.get_freeze_count() > 0


def test_what_was_set_aside_and_became_garbage_is_found_once_a_day(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kept = Circle()
    there = weakref.ref(kept)
    gc.collect()
    del kept
    gc.collect()
    assert there() is not None

    monkeypatch.setattr(collecting, "EVERYTHING_EVERY", -1.0)
    gc.collect()
    assert there() is None


def test_it_is_begun_once() -> None:
    before = len(gc.callbacks)
    collecting.set_survivors_aside()

    assert len(gc.callbacks) == before
