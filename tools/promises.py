"""Print each promise that has tests, its tests and whether they pass, and the promises without.

Reads what ``pytest --promises-to FILE`` wrote.
"""

import json
import sys
from collections import defaultdict
from pathlib import Path

from promise_table import read_left, read_promises


def main(file: str) -> int:
    """Print the table; returns 1 if a test of a promise does not pass."""
    promises, left = read_promises(), read_left()
    tests: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for entry in json.loads(Path(file).read_text()):
        for promise in entry["promises"]:
            tests[promise].append((entry["outcome"], entry["test"]))
    for promise, line in promises.items():
        if promise in tests:
            print(f"{promise:<11}{verdict(tests[promise], left.get(promise, ''))}  {line}")
            if promise in left:
                print(f"{'':<11}{'left':<8}{left[promise]}")
            for outcome, test in tests[promise]:
                print(f"{'':<11}{outcome:<8}{test}")
    without = [promise for promise in promises if promise not in tests]
    verdicts = [verdict(found, left.get(promise, "")) for promise, found in tests.items()]
    print(f"\nWithout a test ({len(without)}): {', '.join(without) or 'none'}")
    proven, partly = verdicts.count("proven"), verdicts.count("partly")
    print(f"{proven} of {len(promises)} proven, {partly} partly")
    return 1 if "BROKEN" in verdicts else 0


def verdict(tests: list[tuple[str, str]], left: str = "") -> str:
    """Proven when every test of a promise passes; partly where something of it is left to build."""
    if any(outcome != "passed" for outcome, _ in tests):
        return "BROKEN"
    return "partly" if left else "proven"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
