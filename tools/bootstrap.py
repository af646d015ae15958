"""Make everything that ``make hub`` and ``make test`` need, inside the checkout, without root.

Needs Python 3.11 or newer and nothing else. It runs in well under a second when nothing changed.
This file keeps to what old Pythons can read too, so that they say what is missing.
"""

import os
import shutil
import sys

OLDEST = (3, 11)
NEWEST_TO_LOOK_FOR = 20


def python_that_is_new_enough() -> "str | None":
    """Path of a newer Python on this machine, or None."""
    names = [f"python3.{minor}" for minor in range(NEWEST_TO_LOOK_FOR, OLDEST[1] - 1, -1)]
    return next((path for path in map(shutil.which, names) if path), None)


def main() -> int:
    """Hand over to a Python that is new enough, or say which one is needed."""
    if sys.version_info[:2] >= OLDEST:
        import setup_steps  # noqa: PLC0415 - an older Python could not read it

        return setup_steps.run(sys.argv[1:])
    newer = python_that_is_new_enough()
    if newer:
        os.execv(newer, [newer, *sys.argv])  # noqa: S606 - no shell is what we want
    sys.stderr.write(
        f"Allotment needs Python 3.11 or newer; {sys.executable} is {sys.version.split()[0]}.\n"
        "Debian and Ubuntu: apt install python3 python3-venv; macOS: brew install python\n"
        "or name one: make hub PYTHON=/path/to/python3\n"
    )
    return 1


if __name__ == "__main__":
    sys.exit(main())
