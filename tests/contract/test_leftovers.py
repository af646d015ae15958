"""What the record knows of things left in targets, on both stores."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from allotment.model.datasets import Dataset, FileFormat
from allotment.model.refusals import NotFound, Refusal
from allotment.model.registered_models import RegisteredModel
from allotment.model.versions import ContentsKind, MetadataKind, VersionTarget
from allotment.record import (
    datasets,
    leases,
    leftovers,
    registered_models,
    spaces,
    targets,
    versions,
)
from allotment.record.leftovers import LeftoverKind

TARGET = VersionTarget("history", MetadataKind.FOLDER, ContentsKind.FOLDER)
DATASET = Dataset("sales", ("/data/sales/",), FileFormat.PARQUET, target="history")


@pytest.fixture
def kept(lab: Any) -> Any:
    """A target, and a dataset with a version in it."""
    with lab.write() as writing:
        targets.create(writing, TARGET, {})
        datasets.create(writing, DATASET)
        begun = versions.begin(writing, "sales", "history", "More", "ann")
        versions.finish(writing, "sales", begun.number, commit="1f", files=1, size=9)
    return lab


@pytest.mark.promise("SET-4")
def test_a_deleted_datasets_space_is_known_and_free_after_a_while(kept: Any) -> None:
    with kept.record.reading() as reading:
        [(name, space)] = spaces.of_datasets(reading, "history")
        [version] = spaces.versions_in(reading, space)
    with kept.write() as writing:
        datasets.delete(writing, "sales")
        [left] = leftovers.of(writing, "history")
        assert left.free_at == writing.now + leftovers.ENDING

    assert (name, version.number, version.space) == ("sales", 1, space)
    assert (left.kind, left.name, left.label) == (LeftoverKind.SPACE, space, "dataset sales")
    with kept.write() as writing:
        assert spaces.versions_in(writing, space) == ()
        targets.delete(writing, "history")
        assert leftovers.of(writing, "history") == ()


@pytest.mark.promise("SET-4")
def test_a_dataset_that_goes_to_another_target_leaves_its_space_in_the_first(kept: Any) -> None:
    other = VersionTarget("other", MetadataKind.FOLDER, ContentsKind.FOLDER)
    with kept.write() as writing:
        targets.create(writing, other, {})
        found = datasets.get(writing, "sales")
        datasets.edit(writing, replace(found, target="other"))

    with kept.record.reading() as reading:
        assert [one.name for one in leftovers.of(reading, "history")] == [found.space]
        assert len(spaces.versions_in(reading, found.space)) == 1
    with pytest.raises(Refusal, match="it keeps sales"), kept.write() as writing:
        targets.delete(writing, "history")


@pytest.mark.promise("SET-4")
def test_no_commit_begins_under_the_lease_of_a_cleaning_and_it_ends_by_itself(kept: Any) -> None:
    with kept.write() as writing:
        lease = leftovers.cleaning_lease(datasets.get(writing, "sales").space)
        assert leases.take(writing, lease, "one", timedelta(minutes=5))
        assert not leases.take(writing, lease, "another", timedelta(minutes=5))
        spaces.cleaned(writing, datasets.get(writing, "sales").space)

    with pytest.raises(Refusal, match="is being cleaned"), kept.write() as writing:
        versions.begin(writing, "sales", "history", "More", "ann")

    with kept.write() as writing:
        assert leases.take(writing, lease, "one", timedelta(0))
    with kept.write() as writing:
        assert versions.begin(writing, "sales", "history", "More", "ann").number == 2
        assert datasets.get(writing, "sales").cleanings == 1


@pytest.mark.promise("MODEL-1")
def test_a_file_is_known_before_it_is_sent_and_after_nothing_names_it(kept: Any) -> None:
    with kept.write() as writing:
        model = RegisteredModel("churn", "1", "ann", target="history")
        model = registered_models.create(writing, model)
        for key in ("churn/1-a", "churn/1-b"):
            registered_models.coming(writing, model, key, 7)
            more = {"file": "w", "size": 7, "sha256": "0f"}
            registered_models.kept(writing, model, key=key, **more)
        assert [one.name for one in leftovers.of(writing, "history")] == ["churn/1-a"]
        registered_models.delete(writing, model)
        assert len(leftovers.of(writing, "history")) == 2

    with pytest.raises(NotFound), kept.write() as writing:
        registered_models.coming(writing, model, "churn/1-c", 7)
