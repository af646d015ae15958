"""Everything that ``make test`` asks of the repository, the tests last.

All checks run even when one fails, so that one round shows everything.
"""

import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import node_programs
from running import StepFailedError, run

ROOT = Path(__file__).resolve().parent.parent
BIN = ROOT / ".venv" / "bin"


def checks() -> dict[str, Callable[[], None]]:
    """What is checked before the tests, by name."""

    def program(name: str, *command: str) -> Callable[[], None]:
        return lambda: run(name, [BIN / command[0], *command[1:]], ROOT)

    return {
        "lint": program("ruff check", "ruff", "check"),
        "format": program("ruff format --check", "ruff", "format", "--check"),
        "types": program("mypy", "mypy"),
        "types of tools": program("mypy tools", "mypy", "tools"),
        "architecture": program("lint-imports", "lint-imports", "--no-logo"),
        "types of widgets": lambda: node_programs.check_widgets(ROOT),
    }


def passes(name: str, check: Callable[[], None]) -> bool:
    """Run one check and say how it went: in a line, or with all that it found."""
    start = time.monotonic()
    try:
        check()
    except StepFailedError as failure:
        print(f"[check] {name}: FAILED\n{failure}\n", flush=True)
        return False
    print(f"[check] {name}: ok ({time.monotonic() - start:.1f} s)", flush=True)
    return True


def main(arguments: Sequence[str]) -> int:
    """Run all checks, then pytest with the arguments; returns 0 only if everything passed."""
    outcomes = {name: passes(name, check) for name, check in checks().items()}
    failed = [name for name, passed in outcomes.items() if not passed]
    if failed:
        print(f"[check] failed: {', '.join(failed)}; the tests run all the same", flush=True)
    tests = subprocess.run([BIN / "python", "-m", "pytest", *arguments], cwd=ROOT, check=False)
    return tests.returncode or (1 if failed else 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
