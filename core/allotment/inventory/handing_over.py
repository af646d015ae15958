"""A home that is handed over: moved, as a folder, into the home of whoever takes it over."""

from __future__ import annotations

import os
from pathlib import Path


def hand_over(home: Path, heirs_home: Path, person: str) -> Path | None:
    """Move a home into another, as ``from-PERSON``; None: there is no such home.

    It is one rename, so it happens whole or not at all. A link is never followed, and nothing that
    is there is overwritten: the folder gets a number then.

    Raises:
        OSError: the heir has no folder yet, it is on another disk, or the system refuses.
    """
    if home.is_symlink() or not home.is_dir():
        return None
    if heirs_home.is_symlink():
        message = f"{heirs_home} is a link, and homes are not moved through links"
        raise OSError(message)
    heirs_home.mkdir(mode=0o700, parents=False, exist_ok=True)
    target, number = heirs_home / f"from-{person}", 1
    while os.path.lexists(target):
        number += 1
        target = heirs_home / f"from-{person}-{number}"
    home.rename(target)
    return target
