"""Programs that the set-up runs: quiet when they work, told in full when they do not."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

LINES_SHOWN = 25


class StepFailedError(Exception):
    """A step of the set-up failed; the message says which and how to mend it."""


def run(
    step: str,
    command: Sequence[str | Path],
    folder: Path,
    environment: Mapping[str, str] | None = None,
) -> None:
    """Run a command in a folder, with variables added to the environment.

    Raises:
        StepFailedError: it ended with an error; the message carries its last lines.
    """
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **(environment or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode:
        last = "\n".join(done.stdout.splitlines()[-LINES_SHOWN:])
        shown = " ".join(map(str, command))
        outcome = f"{step} failed (exit status {done.returncode}):\n  {shown}"
        raise StepFailedError(f"{last}\n\n{outcome}")


def say(message: str) -> None:
    """Tell what takes time now."""
    print(f"[set-up] {message}", flush=True)
