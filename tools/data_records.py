"""Sources, targets and datasets as tests write them into a record."""

from __future__ import annotations

from typing import Any

import pytest

from allotment.model.datasets import (
    Dataset,
    FileFormat,
)
from allotment.model.reasons import Rule
from allotment.model.refusals import Refusal
from allotment.model.sources import Audience, Source, SourceKind
from allotment.model.versions import ContentsKind, MetadataKind, VersionTarget
from allotment.record import (
    sources,
)

SOURCE = Source(
    "warehouse",
    SourceKind.POSTGRESQL,
    title="Sales",
    fields={"host": "db.example.org", "port": 5432, "readers": None},
    audience=Audience(everyone=True, groups=("vision",), people=("zoe",)),
    group="vision",
)


SEALED = {"password": b"sealed-1", "key": b"\x00\xff"}


TARGET = VersionTarget(
    "history",
    MetadataKind.GIT,
    ContentsKind.S3,
    metadata={"url": "https://git.example.org/a.git"},
    contents={"bucket": "versions", "access_key_id": "AK1"},
)


DATASET = Dataset("sales", ("/d/a", "/d/b"), FileFormat.CSV, options={"delimiter": ";"})


def refused(problem: pytest.ExceptionInfo[Refusal]) -> Rule:
    """The rule of a refusal that was caught."""
    return problem.value.reasons[0].rule


def make(lab: Any, source: Source = SOURCE) -> Source:
    """Register a source with the secrets :data:`SEALED`."""
    with lab.write() as writing:
        return sources.create(writing, source, SEALED)
