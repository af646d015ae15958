"""Every benchmark, one after the other, in one table: ``make bench``.

Each runs in a process of its own, so that none warms up or burdens another. A benchmark that cannot
run here (no browser) says so in its row.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from table import Row, print_table

_NOT_BENCHMARKS = {
    "bare.py",
    "everything.py",
    "filled.py",
    "hub_turns.py",
    "kueue_load.py",
    "pod_cluster.py",
    "pod_console.py",
    "pod_control_plane.py",
    "pod_hubs_measured.py",
    "pod_rows.py",
    "slurm_cluster.py",
    "table.py",
}
_TOOLS = Path(__file__).parent.parent / "tools"
"""Hubs, pages and browsers, as the tests use them."""
_LONGEST = 1800
"""Seconds after which one benchmark is given up."""


def run(script: Path, options: list[str]) -> list[Row]:
    """Run one benchmark and return its rows, or one that says why there are none."""
    print(f"… {script.stem}", file=sys.stderr, flush=True)
    command = [sys.executable, "-W", "ignore", str(script), "--json", *options]
    try:
        done = subprocess.run(
            command,
            check=False,
            capture_output=True,
            text=True,
            timeout=_LONGEST,
            env=os.environ | {"PYTHONPATH": str(_TOOLS)},
        )
    except subprocess.TimeoutExpired:
        return [Row(script.stem, f"gave up after {_LONGEST} s", met=False)]
    if done.returncode:
        return [
            Row(
                script.stem,
                "failed: " + (done.stderr.strip().splitlines() or ["?"])[-1][:200],
                met=False,
            )
        ]
    return [Row(**row) for row in json.loads(done.stdout.strip().splitlines()[-1])]


def main() -> int:
    """Run all, or those named; returns 1 where an aim was missed."""
    options = [word for word in sys.argv[1:] if word.startswith("-")]
    names = {word for word in sys.argv[1:] if not word.startswith("-")}
    folder = Path(__file__).parent
    scripts = [
        path
        for path in sorted(folder.glob("*.py"))
        if path.name not in _NOT_BENCHMARKS and (not names or path.stem in names)
    ]
    rows = [row for script in scripts for row in run(script, options)]
    print_table(rows, "Allotment's figures, both sides of a ratio in one run")
    return 1 if any(row.met is False for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
