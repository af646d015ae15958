"""What every test folder shares: promises, programs that may be missing, the long runs."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import hypothesis
import pytest

# From tools/, which pyproject.toml puts on pytest's path.
pytest_plugins = [
    "test_clusters",
    "test_databases",
    "test_programs",
    "test_promises",
    "test_stores",
    "test_times",
]

BOUNDED = 50
LONG = 2_000


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--soak", action="store_true", help="the same tortures, long (make soak)")


MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of the system's, and no name in it is foreseen
ROOM = 6 * 2**30


def pytest_configure(config: pytest.Config) -> None:
    # Hundreds of databases, each of which waits for the disk at every commit: where there is room for
    # their files in memory, nobody waits, and a test does not take a minute because another one writes.
    if in_memory():
        os.environ.setdefault("TMPDIR", str(MEMORY))
        tempfile.tempdir = None
    # No deadline: a shared machine's slow second is no failure. benchmarks/ measure.
    hypothesis.settings.register_profile("bounded", max_examples=BOUNDED, deadline=None)
    hypothesis.settings.register_profile("soak", max_examples=LONG, deadline=None)
    hypothesis.settings.load_profile("soak" if is_soak(config) else "bounded")


def in_memory() -> bool:
    """Whether tests' files can be in memory, where programs may run as from any other folder."""
    if not (MEMORY.is_dir() and os.access(MEMORY, os.W_OK)):
        return False
    barred = os.ST_NOEXEC | os.ST_NOSUID | os.ST_NODEV
    return not os.statvfs(MEMORY).f_flag & barred and shutil.disk_usage(MEMORY).free > ROOM


def is_soak(config: pytest.Config) -> bool:
    return bool(config.getoption("--soak")) or os.environ.get("ALLOTMENT_SOAK") == "1"


@pytest.fixture(scope="session")
def soak(pytestconfig: pytest.Config) -> bool:
    """Whether tortures run long: rounds by the score instead of a few."""
    return is_soak(pytestconfig)


@pytest.fixture(scope="session")
def nvml_library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a stand-in for libnvidia-ml.so.1: put it into a new process's LD_LIBRARY_PATH.

    What it answers stands in the file that ALLOTMENT_TEST_NVML names; see tests/nvml.
    """
    folder = tmp_path_factory.mktemp("nvml")
    source = Path(__file__).parent / "nvml" / "libnvidia-ml.c"
    library = folder / "libnvidia-ml.so.1"
    build = ["gcc", "-shared", "-fPIC", "-O1", "-o", str(library), str(source)]
    subprocess.run(build, check=True, timeout=60)
    return folder
