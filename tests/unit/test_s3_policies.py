"""Session policies of S3 stay within what STS takes, and open all that is lent and nothing above it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allotment.data.kinds.kind import Opened
from allotment.data.kinds.s3.policy import LONGEST_POLICY, reading_policy
from allotment.model.sources import Part

ENDS = datetime(2026, 11, 23, 9, 1, tzinfo=UTC)
BUCKET = "arn:aws:s3:::lake/"
_NAMES = st.text("ab$*é-", min_size=1, max_size=30)
_PARTS = st.builds(
    lambda folders, name, exact: Part("/".join(["sales", *folders, name]), exact=exact),
    st.lists(_NAMES, max_size=5),
    _NAMES,
    st.booleans(),
)


def source(prefix: str = "sales") -> Opened:
    fields = {"bucket": "lake", "prefix": prefix, "region": "us-east-1", "kms_key": ""}
    return Opened("lake", fields)


def opened_by(policy: str) -> list[str]:
    return [one.removeprefix(BUCKET) for one in json.loads(policy)["Statement"][0]["Resource"]]


@pytest.mark.promise("DATA-2")
@given(st.lists(_PARTS, max_size=60))
def test_a_policy_is_short_enough_and_opens_every_part_and_nothing_above_the_prefix(
    parts: list[Part],
) -> None:
    policy = reading_policy(source(), tuple(parts), ENDS)

    places = opened_by(policy)
    assert len(policy) <= LONGEST_POLICY
    assert all(place.startswith("sales/") for place in places)
    for part in parts:
        key = part.key if part.exact else f"{part.key}anything"
        assert any(fnmatchcase(key, place) for place in places)


@pytest.mark.promise("DATA-2")
def test_files_too_many_to_be_named_are_opened_by_their_folder() -> None:
    parts = tuple(Part(f"sales/eu/2026/{n:04}.parquet", exact=True) for n in range(1_000))

    assert opened_by(reading_policy(source(), parts)) == ["sales/eu/2026/*"]
    assert opened_by(reading_policy(source(), parts[:2])) == [one.key for one in parts[:2]]


@pytest.mark.promise("DATA-2")
def test_every_right_in_a_policy_ends() -> None:
    policy = json.loads(reading_policy(source(), (Part("sales/eu/"),), ENDS))

    ends = [one["Condition"]["DateLessThan"] for one in policy["Statement"]]
    assert ends == [{"aws:CurrentTime": "2026-11-23T09:01:00Z"}] * 3
    assert policy["Statement"][1]["Condition"]["StringLike"] == {"s3:prefix": ["sales/eu/*"]}
