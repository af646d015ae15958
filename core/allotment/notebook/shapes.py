"""``as_=``: in which library's words a table is handed out. Nothing is copied that need not be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, get_args

from allotment.notebook.problems import DataProblem, missing

if TYPE_CHECKING:
    import polars as pl

Shape = Literal["polars", "arrow", "pandas", "duckdb", "lazy"]
"""``lazy`` is a frame of polars that reads when it is collected."""


def check_shape(as_: str, *shapes: str) -> None:
    """Refuse what is no shape that can be had here.

    Raises:
        DataProblem: the shapes that can are named.
    """
    known = shapes or get_args(Shape)
    if as_ not in known:
        message = f"as_={as_!r} is not known. It is one of {', '.join(known)}."
        raise DataProblem(message)


def shaped(frame: pl.DataFrame, as_: str) -> Any:
    """A frame of polars in the shape that is wanted."""
    if as_ == "polars":
        return frame
    if as_ == "lazy":
        return frame.lazy()
    if as_ == "pandas":
        return _pandas(frame)
    return _duckdb(_views(frame)) if as_ == "duckdb" else frame.to_arrow()


def _views(frame: pl.DataFrame) -> Any:
    """An Arrow table with texts as polars holds them: not copied. DuckDB reads such, Arrow's own functions do not."""
    import polars as pl  # noqa: PLC0415 - heavy

    return frame.to_arrow(compat_level=pl.CompatLevel.newest())


def from_arrow(table: Any, as_: str) -> Any:
    """An Arrow table in the shape that is wanted."""
    import polars as pl  # noqa: PLC0415 - heavy

    if as_ == "arrow":
        return table
    if as_ == "duckdb":
        return _duckdb(table)
    if as_ == "pandas":
        return table.to_pandas(split_blocks=True, self_destruct=True)
    return shaped(pl.DataFrame(table), as_)


def _pandas(frame: pl.DataFrame) -> Any:
    try:
        import pandas as pd  # noqa: F401, PLC0415 - Arrow asks for it, and says less well that it is missing
    except ImportError:
        raise missing("pandas", 'as_="pandas"') from None
    # Each column of its own: nothing is copied together, and the Arrow side is given back meanwhile.
    return frame.to_arrow().to_pandas(split_blocks=True, self_destruct=True)


def _duckdb(table: Any) -> Any:
    try:
        import duckdb  # noqa: PLC0415 - heavy
    except ImportError:
        raise missing("duckdb", 'as_="duckdb"') from None
    return duckdb.from_arrow(table)
