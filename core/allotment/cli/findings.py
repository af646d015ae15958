"""What ``allotment doctor`` finds: one line per thing, how it is, and how to mend it.

Other parts of the distribution add checks of their own under the entry point ``allotment.checks``:
a function that takes a :class:`Machine` and yields :class:`Finding`.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from allotment.model.refusals import SettingsInvalid
from allotment.settings import Settings, load_settings

ENTRY_POINT = "allotment.checks"


class Level(StrEnum):
    """How a thing is."""

    OK = "ok"
    WARN = "warn"
    """The platform works, with something that its operator should know."""
    FAIL = "fail"
    """The platform does not work like this."""


@dataclass(frozen=True, slots=True)
class Machine:
    """Where to look: the folder that the hub writes to, its settings (None: none named), its port."""

    state: Path
    settings: Path | None
    port: int

    def usable_settings(self) -> Settings | None:
        """The settings, if they are named and can be used; where they cannot, the check of them says so."""
        try:
            return None if self.settings is None else load_settings(self.settings, self.state)
        except SettingsInvalid:
            return None


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found of one thing, in words; ``mend`` says how to make it well."""

    level: Level
    subject: str
    found: str
    mend: str = ""

    def document(self) -> dict[str, str]:
        """The finding as JSON."""
        return {
            "level": str(self.level),
            "subject": self.subject,
            "found": self.found,
            "mend": self.mend,
        }


Check = Callable[[Machine], Iterable[Finding]]


def ok(subject: str, found: str) -> Finding:
    """Something is as it should be."""
    return Finding(Level.OK, subject, found)


def warn(subject: str, found: str, mend: str) -> Finding:
    """Something should be known."""
    return Finding(Level.WARN, subject, found, mend)


def fail(subject: str, found: str, mend: str) -> Finding:
    """Something keeps the platform from working."""
    return Finding(Level.FAIL, subject, found, mend)


def examine(machine: Machine, checks: Iterable[Check]) -> Iterator[Finding]:
    """Run every check, and those that other parts add. One that breaks is a finding itself."""
    for check in (*checks, *_added()):
        subject = getattr(check, "__name__", "check").replace("_", " ")
        try:
            yield from check(machine)
        except ImportError as error:
            mend = "make setup, or pip install 'allotment[hub]'"
            yield fail(subject, f"needs {error.name}, which is not installed", mend)
        except Exception as error:  # noqa: BLE001 - a check that breaks must not hide the others
            line = traceback.extract_tb(error.__traceback__)[-1]
            yield fail(
                subject,
                f"could not be examined: {type(error).__name__}: {error}",
                f"Tell whoever keeps this installation ({Path(line.filename).name}:{line.lineno}).",
            )


def _added() -> Iterator[Check]:
    for entry in entry_points(group=ENTRY_POINT):
        yield _load_and_check(entry)


def _load_and_check(entry: EntryPoint) -> Check:
    """A check of another part, which is loaded when it is run: what it needs may be missing."""

    def check(machine: Machine) -> Iterable[Finding]:
        found: Iterable[Finding] = entry.load()(machine)
        return found

    check.__name__ = entry.name
    return check
