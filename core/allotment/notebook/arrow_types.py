"""Arrow's words for types, as polars knows them: how the columns of a CSV file are read."""

from __future__ import annotations

import re
from typing import Any

_SIMPLE = {
    "int8": "Int8",
    "int16": "Int16",
    "int32": "Int32",
    "int64": "Int64",
    "uint8": "UInt8",
    "uint16": "UInt16",
    "uint32": "UInt32",
    "uint64": "UInt64",
    "float": "Float32",
    "float32": "Float32",
    "double": "Float64",
    "float64": "Float64",
    "bool": "Boolean",
    "date32[day]": "Date",
    "date64[ms]": "Date",
}
_ALIASES = {"date32[day]": "date32", "date64[ms]": "date64", "utf8": "string", "null": "string"}
_TIMESTAMP = re.compile(r"timestamp\[(s|ms|us|ns)\]")
_ZONED = re.compile(r"timestamp\[(s|ms|us|ns), tz=([^\]]+)\]")
_DECIMAL = re.compile(r"decimal(?:32|64|128|256)\((\d+), (-?\d+)\)")


def polars_type(words: str) -> Any:
    """The type that polars reads from text for Arrow's word; text itself where it has none."""
    import polars as pl  # noqa: PLC0415 - heavy

    if words in _SIMPLE:
        return getattr(pl, _SIMPLE[words])
    if found := _TIMESTAMP.fullmatch(words):
        return pl.Datetime("us" if found[1] == "s" else found[1])  # type: ignore[arg-type]  # one of its units
    if found := _DECIMAL.fullmatch(words):
        return pl.Decimal(int(found[1]), int(found[2]))
    return pl.String


def is_readable(words: str) -> bool:
    """Whether polars reads this type from a CSV file just as it was detected."""
    text = words in {"string", "large_string", "utf8", "null"}
    return text or words in _SIMPLE or any(p.fullmatch(words) for p in (_TIMESTAMP, _DECIMAL))


def arrow_type(words: str) -> Any:
    """The Arrow type of these words; text where a CSV file cannot hold it."""
    import pyarrow as pa  # noqa: PLC0415 - heavy

    if found := _ZONED.fullmatch(words):
        return pa.timestamp(found[1], found[2])
    if found := _DECIMAL.fullmatch(words):
        return pa.decimal128(int(found[1]), int(found[2]))
    try:
        return pa.type_for_alias(_ALIASES.get(words, words))
    except ValueError:
        return pa.string()
