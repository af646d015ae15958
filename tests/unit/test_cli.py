"""The command line without a control plane: its errors, its exit statuses, and the record itself."""

import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from allotment.cli import app
from allotment.cli.ending import STATUSES, Exit
from allotment.cli.options import api_url
from allotment.cli.output import Output, ago, plain
from allotment.model.refusals import AllotmentError
from allotment.record import open_record
from allotment.work.holders import this_process
from allotment.work.hub_names import HubName
from allotment.work.tenure import Tenure

FILE = "groups: [{name: vision, members: [ann]}]\n"

Run = Callable[..., Result]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Run a command in an empty folder, with nothing said in the environment."""
    for name in (
        "ALLOTMENT_API_URL",
        "ALLOTMENT_TOKEN",
        "JUPYTERHUB_API_TOKEN",
        "SETTINGS",
        "STATE",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)

    def invoke(*words: str, stdin: str | None = None, **environment: str) -> Result:
        return CliRunner().invoke(app, list(words), input=stdin, env=environment)

    return invoke


@pytest.fixture
def record(tmp_path: Path) -> Path:
    file = tmp_path / "record.sqlite"
    open_record(f"sqlite:///{file}", migrate=True).close()
    return file


def test_without_an_address_it_says_which_one_to_give(run: Run) -> None:
    result = run("status")

    assert result.exit_code == Exit.MISUSED
    assert result.stderr == (
        "Which platform? ALLOTMENT_API_URL is not set.\n"
        "  Give the hub's address: --url http://127.0.0.1:8000\n"
    )


def test_without_a_token_it_says_where_one_is_made(run: Run) -> None:
    result = run("status", "--url", "http://hub.example:8000/")

    assert result.exit_code == Exit.MISUSED
    assert "Make a token on http://hub.example:8000/hub/token" in result.stderr


def test_a_control_plane_that_does_not_answer_is_told_from_a_refusal(run: Run) -> None:
    result = run("status", "--url", "http://127.0.0.1:9", ALLOTMENT_TOKEN="any")

    assert result.exit_code == Exit.AWAY
    assert result.stderr.startswith("The control plane at http://127.0.0.1:9/services/allotment")


@pytest.mark.parametrize(
    ("address", "url"),
    [
        ("http://h:8000", "http://h:8000/services/allotment/api/v1"),
        ("http://h:8000/hub/", "http://h:8000/services/allotment/api/v1"),
        ("https://h/jupyter/", "https://h/jupyter/services/allotment/api/v1"),
        ("http://h/services/allotment/api/v1", "http://h/services/allotment/api/v1"),
    ],
)
def test_the_hubs_address_is_enough(address: str, url: str) -> None:
    assert api_url(address) == url


@pytest.mark.parametrize("address", ["127.0.0.1:8000", "ftp://h", "http://"])
def test_what_is_no_address_is_said(address: str) -> None:
    with pytest.raises(AllotmentError, match="is no address"):
        api_url(address)


def test_a_token_is_never_taken_from_the_command_line(run: Run) -> None:
    assert run("status", "--token", "secret").exit_code == Exit.MISUSED


def test_every_exit_status_is_documented(run: Run) -> None:
    words = " ".join(STATUSES.split())

    assert all(f"{int(status)} " in words for status in Exit)
    assert words[:40] in " ".join(run("--help").stdout.split())


def test_a_fault_of_the_program_is_no_stack_trace(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        message = "boom"
        raise ZeroDivisionError(message)

    monkeypatch.setattr("allotment.cli.options.api_url", broken)

    result = run("status", "--url", "http://h", ALLOTMENT_TOKEN="any")

    assert result.exit_code == Exit.FAULT
    assert result.stderr == "This is a fault of allotment itself: ZeroDivisionError: boom\n"


def test_a_settings_file_is_checked_before_anybody_is_asked(run: Run, tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("group: []\n")

    result = run("plan", "bad.yaml", "--record", "record.sqlite")

    assert result.exit_code == Exit.SETTINGS
    assert result.stderr == "bad.yaml:1: group: is not a key here; did you mean 'groups'?\n"


@pytest.mark.parametrize(
    ("file", "why"), [("none.yaml", "No such file or directory"), (".", "Is a directory")]
)
def test_a_settings_file_that_cannot_be_read_is_said(run: Run, file: str, why: str) -> None:
    result = run("plan", file, "--record", "record.sqlite")

    assert (result.exit_code, result.stderr) == (Exit.MISUSED, f"{file} cannot be read: {why}.\n")


def test_a_record_that_is_not_there_is_not_made(run: Run, tmp_path: Path) -> None:
    result = run("export", "--record", "none.sqlite")

    assert result.exit_code == Exit.MISUSED
    assert "There is no record" in result.stderr
    assert not (tmp_path / "none.sqlite").exists()


@pytest.mark.promise("OPS-1")
def test_the_person_who_runs_the_machine_applies_without_a_hub(run: Run, record: Path) -> None:
    applied = run("apply", "-", "--yes", "--record", str(record), stdin=FILE)
    planned = run("plan", "-", "--record", str(record), "--exit-code", stdin=FILE)

    assert applied.exit_code == Exit.DONE
    assert applied.stdout.endswith("4 changes made.\n")
    assert (planned.exit_code, planned.stdout) == (0, "The platform is as the file says.\n")


def test_nothing_is_applied_where_nobody_can_be_asked(run: Run, record: Path) -> None:
    result = run("apply", "-", "--record", str(record), stdin=FILE)

    assert result.exit_code == Exit.MISUSED
    assert "say --yes" in result.stderr
    assert run("plan", "-", "--record", str(record), "--exit-code", stdin=FILE).exit_code == 1


@pytest.mark.promise("OPS-1")
def test_an_export_is_written_to_a_new_file_only(run: Run, record: Path, tmp_path: Path) -> None:
    run("apply", "-", "--yes", "--record", str(record), stdin=FILE)
    words = ("export", "--record", str(record), "-o", str(tmp_path / "out.yaml"))

    first, second = run(*words), run(*words)

    assert (first.exit_code, second.exit_code) == (Exit.DONE, Exit.MISUSED)
    assert second.stderr.endswith("out.yaml cannot be written: File exists.\n")
    assert "name: vision" in (tmp_path / "out.yaml").read_text()


def test_migrating_brings_a_record_up_to_date(run: Run, record: Path) -> None:
    result = run("migrate", "--record", str(record))

    assert (result.exit_code, result.stdout) == (0, "The record's schema is up to date.\n")


def test_the_version_is_said(run: Run) -> None:
    assert run("version").stdout.startswith("allotment ")
    assert run("version", "--json").stdout.startswith('{\n  "version": ')


def test_control_characters_become_visible() -> None:
    assert (
        plain("a\x1b[31mb\nc\x00") == "a\N{REPLACEMENT CHARACTER}[31mb\nc\N{REPLACEMENT CHARACTER}"
    )


def test_a_table_that_a_program_reads_is_never_cut(capsys: pytest.CaptureFixture[str]) -> None:
    Output(as_json=False).table(("Name", "#Held"), [("x" * 300, 1)], empty="")

    assert capsys.readouterr().out.splitlines()[1] == "x" * 300 + "     1"


def test_an_empty_table_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    Output(as_json=False).table(("Name",), [], empty="Nobody is here.")

    assert capsys.readouterr().out == "Nobody is here.\n"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-5, "0 s"), (3, "3 s"), (90, "2 min"), (3 * 3600, "3 h"), (72 * 3600, "3 d")],
)
def test_times_are_told_in_one_unit(seconds: int, words: str) -> None:
    now = datetime(2026, 11, 22, tzinfo=UTC)

    assert ago(now - timedelta(seconds=seconds), now) == words


def test_the_plain_distribution_starts_without_a_hubs_parts() -> None:
    blocked = (
        "import sys; sys.modules.update(dict.fromkeys(['sqlalchemy', 'jupyterhub', 'fastapi']))"
    )
    program = f"{blocked}; from allotment.cli import main; sys.argv[1:] = ['version']; main()"

    said = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )

    assert said.stdout.startswith("allotment ")


def test_without_a_hubs_parts_the_record_is_refused_in_words() -> None:
    blocked = "import sys; sys.modules['sqlalchemy'] = None"
    arguments = "['export', '--record', 'record.sqlite']"
    program = f"{blocked}; from allotment.cli import main; sys.argv[1:] = {arguments}; main()"

    said = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
    )

    assert (said.returncode, said.stdout) == (Exit.MISUSED, "")
    assert said.stderr == (
        "This needs what a hub needs: sqlalchemy is not installed.\n"
        "  Install it: pip install 'allotment[hub]'\n"
    )


def test_without_a_hubs_parts_the_doctor_says_what_to_install() -> None:
    missing = "['sqlalchemy', 'alembic', 'psutil', 'jupyterhub', 'fastapi']"
    blocked = f"import sys; sys.modules.update(dict.fromkeys({missing}))"
    arguments = "['doctor', '--json', '--settings', 'none.yaml']"
    program = f"{blocked}; from allotment.cli import main; sys.argv[1:] = {arguments}; main()"

    said = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
    )

    assert (said.returncode, said.stderr) == (Exit.UNHEALTHY, "")
    assert "needs psutil, which is not installed" in said.stdout
    assert "could not be examined" not in said.stdout


@pytest.mark.promise("OPS-5")
def test_a_record_is_backed_up_and_restored_by_one_command_each(
    run: Run, record: Path, tmp_path: Path
) -> None:
    file, there = tmp_path / "record.backup", tmp_path / "there.sqlite"
    run("apply", "-", "--yes", "--record", str(record), stdin=FILE)

    kept = run("backup", str(file), "--record", str(record))
    restored = run("restore", str(file), "--record", str(there))
    again = run("restore", str(file), "--record", str(there))

    assert kept.stdout.endswith(f"tables written to {file}, and read back.\n")
    assert restored.stdout.endswith("tables restored, and found as they were.\n")
    assert (kept.exit_code, restored.exit_code, again.exit_code) == (0, 0, Exit.REFUSED)
    assert "There is something in that database already." in again.stderr
    exported = [run("export", "--record", str(one)).stdout for one in (record, there)]
    assert exported[0] == exported[1]


@pytest.mark.promise("OPS-5")
def test_a_record_on_which_a_hub_works_is_not_moved(run: Run, record: Path, tmp_path: Path) -> None:
    moved = ("migrate", "--record", str(record), "--to", f"sqlite:///{tmp_path}/moved.sqlite")
    with closing(open_record(f"sqlite:///{record}")) as opened:
        tenure = Tenure(opened, "hub", this_process())
        assert tenure.keep()
        refused = run(*moved)
        tenure.give_up()

        hub = HubName(opened, "hub", "this one")
        hub.take()
        refused_by_hub = run(*moved)
        hub.leave()

    assert (refused.exit_code, refused_by_hub.exit_code) == (Exit.REFUSED, Exit.REFUSED)
    assert "Stop the hub" in refused.stderr
    assert run(*moved).stdout.splitlines()[0].endswith("copied, and found as they were.")
    assert run("migrate", "--record", str(record), "--to", "moved").exit_code == Exit.MISUSED
