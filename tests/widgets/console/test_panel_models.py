"""Registered models: what is told of them, shared and deleted by forms, never a link that somebody wrote."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from allotment.model.limits import LimitKind, LimitScope
from allotment.record import limits, registered_models
from control_planes import Platform
from example_data import add_data, add_models

OpenConsole = Callable[..., Any]
MODELS = "Models"


@pytest.fixture
def furnished(platform: Platform) -> Platform:
    """A platform with three versions of models, whose owners have limits."""
    now = datetime.now(UTC)
    add_data(platform.record, now)
    add_models(platform.record, now)
    with platform.record.writing("operator", now) as writing:
        limits.put(writing, LimitScope.PERSON, "mei", LimitKind.MODELS, 5)
    return platform


@pytest.mark.promise("MODEL-1", "LIMIT-1")
@pytest.mark.usefixtures("furnished")
def test_a_model_is_told_with_its_metrics_versions_place_and_its_owners_limit(
    open_console: OpenConsole,
) -> None:
    page = open_console(panel="models")
    page.has_row(MODELS, "churn/3", person="mei", state="kept", size=148_000_000)
    page.has_row(
        MODELS, "demand/2026-10", state="elsewhere", where="s3://example-models/demand/2026-10/"
    )
    page.has_row(MODELS, "churn/4", state="empty")

    page.select(MODELS, "churn/3")

    page.sees("auc 0.914, recall at 5 % 0.41")
    page.sees('data-about="sales">sales</a> version 3')
    page.sees('data-about="history">history</a>')
    page.sees("2 of 5 (")
    page.sees("allotment.load_model(&#x27;churn&#x27;, &#x27;3&#x27;)")
    page.select(MODELS, "churn/4")
    page.sees("No file was sent yet")


@pytest.mark.promise("MODEL-1")
def test_a_model_is_shared_and_deleted(open_console: OpenConsole, furnished: Platform) -> None:
    page = open_console(panel="models")
    page.select(MODELS, "demand/2026-10")
    page.act(MODELS, "share")
    page.fill("People", "mei")
    page.sees("farid and mei can load it.")
    page.press("Share")
    page.has_row(MODELS, "demand/2026-10", audience="mei")

    page.act(MODELS, "delete")
    page.sees("What lies at s3://example-models/demand/2026-10/ stays there.")
    page.press("Delete")
    page.lacks_row(MODELS, "demand/2026-10")
    with furnished.record.reading() as reading:
        assert len(registered_models.all_models(reading)) == 2


@pytest.mark.promise("MODEL-1")
@pytest.mark.usefixtures("furnished")
def test_a_reader_sees_models_and_changes_none(open_console: OpenConsole) -> None:
    page = open_console("auditor", panel="models")

    page.has_row(MODELS, "churn/3", metrics="auc 0.914, recall at 5 % 0.41")

    assert page.buttons() == []


@pytest.mark.promise("MODEL-1")
def test_where_there_are_no_models_the_line_that_registers_one_is_told(
    open_console: OpenConsole,
) -> None:
    page = open_console(panel="models")

    page.until(lambda: "No model is registered" in page.grid(MODELS).empty)

    page.sees("allotment.register_model(")
