"""The rules of naming versions, and of how many models there may be."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allotment.model.limits import EffectiveLimit, LimitKind, LimitScope
from allotment.model.reasons import Rule
from allotment.model.versions import Version, VersionState
from allotment.rules import versioning
from allotment.rules.limiting import models_reason


def _version(number: int, at: datetime, state: VersionState = VersionState.COMMITTED) -> Version:
    return Version("sales", number, state, "", "ann", at, "history", "sales-1")


BERLIN = ZoneInfo("Europe/Berlin")


VERSIONS = (
    _version(1, datetime(2026, 9, 30, 21, tzinfo=UTC)),
    _version(2, datetime(2026, 10, 5, 8, tzinfo=UTC)),
    _version(3, datetime(2026, 10, 31, 22, 59, tzinfo=UTC)),
    _version(4, datetime(2026, 10, 31, 23, 0, tzinfo=UTC)),
    _version(5, datetime(2026, 11, 2, tzinfo=UTC), VersionState.FAILED),
)


@pytest.mark.promise("SET-4")
@pytest.mark.parametrize(
    ("wanted", "number"),
    [
        ("2", 2),
        ("5", None),
        ("99", None),
        ("final", 2),
        ("2026-09", 1),
        ("2026-08", None),
        ("2026-10", 3),
        ("2026-10-04", 1),
        ("2026-10-05", 2),
        ("2026-10-31", 3),
        ("2026-11-30", 4),
        ("2026-10-05T08:00:00Z", 2),
        ("2026-10-05T10:00", 2),
        ("2026-10-05T09:59", 1),
        ("2026-13", None),
        ("2026-02-30", None),
        ("9999-12", None),
        ("yesterday", None),
        ("", None),
        ("٢", None),
    ],
)
def test_a_version_is_named_by_number_tag_or_time(wanted: str, number: int | None) -> None:
    found = versioning.find(VERSIONS, {"final": 2}, wanted, BERLIN)
    assert (None if found is None else found.number) == number


@given(st.text())
def test_any_text_names_a_version_or_none(text: str) -> None:
    found = versioning.find(VERSIONS, {}, text, BERLIN)
    assert found is None or found.state is VersionState.COMMITTED


@pytest.mark.parametrize(
    ("tag", "good"), [("final", True), ("2026-10", True), ("3", False), ("A b", False)]
)
def test_a_tag_is_a_name_and_no_number(tag: str, good: bool) -> None:
    assert (versioning.tag_reason(tag) is None) is good


def _limit(value: int | None) -> EffectiveLimit:
    return EffectiveLimit(LimitKind.MODELS, value, LimitScope.GROUP, "vision")


@pytest.mark.promise("MODEL-1", "LIMIT-1")
@pytest.mark.parametrize(
    ("limits", "used", "refused"),
    [
        ((), 99, False),
        ((_limit(None),), 99, False),
        ((_limit(2),), 1, False),
        ((_limit(2),), 2, True),
        ((_limit(2), _limit(5)), 2, False),
        ((_limit(2), _limit(None)), 99, False),
        ((_limit(0),), 0, True),
    ],
)
def test_one_more_model_is_refused_at_the_most_generous_limit(
    limits: tuple[EffectiveLimit, ...], used: int, refused: bool
) -> None:
    reason = models_reason(limits, used)
    assert (reason is not None) is refused
    assert reason is None or (reason.rule, reason.used, reason.asked) == (
        Rule.LIMIT_MODELS,
        used,
        1,
    )
