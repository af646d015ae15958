"""``allotment.load``: a registered dataset, in one line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from allotment.model.documents import DatasetAccess
from allotment.notebook.conditions import Where, check_columns, check_limit, condition
from allotment.notebook.explaining import CredentialRefused, explained, in_words
from allotment.notebook.files import Wanted, collect, is_for_polars, scan
from allotment.notebook.lending import Asking, Lend
from allotment.notebook.problems import DataProblem
from allotment.notebook.progress import Progress, carry_out
from allotment.notebook.sessions import Session, Version
from allotment.notebook.shapes import Shape, check_shape, shaped

if TYPE_CHECKING:
    import polars as pl


def load_dataset(
    session: Session,
    name: str,
    *,
    version: Version,
    columns: Sequence[str] | None,
    where: Where,
    limit: int | None,
    as_: Shape,
) -> Any:
    """Load a dataset; see :func:`allotment.load`."""
    check_shape(as_)
    check_limit(limit)
    access = session.access(name, version)
    check_columns(columns, [column.name for column in access.columns], name)
    if not access.files:
        message = f"{name} has no files. Ask who registered it to have its files read again."
        raise DataProblem(message)
    wanted = Wanted(None if columns is None else tuple(columns), condition(where), limit)
    if as_ == "lazy" and is_for_polars(access):
        return wanted.of(scan(access, session.lend(name, version), access.files))
    return shaped(_frame(session, access, version, wanted), as_)


def _frame(
    session: Session, access: DatasetAccess, version: Version, wanted: Wanted
) -> pl.DataFrame:
    """Read what is wanted; once more with a new credential where the store refuses the one that was held."""
    try:
        return _read(session, access, version, wanted)
    except CredentialRefused:
        session.forget(access.dataset)
        return _read(session, session.access(access.dataset, version), version, wanted)


def _read(
    session: Session, access: DatasetAccess, version: Version, wanted: Wanted
) -> pl.DataFrame:
    sizes = [file.size for file in access.files if file.size is not None]
    total = sum(sizes) if len(sizes) == len(access.files) else None
    progress = Progress(f"Loading {access.dataset}", total=total)
    lend, fields = Asking(session.lend(access.dataset, version)), access.storage.fields
    name = access.dataset
    with in_words(lambda error: lend.refused or explained(name, error, fields, wanted)):
        return carry_out(lambda: _reader(access)(access, lend, wanted, progress), progress)


def _reader(
    access: DatasetAccess,
) -> Callable[[DatasetAccess, Lend, Wanted, Progress], pl.DataFrame]:
    if is_for_polars(access):
        return collect
    from allotment.notebook.text_files import collect_text  # noqa: PLC0415 - seldom needed

    return collect_text
