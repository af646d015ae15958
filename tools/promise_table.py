"""The table of promises in docs/promises.md: their ids, each with one line, and what is left of some."""

import re
from pathlib import Path

TABLE = Path(__file__).resolve().parent.parent / "docs" / "promises.md"
ROW = re.compile(r"^\| ([A-Z]+-\d+) \| (.+) \|$", re.MULTILINE)
LEFT = re.compile(r"^- ([A-Z]+-\d+): (.+)$", re.MULTILINE)


def read_promises(file: Path = TABLE) -> dict[str, str]:
    """What is promised, by id, in the order of the page.

    Raises:
        ValueError: an id stands there twice.
    """
    rows = ROW.findall(file.read_text())
    promises = dict(rows)
    if len(promises) != len(rows):
        ids = [one for one, _ in rows]
        raise ValueError(f"{file}: twice: {sorted({one for one in ids if ids.count(one) > 1})}")
    return promises


def read_left(file: Path = TABLE) -> dict[str, str]:
    """What is not built yet of promises whose tests prove the rest, by id.

    Raises:
        ValueError: there is no such promise.
    """
    left = dict(LEFT.findall(file.read_text()))
    if unknown := sorted(left.keys() - read_promises(file).keys()):
        raise ValueError(f"{file}: left of what was never promised: {unknown}")
    return left
