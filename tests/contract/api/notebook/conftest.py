"""A cell of bob's server, and what it may read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from allotment import notebook
from cells import ROWS, VISION, parquet, sales
from kept_histories import keep_history


@pytest.fixture
def cell(data_api: Any) -> Iterator[Any]:
    """A cell of bob's server; bob is in vision. Gives the control plane that it asks."""
    notebook.use(data_api.client("bobs-server"))
    yield data_api
    notebook.use(None)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder that the dataset "sales" is in."""
    return tmp_path / "data" / "sales"


@pytest.fixture
def two_files(cell: Any, folder: Path) -> Any:
    """The dataset "sales" of vision: two Parquet files in a folder."""
    folder.mkdir()
    for number, half in enumerate((sales().head(ROWS // 2), sales().tail(ROWS // 2))):
        (folder / f"part-{number}.parquet").write_bytes(parquet(half))
    carl = cell.client("carl+")
    carl.datasets.create("sales", [f"{folder}/"], audience=VISION)
    return carl


@pytest.fixture
def shelf(cell: Any, folder: Path) -> Any:
    """A folder as a source of vision, accepted by olga: whoever runs the tests may be able to write there."""
    fields = {"path": str(folder.parent)}
    cell.client("carl+").sources.create(
        "shelf", "folder", fields, audience=VISION, title="<script>"
    )
    cell.client("olga+").sources.accept("shelf")
    return cell


@pytest.fixture
def warehouse(cell: Any, postgresql_server: Any) -> Any:
    """A PostgreSQL source of vision, read by accounts made for each server."""
    database = postgresql_server.new_database()
    database.run(
        "CREATE TABLE sales (id integer, region text, price numeric(10, 2), at timestamptz)",
        "INSERT INTO sales SELECT n, CASE WHEN n % 2 = 0 THEN 'north' ELSE 'it''s south' END, n / 4.0, now()"
        " FROM generate_series(1, 1000) AS n",
        "DO $$ BEGIN CREATE ROLE allotment_readers; EXCEPTION WHEN duplicate_object THEN NULL; END $$",
        "GRANT SELECT ON sales TO allotment_readers",
        "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
        f'REVOKE TEMPORARY, CREATE ON DATABASE "{database.database}" FROM PUBLIC',
    )
    fields = {
        "host": database.host,
        "port": database.port,
        "database": database.database,
        "user": database.user,
        "password": database.password,
        "tls": "off",
    }
    cell.client("carl+").sources.create("warehouse", "postgresql", fields, audience=VISION)
    return database


@pytest.fixture
def lake(cell: Any, s3_store: Any) -> Any:
    """An S3 source of vision: one prefix of a bucket, lent by a role for an hour at most."""
    bucket = s3_store.bucket(
        {
            "team/sales/a.parquet": parquet(sales(300)),
            "team/sales/b #1.parquet": parquet(sales(300)),
            "team/notes.txt": "Grüße".encode(),
            "other/secret.txt": b"not theirs",
        }
    )
    fields = s3_store.fields(bucket, "team/") | s3_store.secrets
    carl = cell.client("carl+")
    carl.sources.create("lake", "s3", fields, audience=VISION)
    carl.datasets.create(
        "bucket-sales", [f"s3://{bucket}/team/sales/"], source="lake", audience=VISION
    )
    return s3_store, bucket


@pytest.fixture
def history(cell: Any, tmp_path: Path) -> Any:
    """A target for versions and models, in folders."""
    keep_history(cell.client("olga+"), tmp_path / "data")
    return cell
