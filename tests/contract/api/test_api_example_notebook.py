"""The example notebook, run in a real kernel of a server against a real control plane, database and files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbclient
import nbformat
import polars as pl
import pytest

import allotment
from allotment.model.sources import Audience
from kept_histories import keep_history

pytestmark = pytest.mark.parametrize("store", ["sqlite"])

VISION = Audience(groups=("vision",))
PATIENCE = 120
MAGIC = (
    "%sql select current_user as me",
    "%%sql asked <<\nselect n * 2 as twice from generate_series(1, 3) as n",
    "asked.DataFrame()['twice'].sum()",
)
"""What people do with SQL magic besides, in the same kernel."""


@pytest.fixture
def platform(data_api: Any, postgresql_server: Any, tmp_path: Path) -> Any:
    """What the example names: the dataset sales, the database warehouse, the folder lake, the target history."""
    root = tmp_path / "data"
    (root / "lake").mkdir()
    frame = pl.DataFrame({"region": ["north", "south"] * 50, "amount": range(100)})
    frame.write_parquet(root / "lake" / "sales.parquet")
    shop = postgresql_server.new_database()
    shop.run(
        "DO $$ BEGIN CREATE ROLE allotment_readers; EXCEPTION WHEN duplicate_object THEN NULL; END $$",
        "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
        f'REVOKE TEMPORARY, CREATE ON DATABASE "{shop.database}" FROM PUBLIC',
    )
    fields = {"host": shop.host, "port": shop.port, "database": shop.database, "tls": "off"}
    fields |= {"user": shop.user, "password": shop.password}
    carl = data_api.client("carl+")
    carl.sources.create("warehouse", "postgresql", fields, audience=VISION)
    carl.sources.create("lake", "folder", {"path": f"{root}/lake"}, audience=VISION)
    data_api.client("olga+").sources.accept("lake")
    carl.datasets.create("sales", [f"{root}/lake/sales.parquet"], audience=VISION)
    keep_history(carl, root)
    return data_api


@pytest.fixture
def kernel(platform: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """What runs a notebook in a kernel of bob's server; bob is in vision."""
    environment = {
        "ALLOTMENT_API_URL": platform.url,
        "JUPYTERHUB_API_TOKEN": "bobs-server",
        "HOME": str(tmp_path),
        "IPYTHONDIR": str(tmp_path / "ipython"),
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("ALLOTMENT_TOKEN", raising=False)

    def run(notebook: Any) -> list[Any]:
        nbclient.NotebookClient(
            notebook,
            timeout=PATIENCE,
            kernel_name="python3",
            resources={"metadata": {"path": tmp_path}},
        ).execute()
        return [cell for cell in notebook.cells if cell.cell_type == "code"]

    return run


def shown(cell: Any) -> dict[str, str]:
    """What a cell's last line shows, by type."""
    (result,) = [one for one in cell.outputs if one.output_type == "execute_result"]
    return dict(result.data)


def starting(cells: list[Any], words: str) -> Any:
    """The cell that begins with these words."""
    (found,) = [cell for cell in cells if cell.source.startswith(words)]
    return found


@pytest.mark.needs("postgresql")
@pytest.mark.promise("DATA-5", "DATA-6", "SET-2", "SET-4")
def test_every_cell_of_the_example_works_and_sql_magic_asks_by_an_account_of_this_server(
    kernel: Any, tmp_path: Path
) -> None:
    notebook = nbformat.read(allotment.example(tmp_path), as_version=4)
    nbformat.validate(notebook)
    notebook.cells += [nbformat.v4.new_code_cell(line) for line in MAGIC]

    cells = kernel(notebook)

    errors = [out for cell in cells for out in cell.outputs if out.output_type == "error"]
    assert errors == []
    assert "42" in str(shown(starting(cells, "%sql select 6")))
    assert "allotment_" in str(shown(starting(cells, "%sql select current_user")))
    assert "12" in shown(cells[-1])["text/plain"]
    assert "north" in shown(starting(cells, 'allotment.sql(DATABASE, "select :region'))["text/html"]
    registered = shown(starting(cells, "allotment.register("))
    assert "<table>" in registered["text/html"]
    assert "Columns region (large_string), amount (int64)" in registered["text/plain"]
    committed = shown(starting(cells, "allotment.commit("))["text/plain"]
    assert committed.startswith("Versions of first-steps")
    assert shown(starting(cells, "allotment.test("))["text/plain"].startswith("warehouse: reached.")
