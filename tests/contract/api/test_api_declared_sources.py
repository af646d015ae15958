"""Sources in a settings file that somebody applies: their secrets travel beside it, and are read by nobody else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from allotment.cli import app
from allotment.model.refusals import Refusal
from allotment.record import sources

pytestmark = pytest.mark.parametrize("store", ["sqlite"])
Run = Callable[..., Result]
SECRET = "planted-canary-3c81d"
FILE = """\
sources:
  - name: shop
    kind: postgresql
    fields: {host: 127.0.0.1, port: 9, database: shop, user: lender, tls: "off"}
    secrets: {password: {file: password.txt}}
    audience: {everyone: true}
"""


@pytest.fixture
def run(data_api: Any) -> Run:
    """A command as the operator."""

    def command(*words: str, **more: str) -> Result:
        environment = {"ALLOTMENT_API_URL": data_api.url, "ALLOTMENT_TOKEN": "olga+", **more}
        return CliRunner().invoke(app, list(words), env=environment)

    return command


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The settings, with the secret in a file beside them."""
    (tmp_path / "password.txt").write_text(f"{SECRET}\n")
    written = tmp_path / "platform.yaml"
    written.write_text(FILE)
    return written


@pytest.mark.promise("OPS-1", "DATA-5")
def test_the_command_sends_the_secrets_of_the_sources_that_are_made(
    run: Run, data_api: Any, file: Path
) -> None:
    applied = run("apply", str(file), "--yes")

    assert (applied.exit_code, "+ source shop is made" in applied.stdout) == (0, True)
    with data_api.plane.record.reading() as reading:
        sealed = sources.sealed(reading, "shop")["password"]
    assert data_api.plane.data.opening.vault.decrypt(sealed) == SECRET
    assert "declared by the settings" in run("source", "shop").stdout
    exported = run("export").stdout
    assert (SECRET in exported, "file: password.txt" in exported) == (False, True)


@pytest.mark.promise("DATA-2", "OPS-1")
def test_a_source_that_was_applied_is_tried_without_anybody_asking(
    run: Run, data_api: Any, file: Path
) -> None:
    run("apply", str(file), "--yes")

    said = data_api.plane.data.proving.round(data_api.plane.now())

    assert said.startswith("shop: unproven (")


@pytest.mark.promise("OPS-1", "DATA-5")
def test_a_secret_that_is_not_there_is_named_and_nothing_is_sent(
    run: Run, data_api: Any, file: Path
) -> None:
    (file.parent / "password.txt").unlink()

    refused = run("apply", str(file), "--yes")

    assert refused.exit_code == 1
    assert "The secret password of source 'shop' cannot be read: the file" in refused.stderr
    with data_api.plane.record.reading() as reading:
        assert sources.all_sources(reading) == ()


@pytest.mark.promise("OPS-1")
def test_applying_again_needs_no_secret(run: Run, file: Path) -> None:
    run("apply", str(file), "--yes")
    (file.parent / "password.txt").unlink()

    again = run("apply", str(file), "--yes")

    assert (again.exit_code, again.stdout) == (
        0,
        "The platform is as the file says.\n0 changes made.\n",
    )


@pytest.mark.promise("DATA-5")
def test_the_platform_reads_no_file_and_no_variable_that_a_sent_file_names(
    data_api: Any, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLANTED", SECRET)
    beside = f"{{file: {file.parent / 'password.txt'}}}"

    for place in (beside, "{variable: PLANTED}"):
        text = FILE.replace("{file: password.txt}", place)
        with data_api.client("olga+") as client, pytest.raises(Refusal, match="is missing"):
            client.configuration.apply(text)
