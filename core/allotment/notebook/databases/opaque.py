"""Columns whose type Arrow does not have: numbers of any precision become decimals, others what they are kept as."""

from __future__ import annotations

from typing import Any

_DIGITS = 38
"""Digits of Arrow's widest decimal that every library reads."""


def plain(table: Any) -> Any:
    """A table without opaque columns."""
    import pyarrow as pa  # noqa: PLC0415 - heavy

    for place, field in enumerate(table.schema):
        if isinstance(field.type, pa.OpaqueType):
            chunks = [chunk.storage for chunk in table.column(place).chunks]
            column = pa.chunked_array(chunks, field.type.storage_type)
            if field.type.type_name == "numeric":
                column = _numbers(column)
            table = table.set_column(place, field.name, column)
    return table


def _numbers(texts: Any) -> Any:
    """Decimals with as many digits after the point as any has; floats where one does not fit, as NaN."""
    import polars as pl  # noqa: PLC0415 - heavy

    series = pl.Series("numbers", texts, dtype=pl.String)
    after = series.str.len_bytes().cast(pl.Int64) - series.str.find(".", literal=True) - 1
    longest: Any = after.max()
    numbers = series.str.to_decimal(scale=min(int(longest or 0), _DIGITS))
    if numbers.null_count() != series.null_count():
        numbers = series.cast(pl.Float64)
    return numbers.to_arrow()
