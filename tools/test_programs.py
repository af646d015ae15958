"""A pytest plugin: tests that need a program which is not installed are left out, and it is said.

With ``CI=true`` leaving out is failing: there, every program is expected (but for the rights of root).
"""

import importlib.util
import os
import shutil
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

TESTS = Path(__file__).resolve().parent.parent / "tests"


@dataclass(frozen=True)
class Program:
    """A program outside Python, or one that has no wheel for every machine.

    ``expected`` is whether every machine that runs all tests has it.
    """

    commands: tuple[str, ...]
    install: str
    package: str = ""
    expected: bool = True

    def is_installed(self) -> bool:
        """Whether one of its commands, or the Python package that carries it, is there."""
        carried = bool(self.package) and importlib.util.find_spec(self.package) is not None
        return carried or any(shutil.which(command) for command in self.commands)


class Root(Program):
    """The right to be any system user."""

    def is_installed(self) -> bool:
        """Whether these tests run as root."""
        return os.geteuid() == 0


PROGRAMS = {
    "chromium": Program(
        ("chromium", "chromium-browser", "google-chrome", "chrome"),
        "Debian: apt-get install chromium fonts-dejavu-core; macOS: brew install chromium",
    ),
    "gcc": Program(("gcc",), "Debian: apt-get install gcc libc6-dev"),
    "git": Program(("git",), "Debian: apt-get install git; macOS: brew install git"),
    "mariadb": Program(
        ("mariadbd", "/usr/sbin/mariadbd"), "Debian: apt-get install mariadb-server"
    ),
    "postgresql": Program(
        ("initdb",), "pip install pgserver, or Debian: apt-get install postgresql", "pgserver"
    ),
    # Only root can make a file that it does not own, and be somebody else.
    "root": Root((), "Run them as root, in a container.", expected=False),
}
FOLDERS = {"browser": "chromium"}
"""What a whole folder of tests needs."""
FIXTURES = {"mariadb_server": "mariadb", "nvml_library": "gcc"}
"""What a fixture needs, and with it every test that asks for it."""


def pytest_configure(config: pytest.Config) -> None:
    """Look once, and say at the end what was missing."""
    missing = [name for name, program in PROGRAMS.items() if not program.is_installed()]
    config.pluginmanager.register(Missing(set(missing)), "missing-programs")


class Missing:
    """What is not installed on this machine, and how many tests were left out for it."""

    def __init__(self, programs: set[str]) -> None:
        """Take the names of programs that are not installed."""
        self._programs = programs
        self._left_out: Counter[str] = Counter()

    def pytest_collection_modifyitems(
        self, config: pytest.Config, items: list[pytest.Item]
    ) -> None:
        """Leave out what cannot run."""
        reasons = {item: needed_by(item) & self._programs for item in items}
        left_out = [item for item in items if reasons[item]]
        items[:] = [item for item in items if not reasons[item]]
        config.hook.pytest_deselected(items=left_out)
        self._left_out.update(min(reasons[item]) for item in left_out)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Hear from a worker of pytest-xdist; each of them looks at all tests."""
        self._left_out |= Counter(getattr(node, "workeroutput", {}).get("left_out", {}))

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Fail where leaving out is failing."""
        if hasattr(session.config, "workeroutput"):
            session.config.workeroutput["left_out"] = dict(self._left_out)
        elif (
            any(PROGRAMS[name].expected for name in self._left_out)
            and is_ci()
            and session.exitstatus == pytest.ExitCode.OK
        ):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say what was left out and how to mend it."""
        if not self._left_out:
            return
        terminalreporter.section("left out", sep="=", yellow=True)
        for program, count in sorted(self._left_out.items()):
            install = PROGRAMS[program].install
            terminalreporter.write_line(f"{count} tests need {program}. {install}")
        if is_ci() and any(PROGRAMS[name].expected for name in self._left_out):
            terminalreporter.write_line("CI=true: leaving out is failing.")


def needed_by(item: pytest.Item) -> set[str]:
    """Programs that a test needs: by its own mark, its fixtures or its folder.

    Raises:
        pytest.UsageError: it names a program that this page does not know.
    """
    named = {name for marker in item.iter_markers("needs") for name in marker.args}
    if not named <= PROGRAMS.keys():
        raise pytest.UsageError(f"{item.nodeid} needs {named - PROGRAMS.keys()}: not known")
    named |= {FIXTURES[name] for name in getattr(item, "fixturenames", ()) if name in FIXTURES}
    folder = item.path.relative_to(TESTS).parts[0] if item.path.is_relative_to(TESTS) else ""
    return named | ({FOLDERS[folder]} if folder in FOLDERS else set())


def is_ci() -> bool:
    """Whether every program is expected to be there."""
    return os.environ.get("CI") == "true"
