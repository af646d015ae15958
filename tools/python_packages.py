"""The virtual environment and the Python packages in it."""

import hashlib
import importlib.util
import json
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

from running import StepFailedError, run, say
from stamps import read_stamp, write_stamp

# Settings of pip that uv can do without. Any other (an index of the company's own, a proxy, folders
# of wheels) decides where packages come from, so pip itself must fetch them.
HARMLESS_PIP_SETTINGS = {"cert", "timeout", "disable-pip-version-check", "retries", "no-input"}
UV = "uv>=0.13,<1"


def environment_of(root: Path) -> Path:
    """Folder of the virtual environment of a checkout."""
    return root / ".venv"


def install(root: Path, extras: Sequence[str]) -> None:
    """Make the environment, and install this checkout with extras, unless that is done already.

    An environment that works is never removed, whoever made it; one whose Python is gone, or that
    belongs to a checkout that was moved (its scripts name the old place), is made anew.

    Raises:
        StepFailedError: Python cannot make environments, or packages could not be had.
    """
    environment = environment_of(root)
    stamp_file = environment / "allotment-setup.json"
    stamp = read_stamp(stamp_file)
    moved = stamp.get("checkout", str(root)) != str(root)
    if moved or not (environment / "bin" / "python").exists():
        _make(environment)
        stamp = {}
    needs = _needs(root / "pyproject.toml")
    before = stamp.get("extras", [])
    known = set(before) if isinstance(before, list) else set()
    if stamp.get("needs") == needs and known >= set(extras):
        return
    chosen = sorted(known | set(extras))
    say("Python packages (the first time takes up to a minute) …")
    _install_with_best(environment, root, f"{root}[{','.join(chosen)}]")
    write_stamp(stamp_file, {"checkout": str(root), "needs": needs, "extras": chosen})


def _needs(pyproject: Path) -> str:
    """Digest of what decides about the installation: not of the settings of linters."""
    document = tomllib.loads(pyproject.read_text())
    parts = [document["build-system"], document["project"], document["tool"]["hatch"]]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _make(environment: Path) -> None:
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    if importlib.util.find_spec("ensurepip") is None or importlib.util.find_spec("venv") is None:
        raise StepFailedError(
            f"Python {version} ({sys.executable}) cannot make virtual environments.\n"
            f"Debian and Ubuntu: apt install python{version}-venv\n"
            "Or name another Python: make hub PYTHON=/path/to/python3"
        )
    say(f"virtual environment for Python {version} in {environment.name} …")
    # Not the Python of the environment itself, which --clear removes.
    python = getattr(sys, "_base_executable", sys.executable)
    command = [python, "-m", "venv", "--clear", environment]
    run("Making the virtual environment", command, environment.parent)


def _install_with_best(environment: Path, root: Path, requirement: str) -> None:
    python = environment / "bin" / "python"
    pip: list[str | Path] = [python, "-m", "pip", "--disable-pip-version-check"]
    if not _pip_goes_its_own_way(pip):
        run("Installing uv", [*pip, "install", "--quiet", UV], root)
        # uv reads no settings of pip's; like pip, let it trust whom this machine trusts.
        uv: list[str | Path] = [environment / "bin" / "uv", "pip", "install"]
        uv += ["--python", python, "--editable", requirement]
        run("Installing Python packages", uv, root, {"UV_SYSTEM_CERTS": "true"})
    else:
        run("Installing Python packages", [*pip, "install", "--editable", requirement], root)


def _pip_goes_its_own_way(pip: Sequence[str | Path]) -> bool:
    listed = subprocess.run([*pip, "config", "list"], capture_output=True, text=True, check=False)
    names = {line.partition("=")[0].rpartition(".")[2] for line in listed.stdout.splitlines()}
    return bool(names - HARMLESS_PIP_SETTINGS)
