"""What the person who started the hub sees: little, and only what matters."""

import contextlib
import logging
import os
from collections.abc import Sequence
from pathlib import Path

from allotment_hub.launch.place import Place


class Terminal:
    """The terminal as it was before everything else was sent to the log."""

    def __init__(self, descriptor: int = 1) -> None:
        # Not inherited by the processes that the hub starts.
        self._stream = os.fdopen(os.dup(descriptor), "w", buffering=1, errors="replace")

    def say(self, text: str) -> None:
        """Print; a terminal that has gone is no reason to stop."""
        with contextlib.suppress(OSError, ValueError):
            print(text, file=self._stream, flush=True)


class ErrorsOnly(logging.Handler):
    """Shows the hub's errors in one line each; the log has the details."""

    def __init__(self, terminal: Terminal) -> None:
        super().__init__(logging.ERROR)
        self._terminal = terminal

    def emit(self, record: logging.LogRecord) -> None:
        """Print the message and, for an exception, what it said."""
        what = record.getMessage().strip().partition("\n")[0]
        error = record.exc_info[1] if record.exc_info else None
        shown = ": ".join(part for part in (what, str(error) if error else "") if part)
        if not what.startswith("Received signal"):
            self._terminal.say(f"hub: {shown}")


def banner(place: Place, operators: Sequence[str]) -> str:
    """What is said once the hub answers. First passwords are those of people who sign in with one."""
    names = ", ".join(operators) or "whom the provider's groups say"
    first = [f"  First passwords  {_shown(place.first_passwords)}"]
    lines = [
        "",
        "Allotment is running.",
        "",
        f"  Open             {place.public_url}",
        f"  Operator         {names}",
        *(first if place.first_passwords.exists() else []),
        f"  Log              {_shown(place.logs / 'hub.log')}",
        "",
        "Ctrl-C stops the hub and every server that it runs.",
        "",
    ]
    return "\n".join(lines)


def last_lines(file: Path, since: int, count: int = 15) -> str:
    """The last lines that were written to a log after a position in bytes."""
    with file.open("rb") as log:
        log.seek(since)
        return "\n".join(log.read().decode(errors="replace").splitlines()[-count:])


def _shown(file: Path) -> str:
    with contextlib.suppress(ValueError):
        return str(file.relative_to(Path.cwd()))
    return str(file)
