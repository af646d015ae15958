"""What the tests themselves report: what was left out, and which promises are proven."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import promises
from promise_table import read_left, read_promises
from test_times import BUDGETS

TOOLS = Path(promises.__file__).parent
PLUGINS = ("test_programs", "test_promises", "test_times", "xdist.plugin")
NEEDS_GCC = """
import pytest

@pytest.mark.needs("gcc")
def test_that_needs_a_compiler():
    assert False, "must not run"

@pytest.mark.promise("POOL-8", "LIMIT-2")
def test_that_needs_nothing():
    pass
"""


def run_pytest(
    folder: Path, test: str, *arguments: str, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run pytest with the project's plugins on one file, on a machine without programs."""
    (folder / "test_it.py").write_text(test)
    (folder / "pytest.ini").write_text(
        "[pytest]\nmarkers =\n    needs(*programs): x\n    promise(*ids): x\n"
    )
    plugins = [part for name in PLUGINS for part in ("-p", name)]
    environment = {
        "PATH": str(folder),
        "PYTHONPATH": str(TOOLS),
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",  # the ones of JupyterHub take seconds to load
        **variables,
    }
    return subprocess.run(
        [sys.executable, "-m", "pytest", *plugins, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_what_needs_a_missing_program_is_left_out_and_told_with_its_remedy(tmp_path: Path) -> None:
    done = run_pytest(tmp_path, NEEDS_GCC)
    assert done.returncode == 0
    assert "1 tests need gcc. Debian: apt-get install gcc" in done.stdout
    assert "1 passed, 1 deselected" in done.stdout


@pytest.mark.parametrize("workers", ["0", "2"])
def test_leaving_out_is_failing_where_every_program_is_expected(
    workers: str, tmp_path: Path
) -> None:
    done = run_pytest(tmp_path, NEEDS_GCC, "-n", workers, CI="true")
    assert done.returncode == 1
    assert "leaving out is failing" in done.stdout


@pytest.mark.parametrize(
    ("mark", "word"), [("needs('flying-carpet')", "not known"), ("promise('POOL-99')", "POOL-99")]
)
def test_a_mark_that_names_nothing_known_is_an_error(mark: str, word: str, tmp_path: Path) -> None:
    test = f"import pytest\n@pytest.mark.{mark}\ndef test_it(): pass\n"
    done = run_pytest(tmp_path, test)
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert word in done.stdout + done.stderr


@pytest.mark.parametrize("workers", ["0", "2"])
def test_outcomes_are_written_by_promise(workers: str, tmp_path: Path) -> None:
    run_pytest(tmp_path, NEEDS_GCC, "-n", workers, "--promises-to", "out.json")
    [entry] = json.loads((tmp_path / "out.json").read_text())
    assert entry["promises"] == ["LIMIT-2", "POOL-8"]
    assert entry["outcome"] == "passed"


def test_a_test_that_fails_at_its_end_proves_nothing(tmp_path: Path) -> None:
    test = """
import pytest

@pytest.fixture
def breaks():
    yield
    raise RuntimeError("at the end")

@pytest.mark.promise("POOL-8")
def test_it(breaks):
    pass
"""
    run_pytest(tmp_path, test, "--promises-to", "out.json")
    [entry] = json.loads((tmp_path / "out.json").read_text())
    assert entry["outcome"] == "failed"


def test_the_table_tells_proven_from_broken_and_names_what_has_no_test(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = [
        {"test": "tests/a.py::test_one", "promises": ["POOL-8"], "outcome": "passed"},
        {"test": "tests/a.py::test_two", "promises": ["POOL-8"], "outcome": "failed"},
        {"test": "tests/a.py::test_three", "promises": ["LIMIT-2"], "outcome": "passed"},
    ]
    (tmp_path / "out.json").write_text(json.dumps(report))
    status = promises.main(str(tmp_path / "out.json"))
    shown = capsys.readouterr().out
    assert status == 1
    assert "POOL-8     BROKEN" in shown
    assert "LIMIT-2    proven" in shown
    assert f"1 of {len(read_promises())} proven" in shown
    assert "POOL-1," in shown


def test_a_promise_of_which_something_is_left_is_not_called_proven(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = [
        {"test": "tests/a.py::test_one", "promises": ["CLUSTER-2"], "outcome": "passed"},
        {"test": "tests/a.py::test_two", "promises": ["SERVER-6"], "outcome": "failed"},
    ]
    (tmp_path / "out.json").write_text(json.dumps(report))
    promises.main(str(tmp_path / "out.json"))
    shown = capsys.readouterr().out
    assert "CLUSTER-2  partly" in shown
    assert f"left    {read_left()['CLUSTER-2']}" in shown
    assert "SERVER-6   BROKEN" in shown
    assert f"0 of {len(read_promises())} proven, 1 partly" in shown


def test_only_of_what_is_promised_something_is_left(tmp_path: Path) -> None:
    (tmp_path / "promises.md").write_text("| A-1 | one |\n\n- A-1: half.\n- B-1: all.\n")
    with pytest.raises(ValueError, match="B-1"):
        read_left(tmp_path / "promises.md")


def test_an_id_is_promised_once(tmp_path: Path) -> None:
    (tmp_path / "promises.md").write_text("| A-1 | one |\n| A-1 | other |\n")
    with pytest.raises(ValueError, match="A-1"):
        read_promises(tmp_path / "promises.md")


def test_the_time_of_each_folder_is_printed(tmp_path: Path) -> None:
    folder = tmp_path / "tests" / "unit"
    folder.mkdir(parents=True)
    (folder / "test_other.py").write_text("def test_it(): pass\n")
    done = run_pytest(tmp_path, "def test_it(): pass\n", os.fspath(folder))
    assert "unit " in done.stdout
    assert f"of {BUDGETS['unit']:>4} s      1 tests" in done.stdout
