"""``where=`` and ``columns=``: what is wanted of a dataset, checked before anything is read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, TypeAlias

from allotment.notebook.problems import DataProblem

if TYPE_CHECKING:
    import polars as pl

Where: TypeAlias = "str | Mapping[str, Any] | pl.Expr | None"
"""A condition as in SQL, an expression of polars, or values by column (a list: one of them)."""


def condition(where: Any) -> pl.Expr | None:
    """The condition as polars pushes it down to the files.

    Raises:
        DataProblem: it cannot be understood.
    """
    import polars as pl  # noqa: PLC0415 - heavy

    if where is None or isinstance(where, pl.Expr):
        return where
    if isinstance(where, str):
        return _from_sql(where)
    if isinstance(where, Mapping):
        parts = [_equal(pl.col(name), value) for name, value in where.items()]
        return pl.all_horizontal(parts) if parts else None
    message = (
        f"where= is a {type(where).__name__}. Write a condition as in SQL (\"amount > 10 and region = 'north'\"), "
        "values by column ({'region': 'north'}), or an expression of polars."
    )
    raise DataProblem(message)


def _from_sql(text: str) -> pl.Expr:
    import polars as pl  # noqa: PLC0415 - heavy
    from polars.exceptions import PolarsError  # noqa: PLC0415 - heavy

    try:
        return pl.sql_expr(text)
    except (PolarsError, TypeError, ValueError) as error:
        message = f"where={text!r} is no condition: {error}. Write it as after WHERE in SQL: \"amount > 10 and region = 'north'\"."
        raise DataProblem(message) from None


def _equal(column: pl.Expr, value: Any) -> pl.Expr:
    if isinstance(value, list | tuple | set | frozenset):
        return column.is_in(list(value))
    return column.is_null() if value is None else column == value


def check_columns(wanted: Sequence[str] | None, known: Sequence[str], dataset: str) -> None:
    """Refuse columns that a dataset does not have; those whose columns are not known are read as they are.

    Raises:
        DataProblem: one is not there; the nearest names are said.
    """
    if wanted is None or not known:
        return
    if isinstance(wanted, str):
        message = f'columns= is a list of names: columns=["{wanted}"].'
        raise DataProblem(message)
    for name in wanted:
        if name not in known:
            near = get_close_matches(name, known, 3) or list(known[:12])
            more = ", …" if not get_close_matches(name, known, 3) and len(known) > len(near) else ""
            message = f"{dataset} has no column {name!r}. Nearest: {', '.join(near)}{more}"
            raise DataProblem(message)


def check_limit(limit: Any) -> None:
    """Refuse a limit that is no number of rows."""
    if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int) or limit < 0):
        message = f"limit= is a number of rows, 0 or more; it was {limit!r}."
        raise DataProblem(message)
