"""The steps of the set-up, in order, one at a time even when two commands ask at once."""

import argparse
import fcntl
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import node_programs
import python_packages
from running import StepFailedError

ROOT = Path(__file__).resolve().parent.parent
TO_RUN = ("hub", "data", "notebook")
TO_TEST = (*TO_RUN, "kubernetes", "dev")


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Wait until no other set-up of this checkout runs, and keep others out until done."""
    folder.mkdir(exist_ok=True)
    with (folder / "setup.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def run(arguments: Sequence[str]) -> int:
    """Do what is left to do, saying each step that takes time; returns the exit status."""
    parser = argparse.ArgumentParser(prog="bootstrap.py", description=__doc__)
    parser.add_argument("--for-tests", action="store_true", help="what `make test` needs, too")
    options = parser.parse_args(arguments)
    try:
        with alone(ROOT / ".build"):
            python_packages.install(ROOT, TO_TEST if options.for_tests else TO_RUN)
            node_programs.install_proxy(ROOT)
            node_programs.build_widgets(ROOT)
            if options.for_tests:
                node_programs.install_azurite(ROOT)
                node_programs.install_oidc_provider(ROOT)
    except StepFailedError as failure:
        print(f"\n{failure}", file=sys.stderr)
        return 1
    return 0
