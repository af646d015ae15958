"""Where the templates and static files of the hub's pages lie."""

from __future__ import annotations

import hashlib
from pathlib import Path

_HERE = Path(__file__).parent


def _folder(name: str) -> Path:
    """A folder beside this package, as in the repository, or inside it, as in the wheel."""
    inside = _HERE / name
    return inside if inside.is_dir() else _HERE.parent / name


TEMPLATES = _folder("templates")
STATIC = _folder("static")


def version() -> str:
    """A word that changes with the content of any static file."""
    digest = hashlib.sha256()
    for path in sorted(STATIC.rglob("*")):
        if path.is_file():
            digest.update(path.relative_to(STATIC).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]
