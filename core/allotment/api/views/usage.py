"""Use and cost as documents, and as a table for spreadsheets."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from allotment.model import documents
from allotment.model.money import Dimension, Use, Used

NUMBERS = ("hours", "device_hours", "cost", "sessions")


def usage_rows(used: Iterable[Used], by: Sequence[Dimension]) -> list[documents.UsageRow]:
    """What was used, line by line."""
    return [_row(by, one) for one in used]


def _row(by: Sequence[Dimension], used: Used) -> documents.UsageRow:
    names = {str(dimension): name for dimension, name in zip(by, used.names, strict=True)}
    return documents.UsageRow.model_validate(names | _numbers(used.use))


def _numbers(use: Use) -> dict[str, object]:
    return {name: getattr(use, name) for name in NUMBERS}


def usage_total(used: Iterable[Used]) -> documents.UsageSum:
    """What was used in all: added up exactly and rounded once, not line by line."""
    return documents.UsageSum.model_validate(_numbers(sum((one.use for one in used), Use())))


def usage_csv(by: Sequence[Dimension], rows: Iterable[documents.UsageRow]) -> str:
    """The same as comma-separated values, with a head; names never begin as a formula does."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\r\n")
    writer.writerow([*by, *NUMBERS])
    for row in rows:
        names = [harmless(getattr(row, str(dimension)) or "") for dimension in by]
        writer.writerow([*names, *(getattr(row, name) for name in NUMBERS)])
    return stream.getvalue()


def harmless(text: str) -> str:
    """Text that a spreadsheet does not take for a formula."""
    return f"'{text}" if text[:1] in {"=", "+", "-", "@", "\t", "\r"} else text
