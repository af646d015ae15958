"""What is said of a source: what becomes of what was lent when it is revoked, and what needs an eye."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from allotment.model.datasets import FileFormat, PrivacyLabel
from allotment.model.documents import Dataset, DatasetReading, Proof, Source
from allotment.model.sources import SourceKind, Verdict
from allotment_widgets.data_rows import data_row, used_dataset_html
from allotment_widgets.dataset_rows import dataset_html, dataset_row
from allotment_widgets.panels.sources import warnings_html
from allotment_widgets.source_rows import revoked_words, source_html, source_row

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)


def source(name: str = "lake", kind: SourceKind = SourceKind.S3, **more: Any) -> Source:
    """A source that its reader manages; proven, where nothing else is said."""
    given: dict[str, Any] = {
        "name": name,
        "kind": kind,
        "kind_title": str(kind),
        "enabled": True,
        "proof": Proof(at=NOW, verdict=Verdict.READ_ONLY, ends_within=60),
        "proven": True,
        "manages": True,
        "usable": True,
        "revision": 1,
    }
    return Source(**given | more)


def lasting(seconds: int | None) -> Proof:
    return Proof(at=NOW, verdict=Verdict.READ_ONLY, ends_within=seconds)


@pytest.mark.promise("DATA-7")
@pytest.mark.parametrize(
    ("found", "said"),
    [
        (source(kind=SourceKind.POSTGRESQL), "dropped within a minute; queries that run are cut"),
        (source(kind=SourceKind.S3), "they end by themselves, within a minute."),
        (source(kind=SourceKind.AZURE, proof=lasting(900)), "by themselves, within 15 minutes."),
        (source(kind=SourceKind.GCS, proof=lasting(3600)), "by themselves, within an hour."),
        (source(kind=SourceKind.GCS, proof=lasting(None)), "by themselves, within an hour."),
        (source(kind=SourceKind.ORACLE, shared=True), "until it is changed in the source."),
        (source(kind=SourceKind.S3, shared=True), "until it is changed in the source."),
        (source(kind=SourceKind.FOLDER), "the file system's rights stay as they are."),
        (source(kind=SourceKind.SQLITE), "the file system's rights stay as they are."),
    ],
)
def test_revoking_promises_of_each_kind_no_more_than_it_does(found: Source, said: str) -> None:
    assert said in revoked_words(found)


@pytest.mark.promise("DATA-2", "DATA-7")
@pytest.mark.parametrize(
    ("found", "state", "words"),
    [
        (source(), "soon", None),
        (source(proof=lasting(900)), "late", "Within 15 minutes"),
        (source(proof=lasting(3600)), "late", "Within an hour"),
        (source(shared=True), "never", None),
        (source(proof=None, proven=False), None, None),
    ],
)
def test_a_row_says_when_revoking_ends_what_was_lent(
    found: Source, state: str | None, words: str | None
) -> None:
    row = source_row(found, ())
    assert (row["ends"], row["ends_words"]) == (state, words)


@pytest.mark.promise("DATA-2")
def test_many_unproven_sources_are_told_of_together() -> None:
    unproven = [source(f"s{number}", proven=False) for number in range(30)]
    accepted = [source(f"a{number}", proven=False, accepted=True) for number in range(5)]
    said = warnings_html([*unproven, *accepted, source()])
    assert said.count("<li>") == 2
    assert "s7 and 22 more: nobody can use them before they are proven read-only." in said
    assert "5 sources are used though they are not proven read-only: a0, a1" in said
    assert warnings_html([source()]) == ""


@pytest.mark.promise("DATA-1")
def test_names_of_sources_and_of_servers_are_text_whatever_they_hold() -> None:
    hostile = "<img src=x onerror=alert(1)>"
    found = source(title=hostile, description=hostile, created_by=hostile, created_at=NOW)
    said = source_html(found, None, (), NOW, [hostile])
    assert "<img" not in said
    assert said.count("&lt;img") == 4


@pytest.mark.promise("DATA-2")
def test_a_dataset_whose_source_can_be_written_to_is_marked_in_both_browsers_of_it() -> None:
    caution = "Users of its source 'lake' can write (<b>all</b>), which was accepted."
    dataset = Dataset(
        name="sales",
        format=FileFormat.CSV,
        label=PrivacyLabel.INTERNAL,
        enabled=True,
        reading=DatasetReading(at=NOW, columns=(), size=1, files=1),
        source="lake",
        manages=True,
        usable=True,
        caution=caution,
        revision=1,
    )
    lake = source(proven=False, accepted=True)

    row = dataset_row(dataset, lake)
    assert (row["state"], row["obstacle"]) == ("exposed", caution)
    used = data_row("1", dataset)
    assert (used["state"], used["obstacle"]) == ("exposed", caution)
    for html in (dataset_html(dataset, lake, NOW), used_dataset_html(dataset)):
        assert "can write (&lt;b&gt;all&lt;/b&gt;), which was accepted." in html
