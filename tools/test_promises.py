"""A pytest plugin: which test proves which promise, and whether it passes."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from promise_table import TABLE, read_promises


def pytest_addoption(parser: pytest.Parser) -> None:
    """Where to write what became of the promises."""
    parser.addoption("--promises-to", metavar="FILE", help="write tests by promise as JSON")


def pytest_configure(config: pytest.Config) -> None:
    """Collect outcomes only where reports arrive: in the process that was called."""
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Outcomes(config.getoption("--promises-to")))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let each report carry the ids of its test, and refuse ids that nobody promised."""
    known = read_promises()
    for item in items:
        for promise in ids_of(item):
            if promise not in known:
                raise pytest.UsageError(f"{item.nodeid}: {promise} is not in {TABLE}")
            item.user_properties.append(("promise", promise))


def ids_of(item: pytest.Item) -> Iterator[str]:
    """The promises that a test names, on itself, its class or its module."""
    for marker in item.iter_markers("promise"):
        yield from marker.args


class Outcomes:
    """The worst that happened to each test, by node id."""

    def __init__(self, file: str | None) -> None:
        """Write them to a file at the end, if one is named."""
        self._file = file
        self._promises: dict[str, list[str]] = {}
        self._outcomes: dict[str, str] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep failed over skipped over passed, of set-up, call and tear-down."""
        found = {value for name, value in report.user_properties if name == "promise"}
        if found:
            self._promises[report.nodeid] = sorted(map(str, found))
        if self._outcomes.get(report.nodeid, "passed") == "passed":
            self._outcomes[report.nodeid] = report.outcome

    def pytest_sessionfinish(self) -> None:
        """Write what tools/promises.py prints."""
        if self._file is None:
            return
        tests = [
            {"test": test, "promises": promises, "outcome": self._outcomes[test]}
            for test, promises in sorted(self._promises.items())
        ]
        Path(self._file).write_text(json.dumps(tests, indent=1) + "\n")
