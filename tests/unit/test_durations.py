"""Durations are read as people write them, and written as they are read."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allotment.model.durations import format_duration, parse_duration
from allotment.model.sharing import PoolPolicy


@given(st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=3000)))
def test_what_was_written_is_read_as_the_same_in_whole_seconds(duration: timedelta) -> None:
    whole = timedelta(seconds=round(duration.total_seconds()))
    assert parse_duration(format_duration(duration)) == whole


@pytest.mark.parametrize(
    "text", ["", "30", "m", "30 minutes", "1m1m", "-5m", "1.5h", "4000d", "٣m"]
)
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"duration|longer"):
        parse_duration(text)


def test_a_bare_number_is_no_duration() -> None:
    with pytest.raises(ValueError, match="duration"):
        PoolPolicy.model_validate({"grace": 300})


def test_a_policy_says_in_words_what_it_does() -> None:
    assert "nothing is lent" in PoolPolicy().sentence
    assert "after 30m at the earliest, 5m after a notice" in PoolPolicy(sharing=True).sentence
