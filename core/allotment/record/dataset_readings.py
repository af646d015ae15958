"""What was read of a dataset's files, as a document in its row."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from allotment.model.datasets import DatasetColumn, DatasetReading, FileProblem


def reading_document(found: DatasetReading | None) -> dict[str, Any] | None:
    """What was read, as the record keeps it."""
    if found is None:
        return None
    return {
        "at": found.at.isoformat(),
        "columns": [[one.name, one.type, one.nullable] for one in found.columns],
        "rows": found.rows,
        "rows_exact": found.rows_exact,
        "size": found.size,
        "files": found.files,
        "options": dict(found.options),
        "problems": [[one.uri, one.problem] for one in found.problems],
    }


def reading_of(document: dict[str, Any] | None) -> DatasetReading | None:
    """What was read, from what the record keeps."""
    if document is None:
        return None
    return DatasetReading(
        at=datetime.fromisoformat(document["at"]),
        columns=tuple(DatasetColumn(*one) for one in document["columns"]),
        rows=document["rows"],
        rows_exact=document["rows_exact"],
        size=document["size"],
        files=document["files"],
        options=document["options"],
        problems=tuple(FileProblem(*one) for one in document["problems"]),
    )
