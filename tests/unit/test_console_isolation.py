"""The console's environment makes no program read what an ordinary server could have written."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from allotment_spawner import access, console

MARKER = "import pathlib, os; pathlib.Path(os.environ['MARKER']).touch()\n"
VERSION = f"python{sys.version_info.major}.{sys.version_info.minor}"
PYTHON = getattr(sys, "_base_executable", sys.executable)
"""The Python outside of any virtual environment: only that one reads a user's site-packages."""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """An ordinary server's home with code in the user's site-packages, and beside the notebooks."""
    home = tmp_path / "home"
    site = home / f".local/lib/{VERSION}/site-packages"
    site.mkdir(parents=True)
    for path in (site / "trap.pth", site / "usercustomize.py", home / "json.py"):
        path.write_text(MARKER)
    return home


def ordinary(home: Path, marker: Path) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": str(home), "MARKER": str(marker)}


def kernel_like(environment: dict[str, str], folder: Path) -> None:
    """Start Python as Jupyter starts a kernel: a module, in the notebook's folder."""
    subprocess.run([PYTHON, "-m", "json.tool", "--help"], env=environment, cwd=folder, check=False)


def test_the_traps_work_in_an_ordinary_environment(home: Path, tmp_path: Path) -> None:
    marker = tmp_path / "marker"

    kernel_like(ordinary(home, marker), home)

    assert marker.exists()


def test_none_of_them_works_in_the_consoles(home: Path, tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    place = console.console_home(tmp_path / "consoles", "olga")
    console.empty_home(place, None)
    tempted = ordinary(home, marker) | {"PYTHONPATH": str(home), "PYTHONSTARTUP": "json.py"}

    kernel_like(console.isolated(tempted, place, None), home)

    assert not marker.exists()


@pytest.mark.parametrize(
    "name", ["PYTHONSTARTUP", "PYTHONPATH", "PYTHONUSERBASE", "IPYTHONDIR", "JUPYTER_PATH"]
)
def test_a_variable_that_points_elsewhere_does_not_reach_the_console(name: str) -> None:
    isolated = console.isolated({name: "/elsewhere"}, Path("/consoles/olga"), None)

    assert "/elsewhere" not in isolated.values()


def test_the_consoles_home_is_made_anew_and_only_its_owner_may_look(tmp_path: Path) -> None:
    home, notebook = tmp_path / "consoles/olga", tmp_path / "wheel.ipynb"
    notebook.write_text("{}")
    console.empty_home(home, notebook)
    (home / ".ipython").mkdir()
    (home / "notes.txt").write_text("mine")

    console.empty_home(home, notebook)

    assert [path.name for path in home.iterdir()] == ["console.ipynb"]
    assert home.stat().st_mode & 0o777 == 0o700


def test_a_link_in_the_place_of_the_home_is_removed_and_not_followed(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "precious").write_text("kept")
    home = tmp_path / "consoles/olga"
    home.parent.mkdir()
    home.symlink_to(elsewhere)

    console.empty_home(home, None)

    assert (elsewhere / "precious").read_text() == "kept"
    assert not home.is_symlink()


@pytest.mark.parametrize("name", ["", "..", "../ada", "a/b", "/etc", "Olga", "a\x00b"])
def test_a_name_that_leads_out_of_the_folder_has_no_console(name: str) -> None:
    with pytest.raises(ValueError, match="no person's name"):
        console.console_home(Path("/consoles"), name)


def test_the_console_opens_with_its_notebook_or_with_jupyterlab(tmp_path: Path) -> None:
    assert console.start_page(tmp_path / "any.ipynb") == "/voila/render/console.ipynb"
    assert console.start_page(None) == "/lab"


@pytest.mark.parametrize(
    ("server", "operates"), [("console", True), ("", False), ("Console", False), ("work", False)]
)
def test_only_the_consoles_token_asks_for_the_scope_to_operate(server: str, operates: bool) -> None:
    scopes = access.token_scopes(server)

    assert ("custom:allotment:operate" in scopes) is operates
    assert {"users:activity!user", "access:servers!server"} <= set(scopes)


def test_a_share_by_name_opens_an_ordinary_server_only() -> None:
    by_name = "access:servers!server=olga/{}"

    assert by_name.format("work") in access.access_scopes("olga", "work")
    assert by_name.format("console") not in access.access_scopes("olga", "console")
