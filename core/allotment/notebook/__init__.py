"""What people call in a cell: load a dataset, ask a database, walk a bucket.

Begin with ``allotment.example()``, which writes a notebook that shows all of it. Every function
works in a server of the platform, with that server's own token. Nothing heavy is loaded before it
is needed. All functions raise :class:`~allotment.model.refusals.AllotmentError` with words that say
what to do.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from glob import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from allotment.notebook.sessions import Version, session, use

if TYPE_CHECKING:
    from allotment.model.documents import Dataset, RegisteredModel, Source
    from allotment.model.documents import Version as DatasetVersion
    from allotment.model.sources import Audience
    from allotment.notebook.conditions import Where
    from allotment.notebook.shapes import Shape
    from allotment.notebook.source_paths import SourcePath
    from allotment.notebook.tables import Table
    from allotment.notebook.testing import Tested

__all__ = [
    "browse",
    "commit",
    "connect",
    "datasets",
    "delete_model",
    "environment",
    "example",
    "load",
    "load_model",
    "models",
    "path",
    "register",
    "register_model",
    "sources",
    "sql",
    "test",
    "use",
    "versions",
]


def sources() -> Table[Source]:
    """The databases and object stores that this server may use, as a table."""
    from allotment.notebook.listings import sources_table  # noqa: PLC0415 - see above

    return sources_table(session().client.sources.all().items)


def datasets() -> Table[Dataset]:
    """The datasets that may be used, and the public ones that are there, as a table."""
    from allotment.notebook.listings import datasets_table  # noqa: PLC0415 - see above

    return datasets_table(session().client.datasets.all().items)


def versions(dataset: str) -> Table[DatasetVersion]:
    """The versions of a dataset, the newest first, as a table."""
    from allotment.notebook.listings import versions_table  # noqa: PLC0415 - see above

    return versions_table(dataset, session().client.versions.all(dataset).items)


def models() -> Table[RegisteredModel]:
    """Own registered models and those that others share, as a table."""
    from allotment.notebook.listings import models_table  # noqa: PLC0415 - see above

    return models_table(session().client.models.all().items)


def browse(name: str = "") -> None:
    """Show what may be used, to look through: sources, their tables and files, datasets, first rows.

    Args:
        name: a source or dataset to begin with.

    Raises:
        DataProblem: this environment has no widgets.
    """
    from importlib import import_module  # noqa: PLC0415 - see above

    from allotment.notebook.problems import missing  # noqa: PLC0415 - see above

    try:
        # The widgets stand above this package: it knows of them only by this name.
        widgets = import_module("allotment_widgets.data_browser")
    except ImportError:
        raise missing("ipywidgets anywidget", "allotment.browse") from None
    widgets.browse(session(), name)


def example(folder: str | Path = ".") -> Path:
    """Write a notebook that shows how datasets, databases and buckets are read, and say where.

    Args:
        folder: where to; nothing in it is overwritten.

    Raises:
        DataProblem: it cannot be written there.
    """
    from allotment.notebook.example_notebook import write_example  # noqa: PLC0415 - see above

    return write_example(Path(folder))


def register_model(
    name: str,
    version: str,
    *,
    file: str | Path | None = None,
    metrics: Mapping[str, float] | None = None,
    datasets: Sequence[str] = (),
    **more: Any,
) -> RegisteredModel:
    """Register a version of a model.

    Args:
        name: what it is called.
        version: which one it is; a version is registered once.
        file: the file that holds it, for a target to keep (``target=`` names it).
        metrics: figures by name.
        datasets: the dataset versions that it came from, as ``"sales@3"``.
        more: ``uri`` where it lies if no file is kept, ``target``, ``description``, ``audience``.

    Raises:
        Refusal: the name and version are taken, or your limit of models is reached.
        DataProblem: there is no such file.
    """
    from allotment.notebook.kept_models import register as keep  # noqa: PLC0415 - see above

    known = {"metrics": metrics, "datasets": datasets, **more}
    return keep(session().client, name, version, Path(file) if file else None, known)


def load_model(name: str, version: str | None = None, *, into: str | Path = ".") -> Path:
    """Fetch a model's kept file into a folder; the newest version, if none is named.

    Raises:
        DataProblem: there is no such version, or no file of it is kept here: where it lies, and how
            that is opened, is said.
    """
    from allotment.notebook.kept_models import fetch  # noqa: PLC0415 - see above

    return fetch(session().client, name, version, Path(into))


def delete_model(name: str, version: str) -> None:
    """Forget one version of a model, with the file that is kept of it; what lies at a URI stays there.

    Raises:
        Refusal: there is no such version, or it is not yours.
    """
    session().client.models.delete(name, version)


def load(
    dataset: str,
    *,
    version: Version = None,
    columns: Sequence[str] | None = None,
    where: Where = None,
    limit: int | None = None,
    as_: Shape = "polars",
) -> Any:
    """Load a dataset.

    Args:
        dataset: its name; see :func:`datasets`.
        version: a version's number, tag or moment (a date: the newest before it); ``"promised"``
            for the one that was current when this server started; None: the files as they are now.
        columns: only these columns; the others are not read.
        where: only rows that meet a condition: as in SQL (``"amount > 10 and region = 'north'"``),
            values by column (``{"region": ["north", "south"]}``), or an expression of polars.
            Parts of Parquet files that cannot hold such rows are not read.
        limit: at most so many rows.
        as_: ``"polars"``, ``"pandas"``, ``"arrow"``, ``"duckdb"`` (a relation), or ``"lazy"`` (a
            frame of polars that reads when it is collected).

    Raises:
        Refusal: it is not shared with you, disabled or revoked; the text says whom to ask.
        DataProblem: it could not be read as asked for; the text says what to do.
    """
    from allotment.notebook.reading import load_dataset  # noqa: PLC0415 - see above

    return load_dataset(
        session(), dataset, version=version, columns=columns, where=where, limit=limit, as_=as_
    )


def sql(
    source: str,
    query: str,
    parameters: Mapping[str, Any] | None = None,
    *,
    as_: Literal["polars", "pandas", "arrow", "duckdb"] = "polars",
) -> Any:
    """Ask a database.

    Args:
        source: its name; see :func:`sources`.
        query: one statement of SQL, in the database's own words.
        parameters: values for names in the query (``"… where region = :region"``, ``{"region": …}``):
            what others typed belongs here, never into the text. Such queries take the slower way.
        as_: the shape of the answer.

    Raises:
        Refusal: the source may not be used; the text says whom to ask.
        DataProblem: the database did not answer or refused the query, in its words.
    """
    from allotment.notebook.querying import query as ask  # noqa: PLC0415 - see above

    return ask(session(), source, query, parameters, as_)


def connect(source: str, *, as_: Literal["sqlalchemy", "adbc"] = "sqlalchemy") -> Any:
    """A connection to a database.

    ``"sqlalchemy"`` is an engine: ``pandas.read_sql``, ``polars.read_database`` and ``%sql`` take it,
    and it asks for a new account whenever it must connect anew. ``"adbc"`` is a connection that
    answers in Arrow (PostgreSQL only).

    Raises:
        Refusal: the source may not be used; the text says whom to ask.
        DataProblem: it is no database, or a driver is missing.
    """
    from allotment.notebook import querying  # noqa: PLC0415 - see above
    from allotment.notebook.shapes import check_shape  # noqa: PLC0415 - see above

    check_shape(as_, "sqlalchemy", "adbc")
    made = querying.adbc_of if as_ == "adbc" else querying.engine_of
    return made(session(), source)


def path(source: str) -> SourcePath:
    """An object store or a folder as a path: walk it (``iterdir``, ``glob``, ``/``) and open its files for reading.

    Raises:
        Refusal: the source may not be used; the text says whom to ask.
        DataProblem: it is a database.
    """
    from allotment.notebook.source_paths import OpenedStore, SourcePath  # noqa: PLC0415 - see above

    return SourcePath(OpenedStore(source, session().lender))


def environment(source: str) -> dict[str, str]:
    """What other programs need in their environment to read an S3 source; Amazon's libraries renew by themselves.

    For example ``subprocess.run(["aws", "s3", "ls", …], env={**os.environ, **allotment.environment("lake")})``.

    Raises:
        Refusal: the source may not be used; the text says whom to ask.
        DataProblem: it is no S3 source, or this is no server of the platform.
    """
    from allotment.notebook.keeper import aws_environment  # noqa: PLC0415 - see above

    return aws_environment(os.environ, session().lender.credential(source))


def register(
    name: str,
    uri: str | SourcePath | Sequence[str],
    *,
    audience: Audience | None = None,
    **more: Any,
) -> Dataset:
    """Register files as a dataset, for oneself or for an ``audience``.

    Args:
        name: what it is loaded by.
        uri: ``s3://…``, ``azure://…``, ``abfs://…``, ``gs://…``, a file's path, or a place of
            :func:`path`; several in a list. A prefix ends with ``/``.
        audience: who may use it; None: oneself.
        more: ``format`` (``"parquet"``, ``"csv"``), ``title``, ``description``, ``options`` of a CSV,
            ``label``, ``group``, ``source``, ``target``.

    Raises:
        Refusal: a file is missing, unreadable or of another schema, or you may not; all are named.
    """
    uris = [uri] if isinstance(uri, str) or hasattr(uri, "uri") else list(uri)
    # A place of a source is itself, whatever signs its name has.
    named = [one if isinstance(one, str) else escape(str(one)) for one in uris]
    made = session().client.datasets.create(name, named, audience=audience, **more)
    session().forget(name)
    return made


def commit(dataset: str, message: str) -> DatasetVersion:
    """Keep a dataset's files as they are now as a new version; waits until they are kept.

    Raises:
        Refusal: it has no target for versions, or you may not.
        DataProblem: the commit failed; nothing of it was kept, and it can be run again.
    """
    from allotment.notebook.committing import commit_and_wait  # noqa: PLC0415 - see above

    return commit_and_wait(session().client, dataset, message)


def test(name: str) -> Tested:
    """Try from this server whether a source or dataset can be read, with a new credential."""
    from allotment.notebook.testing import test_from_here  # noqa: PLC0415 - see above

    return test_from_here(session(), name)


test.__test__ = False  # type: ignore[attr-defined]  # a word for people, not a test for pytest
