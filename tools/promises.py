"""Print each promise that has tests, its tests and whether they pass, and the promises without.

Reads what ``pytest --promises-to FILE`` wrote.
"""

import json
import sys
from collections import defaultdict
from pathlib import Path

from promise_table import read_promises


def main(file: str) -> int:
    """Print the table; returns 1 if a test of a promise does not pass."""
    promises = read_promises()
    tests: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for entry in json.loads(Path(file).read_text()):
        for promise in entry["promises"]:
            tests[promise].append((entry["outcome"], entry["test"]))
    for promise, line in promises.items():
        if promise in tests:
            print(f"{promise:<11}{verdict(tests[promise])}  {line}")
            for outcome, test in tests[promise]:
                print(f"{'':<11}{outcome:<8}{test}")
    without = [promise for promise in promises if promise not in tests]
    broken = [promise for promise in tests if verdict(tests[promise]) != "proven"]
    print(f"\nWithout a test ({len(without)}): {', '.join(without) or 'none'}")
    print(f"{len(promises) - len(without) - len(broken)} of {len(promises)} proven")
    return 1 if broken else 0


def verdict(tests: list[tuple[str, str]]) -> str:
    """Proven when every test of a promise passes."""
    return "proven" if all(outcome == "passed" for outcome, _ in tests) else "BROKEN"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
