"""What the record keeps of datasets, what was read of them, and what lies beside them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from allotment.model.datasets import (
    Attachment,
    DatasetColumn,
    DatasetReading,
    PrivacyLabel,
)
from allotment.model.reasons import Rule
from allotment.model.refusals import NotFound, Refusal
from allotment.model.sources import Audience
from allotment.record import (
    datasets,
    events,
)
from data_records import DATASET, refused


@pytest.mark.promise("SET-1")
def test_a_dataset_is_read_as_it_was_registered(lab: Any) -> None:
    found = DatasetReading(
        lab.now,
        (DatasetColumn("a", "int64"), DatasetColumn("b", "string", nullable=False)),
        None,
        False,
        12,
        2,
        {"header": True},
    )
    wanted = replace(DATASET, reading=found, audience=Audience(groups=("vision",)), group="vision")
    with lab.write() as writing:
        made = datasets.create(writing, wanted)
    with lab.record.reading() as reading:
        assert datasets.get(reading, "sales") == made
        assert datasets.all_datasets(reading) == (made,)
    assert (made.reading, made.uris, made.options) == (found, DATASET.uris, DATASET.options)


def test_reading_the_files_again_is_told_where_they_changed(lab: Any) -> None:
    with lab.write() as writing:
        datasets.create(writing, DATASET)
    first = DatasetReading(lab.now, (), 1, True, 10, 1)
    for found in (first, replace(first, at=lab.later(seconds=1)), replace(first, size=11)):
        with lab.write() as writing:
            datasets.read(writing, "sales", found)
    with lab.record.reading() as reading:
        told = [one for one in events.after(reading, 0) if one.kind == "dataset.read"]
    assert [one.after["size"] for one in told if one.after] == [10, 11]


@pytest.mark.promise("SET-1")
def test_data_about_people_is_never_shared_with_everyone(lab: Any) -> None:
    wanted = replace(DATASET, label=PrivacyLabel.PERSONAL, audience=Audience(everyone=True))
    with pytest.raises(Refusal) as problem, lab.write() as writing:
        datasets.create(writing, wanted)
    assert refused(problem) is Rule.DATA_LABEL


@pytest.mark.promise("SET-1")
def test_attachments_are_noted_replaced_and_forgotten(lab: Any) -> None:
    with lab.write() as writing:
        datasets.create(writing, DATASET)
        for digest in ("1" * 64, "2" * 64):
            datasets.attach(writing, "sales", Attachment("a.pdf", 9, digest, "ann", writing.now))
    with lab.record.reading() as reading:
        assert datasets.attachment(reading, "sales", "a.pdf").sha256 == "2" * 64
    with lab.write() as writing:
        assert datasets.detach(writing, "sales", "a.pdf").size == 9
    with pytest.raises(NotFound), lab.write() as writing:
        datasets.detach(writing, "sales", "a.pdf")
