"""The example notebook as a file: complete, unrun, and written where nothing is lost."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest

import allotment
from allotment import notebook
from allotment.notebook.problems import DataProblem

EXAMPLE = Path(notebook.__file__).parent / "examples" / "data.ipynb"


@pytest.mark.promise("DATA-6")
def test_the_example_is_written_under_a_free_name_and_overwrites_nothing(tmp_path: Path) -> None:
    first, second = allotment.example(tmp_path), allotment.example(tmp_path)

    assert [first.name, second.name] == ["allotment-example.ipynb", "allotment-example-2.ipynb"]
    with pytest.raises(DataProblem, match="cannot be written to"):
        allotment.example(tmp_path / "nowhere")


@pytest.mark.promise("DATA-6")
def test_the_example_holds_no_output_and_no_count_of_a_run() -> None:
    example = nbformat.read(EXAMPLE, as_version=4)

    kept = [(one.outputs, one.execution_count) for one in example.cells if "outputs" in one]
    assert set(map(str, kept)) == {"([], None)"}
