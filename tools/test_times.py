"""A pytest plugin: how long each folder of tests took, beside what it is meant to take."""

from collections import Counter
from pathlib import PurePosixPath

import pytest

# Seconds of all processes together, on a machine with two cores where two run beside each other: half
# of what they really take is to fit into the twenty minutes that a run of everything may take. Past a
# budget, split, share or drop a test before raising it.
BUDGETS = {
    "unit": 90,
    "contract": 780,
    "server": 60,
    "kubernetes": 240,
    "widgets": 300,
    "hub": 720,
    "browser": 780,
}


def pytest_configure(config: pytest.Config) -> None:
    """Count only where reports arrive: in the process that was called."""
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Times())


class Times:
    """Seconds and tests by folder, fixtures included."""

    def __init__(self) -> None:
        """Nothing has run yet."""
        self._seconds: Counter[str] = Counter()
        self._tests: Counter[str] = Counter()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Add set-up, call and tear-down to their folder."""
        parts = PurePosixPath(report.nodeid.partition("::")[0]).parts
        folder = parts[1] if len(parts) > 2 else parts[0]  # noqa: PLR2004 - tests/FOLDER/file
        self._seconds[folder] += report.duration  # type: ignore[assignment]  # floats add up, too
        self._tests[folder] += report.when == "call"

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """One line a folder."""
        if not self._tests:
            return
        terminalreporter.section("time per folder")
        for folder, seconds in sorted(self._seconds.items()):
            budget = BUDGETS.get(folder)
            of = f" of {budget:>4} s" if budget else ""
            over = "  OVER ITS BUDGET" if budget and seconds > budget else ""
            terminalreporter.write_line(
                f"{folder:<12}{seconds:>8.1f} s{of}{self._tests[folder]:>7} tests{over}"
            )
