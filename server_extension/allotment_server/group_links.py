"""Links in the home to the folders of one's groups. Made by the server itself, as its own user."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

VARIABLE = "ALLOTMENT_GROUP_FOLDERS"
"""What the spawner says: the folder that they lie in, and the groups, as JSON."""
SHARED = "shared"


def link_groups(
    environment: Mapping[str, str],
    home: Path,
    log: logging.Logger | logging.LoggerAdapter[logging.Logger],
) -> None:
    """Let ``shared/GROUP`` in the home lead to each group's folder, and to no other group's.

    What lies there already and is no link of ours stays as it is. Nothing here keeps a server from starting.
    """
    try:
        said = json.loads(environment[VARIABLE])
        root, groups = Path(said["root"]), set(said["groups"])
    except (KeyError, TypeError, ValueError):
        return
    shared = home / SHARED
    try:
        if groups:
            shared.mkdir(exist_ok=True)
        if shared.is_dir():
            _drop(shared, root, groups)
            for group in groups:
                with suppress(FileExistsError):
                    (shared / group).symlink_to(root / group, target_is_directory=True)
    except OSError as error:
        log.warning("The folders of your groups are not linked in %s: %s", shared, error)


def _drop(shared: Path, root: Path, groups: set[str]) -> None:
    """Take links away that lead to folders of groups that one is not in any more."""
    for link in shared.iterdir():
        if link.is_symlink() and link.readlink().parent == root and link.name not in groups:
            link.unlink()
