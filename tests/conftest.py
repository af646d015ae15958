"""What every test folder shares."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def nvml_library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a stand-in for libnvidia-ml.so.1: put it into a new process's LD_LIBRARY_PATH.

    What it answers stands in the file that ALLOTMENT_TEST_NVML names; see tests/nvml.
    """
    folder = tmp_path_factory.mktemp("nvml")
    source = Path(__file__).parent / "nvml" / "libnvidia-ml.c"
    library = folder / "libnvidia-ml.so.1"
    subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-o", str(library), str(source)], check=True, timeout=60)  # noqa: S607 - whichever gcc there is
    return folder
