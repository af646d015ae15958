"""The images that are shipped: what they are built from is there, and builds; what they start exists."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
import tomllib
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = ROOT / "hub_config" / "kubernetes"
DOCKERFILES = ("images/hub/Dockerfile", "images/server/Dockerfile")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


@pytest.mark.parametrize("file", DOCKERFILES)
def test_an_image_is_built_from_a_named_release_and_runs_as_nobody_in_particular(file: str) -> None:
    lines = [one for one in (FILES / file).read_text().splitlines() if not one.startswith("#")]
    bases = [one for one in lines if one.startswith("ARG BASE=")]
    assert [one.partition("=")[2] for one in bases] == ["python:3.13.9-slim-trixie"]
    assert {one.split()[1] for one in lines if one.startswith("FROM ")} == {"${BASE}"}
    users = [one.split()[1] for one in lines if one.startswith("USER ")]
    assert re.fullmatch(r"1000:\d+", users[-1])


@pytest.mark.parametrize("file", DOCKERFILES)
def test_an_image_takes_no_secret_and_nothing_that_it_does_not_name(file: str) -> None:
    text = (FILES / file).read_text()
    assert not re.search(r"(?im)^\s*(ARG|ENV)\s+\S*(password|token|secret|key)", text)
    assert not re.search(r"(?m)^\s*ADD\b|curl .*\|\s*(ba)?sh|--trusted-host", text)
    kept = (FILES / f"{file}.dockerignore").read_text().splitlines()
    assert kept[1] == "*"
    assert "!.git" not in kept


def lines_of(file: str) -> list[str]:
    """The instructions of a Dockerfile, each as one line."""
    text = (FILES / file).read_text().replace("\\\n", " ")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def context_of(file: str) -> set[str]:
    """What a builder is given of the top folder, by the file beside the Dockerfile."""
    rules = (FILES / f"{file}.dockerignore").read_text().splitlines()
    return {rule.removeprefix("!") for rule in rules if rule.startswith("!")}


@pytest.mark.parametrize("file", DOCKERFILES)
def test_what_is_copied_into_an_image_is_there(file: str) -> None:
    assert all((ROOT / name).exists() for name in context_of(file))
    copied = [shlex.split(one)[1:] for one in lines_of(file) if one.startswith("COPY ")]
    sources = [one[0] for one in copied if not one[0].startswith("--from=")]
    assert sources == ["."]


@pytest.mark.parametrize("file", DOCKERFILES)
def test_an_image_installs_extras_that_there_are(file: str) -> None:
    (extras,) = re.findall(r'"/src\[([a-z,]+)\]"', (FILES / file).read_text())
    assert set(extras.split(",")) <= PROJECT["optional-dependencies"].keys()


def test_what_the_images_start_exists() -> None:
    started = [one for file in DOCKERFILES for one in lines_of(file) if one.startswith("CMD ")]
    assert [shlex.split(one)[1].strip("[],") for one in started] == [
        "jupyterhub",
        "jupyterhub-singleuser",
    ]
    assert find_spec("allotment.api.__main__") is not None
    for file in DOCKERFILES:
        assert any("tini" in one for one in lines_of(file) if one.startswith("RUN apt-get"))
        assert lines_of(file)[-2] == 'ENTRYPOINT ["tini", "--"]'


def test_a_wheel_is_built_of_what_an_image_is_given(tmp_path: Path) -> None:
    assert context_of(DOCKERFILES[0]) == context_of(DOCKERFILES[1])
    for name in context_of(DOCKERFILES[0]):
        copy_of(ROOT / name, tmp_path / "src" / name)
    # As an sdist comes: the scripts of the widgets are built by a test of their own.
    static = tmp_path / "src" / "widgets" / "allotment_widgets" / "static"
    static.mkdir(exist_ok=True)
    (static / "panels.js").write_text("")
    metadata = "Metadata-Version: 2.4\nName: allotment\nVersion: 0.1.0\n"
    (tmp_path / "src" / "PKG-INFO").write_text(metadata)

    build = "import sys; from hatchling.build import build_wheel; print(build_wheel(sys.argv[1]))"
    said = subprocess.run(
        [sys.executable, "-c", build, str(tmp_path)],
        cwd=tmp_path / "src",
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode == 0, said.stderr

    (wheel,) = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    for name in ("templates/login.html", "chart.py", "jupyterhub_config.py"):
        assert f"allotment_hub/{name}" in names
    assert {"allotment/api/__main__.py", "allotment_spawner/kubernetes/spawner.py"} <= names


def copy_of(source: Path, target: Path) -> None:
    """Copy sources, without what the builder is told to leave out."""
    target.parent.mkdir(exist_ok=True)
    if source.is_dir():
        ignored = shutil.ignore_patterns("__pycache__", "node_modules", "state")
        shutil.copytree(source, target, ignore=ignored)
    else:
        shutil.copy(source, target)
