"""The set-up does again what changed, and nothing else; a failing step is told in full."""

import subprocess
import sys
from pathlib import Path

import pytest

import python_packages
from running import StepFailedError, run
from stamps import digest_of, read_stamp, write_stamp

PYPROJECT = """
[build-system]
requires = ["hatchling"]
[project]
name = "x"
dependencies = ["httpx"]
[tool.hatch]
[tool.ruff]
line-length = {width}
"""


def test_the_digest_changes_with_a_files_content_and_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("1")
    first = digest_of(tmp_path, [tmp_path / "a"])
    (tmp_path / "a").write_text("2")
    second = digest_of(tmp_path, [tmp_path / "a"])
    (tmp_path / "a").rename(tmp_path / "b")
    third = digest_of(tmp_path, [tmp_path / "b"])
    assert len({first, second, third}) == 3


def test_the_digest_tells_two_files_from_one_with_both_contents(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("1b\x002")
    one = digest_of(tmp_path, [tmp_path / "a"])
    (tmp_path / "a").write_text("1")
    (tmp_path / "b").write_text("2")
    assert digest_of(tmp_path, [tmp_path / "a", tmp_path / "b"]) != one


@pytest.mark.parametrize("content", [None, "", "[1]", "{"])
def test_a_stamp_that_is_missing_or_damaged_means_not_done(
    content: str | None, tmp_path: Path
) -> None:
    if content is not None:
        (tmp_path / "stamp").write_text(content)
    assert read_stamp(tmp_path / "stamp") == {}


def test_a_stamp_comes_back_as_written(tmp_path: Path) -> None:
    write_stamp(tmp_path / "stamp", {"digest": "x", "extras": ["hub"]})
    assert read_stamp(tmp_path / "stamp") == {"digest": "x", "extras": ["hub"]}


def test_a_step_that_fails_shows_its_last_lines_and_its_command(tmp_path: Path) -> None:
    program = "import sys; print('what went wrong'); sys.exit(3)"
    with pytest.raises(StepFailedError) as failure:
        run("Doing something", [sys.executable, "-c", program], tmp_path)
    assert "what went wrong" in str(failure.value)
    assert "Doing something failed (exit status 3)" in str(failure.value)


def test_settings_of_linters_are_no_reason_to_install_again(tmp_path: Path) -> None:
    digests = []
    for width in (80, 100):
        (tmp_path / "pyproject.toml").write_text(PYPROJECT.format(width=width))
        digests.append(python_packages._needs(tmp_path / "pyproject.toml"))
    assert digests[0] == digests[1]


def test_a_new_dependency_is_a_reason_to_install_again(tmp_path: Path) -> None:
    file = tmp_path / "pyproject.toml"
    file.write_text(PYPROJECT.format(width=80))
    before = python_packages._needs(file)
    file.write_text(PYPROJECT.format(width=80).replace("httpx", "httpx2"))
    assert python_packages._needs(file) != before


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with an environment into which no packages are fetched, pip neither."""

    def run_without_pip(step: str, command: list[str | Path], folder: Path) -> None:
        run(step, [*command, "--without-pip"], folder)

    (tmp_path / "pyproject.toml").write_text(PYPROJECT.format(width=80))
    monkeypatch.setattr(python_packages, "run", run_without_pip)
    monkeypatch.setattr(python_packages, "_install_with_best", lambda *_: None)
    return tmp_path


def test_an_environment_that_works_is_never_removed(checkout: Path) -> None:
    python = checkout / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)
    (checkout / ".venv" / "mine").touch()
    python_packages.install(checkout, ["hub"])
    assert (checkout / ".venv" / "mine").exists()


@pytest.mark.parametrize("broken", ["its Python is gone", "the checkout was moved"])
def test_an_environment_that_cannot_work_is_made_anew(broken: str, checkout: Path) -> None:
    python_packages.install(checkout, ["hub"])
    left = checkout / ".venv" / "left"
    left.touch()
    if broken == "its Python is gone":
        (checkout / ".venv" / "bin" / "python").unlink()
    else:
        stamp = checkout / ".venv" / "allotment-setup.json"
        write_stamp(stamp, {**read_stamp(stamp), "checkout": "/elsewhere"})
    python_packages.install(checkout, ["hub"])
    assert not left.exists()
    assert (checkout / ".venv" / "bin" / "python").exists()


def test_asking_for_less_than_is_installed_installs_nothing(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    python_packages.install(checkout, ["hub", "dev"])
    monkeypatch.setattr(
        python_packages, "_install_with_best", lambda *_: pytest.fail("installed again")
    )
    python_packages.install(checkout, ["hub"])


def test_a_python_that_is_too_old_says_which_one_is_needed(tmp_path: Path) -> None:
    tools = Path(python_packages.__file__).parent
    pretend = (
        "import sys, runpy; sys.version_info = (3, 9, 2, 'final', 0); "
        "sys.argv = ['bootstrap.py']; sys.path.insert(0, sys.argv[0]); "
        f"runpy.run_path({str(tools / 'bootstrap.py')!r}, run_name='__main__')"
    )
    done = subprocess.run(
        [sys.executable, "-c", pretend],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "Allotment needs Python 3.11 or newer" in done.stderr
    assert "Traceback" not in done.stderr
