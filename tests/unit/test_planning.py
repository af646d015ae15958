"""Capacity planning: peaks and averages, against counting them at every instant."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allotment.model.planning import Fit
from allotment.rules.planning import Span, fit, held

SPANS = st.lists(
    st.builds(
        lambda pool, group, devices, begin, length: Span(
            pool, group, devices, begin, begin + length
        ),
        st.sampled_from(["a", "b"]),
        st.sampled_from(["", "vision", "speech"]),
        st.integers(1, 8),
        st.integers(0, 40),
        st.integers(0, 30),
    ),
    max_size=20,
)


@pytest.mark.promise("MONEY-6")
@given(SPANS, st.integers(0, 40), st.integers(1, 40))
def test_peak_and_average_are_those_of_counting_every_instant(
    spans: list[Span], begin: int, length: int
) -> None:
    found = held(spans, begin, begin + length)

    for key in ((), ("a",), ("b", "vision"), ("a", "")):
        counts = [
            sum(
                span.devices
                for span in spans
                if (span.pool, span.group)[: len(key)] == key and span.begin <= at < span.end
            )
            for at in range(begin, begin + length)
        ]
        known = found.get(key)
        assert (known.peak if known else 0) == max(counts)
        assert (known.average if known else 0.0) == pytest.approx(sum(counts) / length)
        if known is not None and known.peak_at is not None:
            assert counts.index(known.peak) == known.peak_at - begin


@pytest.mark.promise("MONEY-6")
def test_what_is_given_back_in_the_instant_in_which_another_takes_it_counts_once() -> None:
    found = held([Span("a", "x", 4, 0, 10), Span("a", "y", 4, 10, 20)], 0, 20)

    assert found["a",].peak == 4


def test_a_period_without_length_holds_nothing() -> None:
    assert held([Span("a", "x", 4, 0, 10)], 5, 5) == {}


@pytest.mark.promise("MONEY-6")
@pytest.mark.parametrize(
    ("available", "guaranteed", "ceilings", "peak", "expected"),
    [
        (8, 9, 9, 8, Fit.OVERCOMMITTED),
        (8, 8, 8, 8, Fit.FULL),
        (8, 8, 12, 7, Fit.LENT),
        (8, 8, 8, 7, Fit.FITS),
        (0, 0, 0, 0, Fit.FITS),
        (0, 1, 1, 0, Fit.OVERCOMMITTED),
    ],
)
def test_the_worst_that_holds_of_a_pool_is_told(
    available: int, guaranteed: int, ceilings: int, peak: int, expected: Fit
) -> None:
    assert fit(available, guaranteed, ceilings, peak) is expected
