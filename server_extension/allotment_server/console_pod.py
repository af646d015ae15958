"""``python -I -m allotment_server.console_pod``: the operator console's server, in a pod of its own.

Its home is empty when the pod starts. The notebook that it opens with comes from the image, where
no ordinary server could have written; then JupyterHub's single-user server runs.
"""

from __future__ import annotations

import runpy
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path

NOTEBOOK = "console.ipynb"
"""What it is called in the home."""


def notebook_of_the_image() -> Path | None:
    """The operator console's notebook, as it is installed; None where the notebook extra is not."""
    package = find_spec("allotment_widgets")
    folders = package.submodule_search_locations or () if package else ()
    found = (path for folder in folders for path in Path(folder).rglob("operator-console.ipynb"))
    return next(found, None)


def main() -> None:
    """Put the notebook into the home, and be the server."""
    notebook = notebook_of_the_image()
    if notebook is None:
        sys.exit("This image has no operator console: install allotment[notebook] in it.")
    shutil.copyfile(notebook, Path.home() / NOTEBOOK)
    runpy.run_module("jupyterhub.singleuser", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
