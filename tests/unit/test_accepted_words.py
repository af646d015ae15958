"""What was accepted though its users can write is marked as that, with when it was tried and what revoking does."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from allotment.model import documents
from allotment.model.datasets import FileFormat, PrivacyLabel
from allotment.model.sources import Proof, Source, SourceKind, Verdict
from allotment.notebook.listings import datasets_table, sources_table

pytestmark = pytest.mark.promise("DATA-2")

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
WRITABLE = Proof(NOW, Verdict.WRITABLE, possible=("insert into sales", "drop prices"))


@pytest.mark.parametrize(
    ("proof", "accepted_by", "said"),
    [
        (Proof(NOW, Verdict.READ_ONLY), None, ""),
        (Proof(NOW, Verdict.READ_ONLY), "carl", ""),
        (WRITABLE, None, ""),
        (
            WRITABLE,
            "carl",
            "Its users can write (insert into sales; drop prices), which was accepted.",
        ),
        (
            Proof(NOW, Verdict.UNPROVEN, problem="It is away."),
            "carl",
            "Nothing shows that its users cannot write, which was accepted.",
        ),
        (None, "carl", "Nothing shows that its users cannot write, which was accepted."),
        (None, None, ""),
    ],
)
def test_only_what_was_accepted_needs_caution_and_says_what_can_be_written(
    proof: Proof | None, accepted_by: str | None, said: str
) -> None:
    source = Source("lake", SourceKind.S3, proof=proof, accepted_by=accepted_by)

    assert source.caution() == said
    named = source.caution("Users of its source 'lake'")
    assert ("sers of its source 'lake' can" in named) == bool(said)


def source(**more: Any) -> documents.Source:
    given: dict[str, Any] = {
        "name": "lake",
        "kind": SourceKind.S3,
        "kind_title": "S3",
        "enabled": True,
        "proof": documents.Proof(at=NOW, verdict=Verdict.READ_ONLY, ending="Within a minute."),
        "proven": True,
        "manages": False,
        "usable": True,
        "revision": 1,
    }
    return documents.Source(**given | more)


def dataset(**more: Any) -> documents.Dataset:
    return documents.Dataset(
        name="sales",
        format=FileFormat.CSV,
        label=PrivacyLabel.INTERNAL,
        enabled=True,
        manages=False,
        usable=True,
        revision=1,
        **more,
    )


def test_a_list_of_sources_tells_when_each_was_tried_and_what_revoking_does() -> None:
    words = repr(sources_table([source()]))

    assert "proven, 2026-11-23 09:30 UTC" in words
    assert "Within a minute." in words


def test_lists_mark_what_was_accepted() -> None:
    caution = "Its users can write (all of it), which was accepted."

    marked = sources_table([source(proven=False, accepted=True, caution=caution)])
    assert caution in repr(marked)
    assert caution in repr(datasets_table([dataset(), dataset(caution=caution)]))
    assert "caution" not in repr(datasets_table([dataset()]))
