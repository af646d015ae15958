"""Digests that tell whether a step of the set-up must be done again."""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path


def digest_of(folder: Path, files: Iterable[Path]) -> str:
    """SHA-256 over the names, relative to the folder, and the contents of files."""
    digest = hashlib.sha256()
    for file in sorted(files):
        content = file.read_bytes()
        digest.update(f"{file.relative_to(folder)}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def read_stamp(file: Path) -> dict[str, object]:
    """What `write_stamp` left, or nothing when the step was never finished."""
    try:
        stamp = json.loads(file.read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return {}
    return stamp if isinstance(stamp, dict) else {}


def write_stamp(file: Path, stamp: dict[str, object]) -> None:
    """Remember that a step is done; written last, so a step that was cut short is done again."""
    file.write_text(json.dumps(stamp, indent=1) + "\n")
