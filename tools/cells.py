"""What cells of tests load: a small table of sales."""

from __future__ import annotations

import io

import polars as pl

from allotment.model.sources import Audience

VISION = Audience(groups=("vision",))
ROWS = 6_000


def sales(rows: int = ROWS) -> pl.DataFrame:
    """So many sales in three regions, as many in each; the amount is a quarter of the id."""
    return pl.DataFrame(
        {
            "id": range(rows),
            "region": ["north", "south", "east"] * (rows // 3),
            "amount": [number / 4 for number in range(rows)],
        }
    )


def parquet(frame: pl.DataFrame) -> bytes:
    """A frame as a Parquet file, in groups of 1,000 rows."""
    written = io.BytesIO()
    frame.write_parquet(written, row_group_size=1_000)
    return written.getvalue()
