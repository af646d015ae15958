"""The operator console's server: nothing that an ordinary server could have written runs in it.

Its token acts with an operator's permissions, and whatever Python, IPython or Jupyter would read
from a home (start-up files, user site-packages, configuration, kernels) would act with it too. So
it has a home of its own, emptied at each start, and an interpreter that reads no other.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from allotment.model.names import check_person

COMMAND = (sys.executable, "-I", "-m", "jupyterhub.singleuser")
"""Isolated: no ``PYTHON*`` variables, no user site-packages, no import from the working directory."""

ARGUMENTS = ("--VoilaConfiguration.template=allotment",)
"""Voilà's own template would ask other machines for its icons."""

_NOTEBOOK = "console.ipynb"
_HOME_READING = ("PYTHON", "IPYTHON", "JUPYTER_", "XDG_", "BASH_ENV")
"""Variables that make a program read further files; those that it needs are set anew."""


def console_home(folder: Path, person: str) -> Path:
    """The home of a person's console.

    Raises:
        ValueError: the name is none that a person of this platform can have.
    """
    return folder / check_person(person)


def empty_home(home: Path, notebook: Path | None, owner: tuple[int, int] | None = None) -> None:
    """Make the console's home anew: nothing in it but the notebook. ``owner`` is a user and a group id.

    Raises:
        OSError: it cannot be made.
    """
    if home.is_symlink() or home.is_file():
        home.unlink()
    elif home.exists():
        shutil.rmtree(home)
    home.mkdir(mode=0o700, parents=True)
    if notebook is not None:
        shutil.copyfile(notebook, home / _NOTEBOOK)
    if owner is not None:
        for path in (home, *home.iterdir()):
            os.chown(path, *owner)


def start_page(notebook: Path | None) -> str:
    """The page that the console opens with: the notebook, rendered, or JupyterLab without one."""
    return "/lab" if notebook is None else f"/voila/render/{_NOTEBOOK}"


def isolated(environment: Mapping[str, str], home: Path, notebook: Path | None) -> dict[str, str]:
    """The environment of the console: of what it was, only what makes no program read other files."""
    return {
        **{
            name: value for name, value in environment.items() if not name.startswith(_HOME_READING)
        },
        "HOME": str(home),
        "IPYTHONDIR": str(home / ".ipython"),
        "JUPYTER_CONFIG_DIR": str(home / ".jupyter"),
        "JUPYTER_DATA_DIR": str(home / ".local/share/jupyter"),
        "JUPYTER_RUNTIME_DIR": str(home / ".local/share/jupyter/runtime"),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "XDG_DATA_HOME": str(home / ".local/share"),
        "XDG_CACHE_HOME": str(home / ".cache"),
        "XDG_STATE_HOME": str(home / ".local/state"),
        "PYTHONNOUSERSITE": "1",
        "PYTHONSAFEPATH": "1",
        "JUPYTERHUB_ROOT_DIR": str(home),
        "JUPYTERHUB_DEFAULT_URL": start_page(notebook),
        "JUPYTERHUB_DISABLE_USER_CONFIG": "1",
    }
