"""What people call in a cell, through the real control plane: files, a database and a bucket, loaded in one line."""

from __future__ import annotations

import io
import os
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest
import sqlalchemy as sa

import allotment
from allotment import notebook
from allotment.model.refusals import NotFound, Refusal
from allotment.model.sources import Audience
from allotment.notebook.problems import DataProblem
from hubs import until

pytestmark = pytest.mark.parametrize("store", ["sqlite"])

VISION = Audience(groups=("vision",))
ROWS = 6_000
PASSWORD = "correct horse battery"


def sales(rows: int = ROWS) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "id": range(rows),
            "region": ["north", "south", "east"] * (rows // 3),
            "amount": [number / 4 for number in range(rows)],
        }
    )


def parquet(frame: pl.DataFrame) -> bytes:
    written = io.BytesIO()
    frame.write_parquet(written, row_group_size=1_000)
    return written.getvalue()


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


@pytest.mark.usefixtures("two_files")
@pytest.mark.promise("SET-2", "DATA-6")
def test_a_registered_dataset_is_loaded_in_one_line() -> None:
    found = allotment.load("sales")

    assert found.equals(sales())


@pytest.mark.usefixtures("two_files")
@pytest.mark.promise("DATA-6")
def test_only_the_columns_and_rows_that_were_asked_for_are_loaded() -> None:
    where = "amount < 3 and region = 'north'"

    found = allotment.load("sales", columns=["id"], where=where, limit=3)
    later = allotment.load("sales", columns=["id"], where=where, limit=3, as_="lazy")

    assert found.to_dict(as_series=False) == {"id": [0, 3, 6]}
    assert later.collect().equals(found)


@pytest.mark.usefixtures("two_files")
@pytest.mark.promise("DATA-6")
def test_a_column_that_is_not_there_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(DataProblem, match=r"no column 'amuont'\. Nearest: amount"):
        allotment.load("sales", columns=["amuont"])
    with pytest.raises(DataProblem, match="no such column"):
        allotment.load("sales", where="price > 1")


@pytest.mark.usefixtures("two_files")
@pytest.mark.promise("SET-2")
def test_a_dataset_that_is_not_shared_with_me_is_as_if_it_were_not_there(data_api: Any) -> None:
    notebook.use(data_api.client("zoes-server"))

    with pytest.raises(NotFound):
        allotment.load("sales")


@pytest.mark.promise("DATA-7", "PROFILE-5")
def test_what_is_revoked_is_refused_in_words_as_soon_as_it_is_asked_again(two_files: Any) -> None:
    allotment.load("sales", limit=1)
    two_files.datasets.revoke("sales")

    notebook.session().forget()
    with pytest.raises(Refusal):
        allotment.load("sales")


@pytest.mark.promise("SET-1")
@pytest.mark.usefixtures("two_files")
def test_a_file_that_is_gone_is_named_with_what_would_help(folder: Path) -> None:
    allotment.load("sales", limit=1)
    (folder / "part-1.parquet").unlink()

    with pytest.raises(DataProblem) as problem:
        allotment.load("sales")

    assert "not there any more" in str(problem.value)
    assert "part-1.parquet" in str(problem.value)


@pytest.mark.promise("SET-1")
@pytest.mark.parametrize("torn", [b"PAR1 and then nothing", b""])
@pytest.mark.usefixtures("two_files")
def test_a_file_that_was_torn_after_its_registration_is_said_to_be(
    folder: Path, torn: bytes
) -> None:
    (folder / "part-1.parquet").write_bytes(torn)

    with pytest.raises(DataProblem, match="sales"):
        allotment.load("sales")


@pytest.mark.promise("SET-1", "SET-2")
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_a_csv_is_loaded_as_it_was_detected_whatever_its_encoding(
    cell: Any, tmp_path: Path, encoding: str
) -> None:
    lines = ["id;name;price;day", *(f"{n};Ärger {n};{n},5;2026-01-0{n % 9 + 1}" for n in range(50))]
    (tmp_path / "data" / "old.csv").write_bytes("\n".join(lines).encode(encoding))
    cell.client("carl+").datasets.create(
        "old",
        [f"{tmp_path}/data/old.csv"],
        audience=VISION,
        options={"decimal": ",", "encoding": encoding},
    )

    found = allotment.load("old", where="id = 7")

    assert found["name"].to_list() == ["Ärger 7"]
    assert found["price"].to_list() == [7.5]
    assert found.schema["day"] == pl.Date


@pytest.mark.usefixtures("shelf")
@pytest.mark.promise("SET-1", "SET-2")
def test_a_dataset_is_registered_from_a_cell_and_loaded_at_once(folder: Path) -> None:
    (folder.parent / "mine.parquet").write_bytes(parquet(sales(30)))

    made = allotment.register("mine", uri=allotment.path("shelf") / "mine.parquet")

    assert made.reading is not None
    assert made.reading.rows == 30
    assert allotment.load("mine").height == 30
    assert allotment.datasets()["mine"].usable


@pytest.mark.usefixtures("shelf")
@pytest.mark.promise("DATA-6")
def test_what_may_be_used_is_a_table_whose_words_are_escaped(two_files: Any) -> None:
    revision = two_files.datasets.get("sales").revision
    two_files.datasets.edit("sales", revision=revision, title="<b>Sales</b> & more")

    datasets, sources = allotment.datasets(), allotment.sources()

    assert "&lt;b&gt;Sales&lt;/b&gt; &amp; more" in datasets._repr_html_()
    assert "6,000" in repr(datasets)
    assert 'allotment.load("sales")' in repr(datasets)
    assert "<script>" not in sources._repr_html_()
    assert 'allotment.path("shelf")' in repr(sources)
    assert datasets._ipython_key_completions_() == ["sales"]


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


@pytest.mark.needs("postgresql")
@pytest.mark.promise("DATA-5", "DATA-6")
def test_a_database_is_asked_in_one_line_by_an_account_of_this_server(warehouse: Any) -> None:
    found = allotment.sql(
        "warehouse", "select id, price, current_user as me from sales order by id"
    )

    assert found["price"].dtype == pl.Decimal(38, 2)
    assert found["id"].to_list() == list(range(1, 1001))
    assert str(found["me"][0]).startswith("allotment_")
    assert warehouse.password not in str(notebook.session().lender.credential("warehouse").fields)


@pytest.mark.needs("postgresql")
@pytest.mark.promise("DATA-6")
@pytest.mark.usefixtures("warehouse")
def test_an_answer_comes_in_the_library_of_choice() -> None:
    query = "select region, price from sales"

    assert len(allotment.sql("warehouse", query, as_="pandas")) == 1_000
    assert allotment.sql("warehouse", query, as_="arrow").num_rows == 1_000
    assert len(allotment.sql("warehouse", query, as_="duckdb").fetchall()) == 1_000


@pytest.mark.needs("postgresql")
@pytest.mark.promise("DATA-6")
@pytest.mark.usefixtures("warehouse")
def test_what_others_typed_is_handed_over_as_a_value_and_never_as_sql() -> None:
    hostile = "it's south'; drop table sales; --"

    none = allotment.sql("warehouse", "select id from sales where region = :r", {"r": hostile})
    some = allotment.sql("warehouse", "select id from sales where region = :r", {"r": "it's south"})

    assert (none.height, some.height) == (0, 500)
    assert allotment.sql("warehouse", "select count(*) as n from sales")["n"][0] == 1_000


@pytest.mark.needs("postgresql")
@pytest.mark.promise("DATA-2")
@pytest.mark.parametrize(
    "statement", ["delete from sales", "set transaction read write; delete from sales"]
)
def test_a_write_is_refused_and_the_words_say_why(warehouse: Any, statement: str) -> None:
    with pytest.raises(DataProblem) as problem:
        allotment.sql("warehouse", statement)

    assert "warehouse refused the query" in str(problem.value)
    assert "password" not in str(problem.value).lower()
    assert warehouse.rows("select count(*) from sales") == [(1_000,)]


@pytest.mark.needs("postgresql")
@pytest.mark.promise("DATA-6")
@pytest.mark.usefixtures("warehouse")
def test_a_connection_is_what_pandas_and_sqlalchemy_take() -> None:
    engine = allotment.connect("warehouse")

    with engine.connect() as connection:
        assert connection.execute(sa.text("select count(*) from sales")).scalar() == 1_000
    with allotment.connect("warehouse", as_="adbc") as connection:
        assert connection.execute("select count(*) from sales").fetchone() == (1_000,)
    engine.dispose()


def interrupt_when(waiting: Callable[[], bool]) -> threading.Thread:
    """Interrupt the cell as soon as its query waits in the database."""

    def watch() -> None:
        until(waiting, "the query in the database", 60)
        os.kill(os.getpid(), signal.SIGINT)

    watcher = threading.Thread(target=watch)
    watcher.start()
    return watcher


@pytest.mark.needs("postgresql")
@pytest.mark.promise("DATA-6")
def test_interrupting_the_cell_ends_the_query_in_the_database(warehouse: Any) -> None:
    query = (
        "select count(*) from pg_stat_activity"
        " where query like '%pg_sleep(90)%' and state = 'active' and pid <> pg_backend_pid()"
    )
    watcher = interrupt_when(lambda: warehouse.rows(query) == [(1,)])

    with pytest.raises(KeyboardInterrupt):
        allotment.sql("warehouse", "select pg_sleep(90)")

    watcher.join()
    until(lambda: warehouse.rows(query) == [(0,)], "the end of the query", 60)


@pytest.mark.needs("postgresql")
@pytest.mark.promise("DATA-5", "DATA-7")
def test_an_account_that_was_dropped_meanwhile_is_replaced_without_a_word(warehouse: Any) -> None:
    me = str(allotment.sql("warehouse", "select current_user as me")["me"][0])
    warehouse.run(f'DROP OWNED BY "{me}"', f'DROP ROLE "{me}"')

    other = str(allotment.sql("warehouse", "select current_user as me")["me"][0])

    assert other.startswith("allotment_")
    assert other != me


@pytest.mark.needs("postgresql")
@pytest.mark.promise("DATA-4")
@pytest.mark.usefixtures("warehouse")
@pytest.mark.usefixtures("two_files")
def test_a_source_and_a_dataset_are_tested_from_ones_own_server() -> None:
    reached, loaded, unknown = (
        allotment.test("warehouse"),
        allotment.test("sales"),
        allotment.test("nothing"),
    )

    assert reached.reached
    assert "an account of this server" in reached.words
    assert loaded.reached
    assert not unknown.reached
    assert "nothing" in unknown.words


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


@pytest.mark.promise("SET-2", "DATA-5", "DATA-6")
def test_a_dataset_in_a_bucket_is_loaded_with_keys_that_end_within_the_hour(lake: Any) -> None:
    found = allotment.load("bucket-sales", columns=["id", "amount"], where="amount > 70")

    assert found.height == 2 * 19
    assert found.columns == ["id", "amount"]
    lent = notebook.session().lender.credential("lake")
    assert lent.text("session_token")
    assert lent.ends is not None
    assert lake[0].secret_access_key not in str(lent.fields)


@pytest.mark.promise("DATA-2", "DATA-6")
@pytest.mark.usefixtures("warehouse")
def test_a_bucket_is_walked_and_read_as_a_path_and_never_written(lake: Any) -> None:
    top = allotment.path("lake")

    assert [place.name for place in top.iterdir()] == ["notes.txt", "sales"]
    assert [place.name for place in top.glob("**/*.parquet")] == ["a.parquet", "b #1.parquet"]
    assert (top / "notes.txt").read_text() == "Grüße"
    with (top / "sales/a.parquet").open() as opened:
        assert pl.read_parquet(opened).height == 300
    with pytest.raises(DataProblem, match="is for reading"):
        (top / "own.txt").open("wb")
    with pytest.raises(DataProblem, match=r"no '\.\.'"):
        top / "../other"
    files = top.filesystem
    with pytest.raises(PermissionError):
        files.pipe_file(f"{lake[1]}/team/own.txt", b"mine")
    with pytest.raises(PermissionError):
        files.cat_file(f"{lake[1]}/other/secret.txt")


@pytest.mark.promise("DATA-6")
@pytest.mark.usefixtures("lake", "warehouse")
def test_a_bucket_is_no_database_and_a_database_no_bucket() -> None:
    with pytest.raises(DataProblem, match=r"allotment\.path\('lake'\)"):
        allotment.sql("lake", "select 1")
    with pytest.raises(DataProblem, match=r"allotment\.sql\('warehouse'"):
        allotment.path("warehouse")


@pytest.mark.needs("mariadb")
@pytest.mark.promise("DATA-1", "DATA-6")
@pytest.mark.parametrize("encrypted", [False, True])
def test_mariadb_is_asked_the_same_way_encrypted_or_not(
    cell: Any, mariadb_server: Any, encrypted: bool
) -> None:
    database = mariadb_server.new_database()
    database.run(
        "CREATE TABLE sales (id int, item varchar(20))",
        "INSERT INTO sales SELECT seq, concat('pear ', seq) FROM seq_1_to_2000",
        f"CREATE USER {database.database} IDENTIFIED BY '{PASSWORD}'",
        f"GRANT CREATE USER, PROCESS, CONNECTION ADMIN ON *.* TO {database.database}",
        f"GRANT SELECT ON {database.database}.* TO {database.database} WITH GRANT OPTION",
    )
    tls = {"tls": "verify", "ca": database.authority} if encrypted else {"tls": "off"}
    fields = {
        "host": database.host,
        "port": database.port,
        "database": database.database,
        "user": database.database,
        "password": PASSWORD,
    }
    cell.client("carl+").sources.create("shop", "mariadb", fields | tls, audience=VISION)

    found = allotment.sql("shop", "select id, item from sales order by id;", as_="arrow")

    assert isinstance(found, pa.Table)
    assert found.num_rows == 2_000
    assert found.column("item")[1].as_py() == "pear 2"
    with pytest.raises(DataProblem, match="shop refused the query"):
        allotment.sql("shop", "delete from sales")


@pytest.fixture
def history(cell: Any, tmp_path: Path) -> Any:
    """A target for versions and models, in folders."""
    cell.client("olga+").targets.create(
        "history",
        metadata_kind="folder",
        metadata={"path": str(tmp_path / "data" / "history")},
        contents_kind="folder",
        contents={"path": str(tmp_path / "data" / "kept")},
    )
    return cell


@pytest.mark.usefixtures("history")
@pytest.mark.promise("MODEL-1")
def test_a_model_is_registered_with_its_file_listed_and_fetched_again(tmp_path: Path) -> None:
    (tmp_path / "churn.bin").write_bytes(b"weights")

    allotment.register_model(
        "churn",
        "1",
        file=tmp_path / "churn.bin",
        target="history",
        metrics={"auc": 0.75},
    )

    assert "auc 0.75" in repr(allotment.models())
    assert allotment.load_model("churn", into=tmp_path / "got").read_bytes() == b"weights"
    with pytest.raises(DataProblem, match="Its versions: 1"):
        allotment.load_model("churn", "2")


@pytest.mark.promise("SET-4", "SET-5")
def test_a_version_is_committed_from_a_cell_and_loaded_again_after_a_change(
    history: Any, two_files: Any, folder: Path
) -> None:
    revision = two_files.datasets.get("sales").revision
    two_files.datasets.edit("sales", revision=revision, target="history")

    first = two_files.versions.commit("sales", "as delivered")
    history.plane.data.committing.wait(60)
    (folder / "part-0.parquet").write_bytes(parquet(sales(3)))
    two_files.datasets.read("sales")
    notebook.session().forget()

    assert allotment.load("sales", version=first.number).height == ROWS
    assert allotment.load("sales").height == ROWS // 2 + 3
    assert allotment.versions("sales")["1"].message == "as delivered"
