"""Models and versions in a cell: kept, and fetched again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import allotment
from allotment import notebook
from allotment.notebook.problems import DataProblem
from cells import ROWS, parquet, sales

pytestmark = pytest.mark.parametrize("store", ["sqlite"])


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


@pytest.mark.promise("MODEL-1")
@pytest.mark.usefixtures("cell")
def test_the_newest_version_of_a_model_is_fetched_and_one_elsewhere_is_said_to_be(
    history: Any, tmp_path: Path, lab: Any
) -> None:
    assert history is not None
    for version in ("9", "10"):
        lab.later(minutes=1)
        (tmp_path / "churn.bin").write_bytes(f"weights {version}".encode())
        allotment.register_model("churn", version, file=tmp_path / "churn.bin", target="history")
    allotment.register_model("demand", "1", uri="s3://models/demand.onnx")

    fetched = allotment.load_model("churn", into=tmp_path / "got")
    with pytest.raises(DataProblem, match=r"s3://models/demand\.onnx: allotment\.path\(SOURCE\)"):
        allotment.load_model("demand")

    assert fetched.read_bytes() == b"weights 10"
    allotment.delete_model("churn", "10")
    assert allotment.load_model("churn", into=tmp_path / "got").read_bytes() == b"weights 9"


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
