"""Datasets of very many columns burden neither lists nor events."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from allotment.api.views.datasets import COLUMNS_LISTED
from allotment.model.refusals import Refusal
from allotment.rules import data_sharing

pytestmark = pytest.mark.parametrize("store", ["sqlite"])

WIDE = 3_000


@pytest.fixture
def wide(data_api: Any, tmp_path: Path) -> Any:
    """A dataset of bob's with 3,000 columns, read twice; bob's client."""
    file = tmp_path / "data" / "wide.csv"
    names = ",".join(f"column_{number}" for number in range(WIDE))
    file.write_text(f"{names}\n{','.join('1' for _ in range(WIDE))}\n")
    client = data_api.client("bob")
    client.datasets.create("wide", [str(file)])
    file.write_text(f"{names},more\n{','.join('1' for _ in range(WIDE + 1))}\n")
    client.datasets.read("wide")
    return client


@pytest.mark.promise("SET-1", "SET-3")
def test_a_list_tells_the_first_columns_and_how_many_there_are(wide: Any) -> None:
    (listed,) = wide.datasets.all().items
    alone = wide.datasets.get("wide")

    assert (len(listed.reading.columns), listed.reading.width) == (COLUMNS_LISTED, WIDE + 1)
    assert (len(alone.reading.columns), alone.reading.width) == (WIDE + 1, WIDE + 1)
    assert listed.reading.rows == 1


@pytest.mark.promise("SET-1")
@pytest.mark.usefixtures("wide")
def test_events_tell_how_many_columns_there_are_and_not_which(data_api: Any) -> None:
    items = data_api.client("olga+").events.after(0).items
    [read] = [one for one in items if one.kind == "dataset.read"]

    assert (read.before["columns"], read.after["columns"]) == (WIDE, WIDE + 1)
    assert "column_7" not in str(items)


@pytest.mark.promise("SET-1", "USER-5")
def test_who_has_registered_as_many_as_one_may_is_refused_before_anything_is_read(
    wide: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data_sharing, "MOST_OF_PERSON", 1)

    with pytest.raises(Refusal, match="You have registered 1 datasets") as refused:
        wide.datasets.create("more", [f"{tmp_path}/data/none.csv"])

    assert refused.value.reasons[0].remedy.startswith("Delete some")
