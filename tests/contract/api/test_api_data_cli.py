"""Sources, datasets, versions and models on the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import Result
from typer.testing import CliRunner

from allotment.cli import app
from allotment.record import leftovers
from allotment.record.leftovers import Leftover, LeftoverKind

pytestmark = pytest.mark.parametrize("store", ["sqlite"])
Run = Callable[..., Result]


@pytest.fixture
def run(data_api: Any) -> Run:
    """A command as somebody: the token first."""

    def command(token: str, *words: str, **more: str) -> Result:
        environment = {"ALLOTMENT_API_URL": data_api.url, "ALLOTMENT_TOKEN": token, **more}
        return CliRunner().invoke(app, list(words), env=environment)

    return command


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The folder that may be opened, with one file."""
    place = tmp_path / "data"
    pq.write_table(pa.table({"id": [1, 2, 3]}), place / "sales.parquet")
    return place


@pytest.mark.promise("DATA-1", "DATA-2")
def test_a_source_whose_users_could_write_is_registered_and_said_to_be_until_somebody_accepts(
    run: Run, root: Path
) -> None:
    made = run("carl+", "source", "lake", "--kind", "folder", "--set", f"path={root}", "--everyone")

    assert made.exit_code == 1
    assert "Its users can write:" in made.stdout
    assert run("bob", "sources").stdout == "No source is shared with you.\n"
    accepted = run("carl+", "source-accept", "lake", "--yes")
    assert accepted.stdout == "lake is accepted as it is.\n"
    listed = json.loads(run("bob", "sources", "--json").stdout)
    assert [(one["name"], one["accepted"]) for one in listed["items"]] == [("lake", True)]
    assert "sales.parquet" in run("bob", "source-browse", "lake").stdout


@pytest.mark.promise("DATA-2")
def test_what_is_read_through_an_accepted_source_is_marked_wherever_it_is_listed(
    run: Run, root: Path
) -> None:
    run("carl+", "source", "lake", "--kind", "folder", "--set", f"path={root}", "--everyone")
    run("carl+", "source-accept", "lake", "--yes")
    file = str(root / "sales.parquet")
    made = run("bob", "dataset", "sales", "--uri", file, "--source", "lake")
    assert made.exit_code == 0, made.output

    shown = " ".join(run("bob", "dataset", "sales").stdout.split())
    assert "Users of its source 'lake' can write (" in shown
    assert "), which was accepted." in shown
    [listed] = json.loads(run("bob", "datasets", "--json").stdout)["items"]
    assert listed["caution"] in shown
    source = " ".join(run("bob", "source", "lake").stdout.split())
    assert "Its users can write (" in source
    assert "That was tried" in source
    [told] = json.loads(run("bob", "sources", "--json").stdout)["items"]
    assert told["caution"] in source


@pytest.mark.promise("DATA-5")
def test_the_value_of_a_secret_is_never_taken_from_the_arguments(run: Run, tmp_path: Path) -> None:
    words = ("carl+", "source", "shop", "--kind", "postgresql", "--set", "host=127.0.0.1")

    refused = run(*words, "--secret", "password=hunter2")
    assert refused.exit_code == 2
    assert "hunter2" not in refused.stderr
    assert "where others can read it" in refused.stderr

    (tmp_path / "password").write_text("hunter2\n")
    more = ("--set", "port=1", "--set", "database=d", "--set", "user=u", "--set", "tls=off")
    made = run(*words, *more, "--secret", f"password=@{tmp_path}/password")
    assert "password is set" in made.stdout
    assert "hunter2" not in made.stdout


@pytest.mark.promise("SET-1", "SET-2")
def test_a_dataset_is_registered_shown_and_revoked(run: Run, root: Path) -> None:
    made = run("bob", "dataset", "sales", "--uri", str(root / "sales.parquet"))

    assert made.exit_code == 0, made.output
    assert "3 rows in 1 file" in made.stdout
    assert 'allotment.load("sales")' in made.stdout
    assert run("bob", "dataset", "sales", "--for-group", "vision").exit_code == 0
    assert "sales" in run("ann", "datasets").stdout
    assert run("bob", "dataset-revoke", "sales", "--yes").stdout == "sales is revoked.\n"
    assert run("bob", "dataset-delete", "sales", "--yes").stdout == "sales was deleted.\n"
    assert run("bob", "dataset", "sales").exit_code == 1


@pytest.mark.promise("SET-4")
def test_a_version_is_committed_and_waited_for(run: Run, root: Path) -> None:
    target = ("--metadata", "folder", "--contents", "folder")
    places = ("--set", f"metadata.path={root}/h", "--set", f"contents.path={root}/c")
    made = run("carl+", "target", "history", *target, *places)
    assert made.exit_code == 0, made.output
    run("bob", "dataset", "sales", "--uri", str(root / "sales.parquet"), "--target", "history")

    committed = run("bob", "version-commit", "sales", "-m", "The beginning")

    assert committed.exit_code == 0, committed.output
    assert committed.stdout.startswith("Version 1 of sales: 1 file, ")
    assert run("bob", "version-tag", "sales", "1", "first").exit_code == 0
    assert "sales.parquet" in run("bob", "version-files", "sales", "first").stdout
    assert "first" in run("bob", "versions", "sales").stdout


@pytest.mark.promise("PROFILE-5", "DATA-7")
@pytest.mark.parametrize("what", ["source", "dataset"])
def test_revoking_names_the_servers_that_lose_it_before_it_asks(
    run: Run, root: Path, lab: Any, what: str
) -> None:
    run("carl+", "source", "lake", "--kind", "folder", "--set", f"path={root}", "--everyone")
    run("carl+", "source-accept", "lake", "--yes")
    uri = f"{root}/sales.parquet"
    run("carl+", "dataset", "sales", "--uri", uri, "--source", "lake", "--everyone")
    lab.granted("ann", "cpu", "study")
    name = {"source": "lake", "dataset": "sales"}[what]

    asked = run("carl+", f"{what}-revoke", name)

    assert asked.exit_code == 2
    assert asked.stdout == "  ann/study\n"
    assert f"Take {name} from 1 server? What reads it there breaks." in asked.stderr


@pytest.mark.promise("MODEL-1")
def test_a_model_is_registered_and_listed(run: Run) -> None:
    made = run("bob", "model", "churn", "1", "--uri", "s3://models/churn", "--metric", "auc=0.9")

    assert made.stdout == "churn 1 is registered.\n"
    assert "auc 0.9" in run("bob", "models").stdout
    assert run("bob", "model-share", "churn", "1", "--for-group", "vision").exit_code == 0
    assert "churn" in run("ann", "models").stdout
    assert run("bob", "model-delete", "churn", "1", "--yes").exit_code == 0


@pytest.mark.promise("SET-4")
def test_a_target_is_cleaned_after_it_was_told_what_goes(
    run: Run, root: Path, data_api: Any, lab: Any
) -> None:
    target = ("--metadata", "folder", "--contents", "folder")
    places = ("--set", f"metadata.path={root}/h", "--set", f"contents.path={root}/c")
    run("carl+", "target", "history", *target, *places)
    left = root / "c" / "sales-0f" / "files" / "md5" / "aa" / "bb"
    left.parent.mkdir(parents=True)
    left.write_text("1234567")
    with lab.write() as writing:
        gone = Leftover("history", LeftoverKind.SPACE, "sales-0f", "dataset sales", writing.now)
        leftovers.note(writing, gone)
    lab.later(minutes=1)

    told = run("carl+", "target-clean", "history", "--dry-run")
    assert "dataset sales" in told.stdout
    assert "7 B" in told.stdout
    assert left.exists()
    assert run("bob", "target-clean", "history", "--dry-run").exit_code == 1
    assert data_api.ask("POST", "/targets/history/clean", "bob").status_code == 403
    assert run("carl+", "target-clean", "history").exit_code == 2

    removed = run("carl+", "target-clean", "history", "--yes")
    assert removed.stdout.endswith("1 file removed.\n"), removed.output
    assert not left.exists()
    again = run("carl+", "target-clean", "history", "--yes")
    assert again.stdout == "history keeps nothing that is not needed.\n"
