"""Folders of groups on this machine: each for the people of one group, and where system users are apart, for nobody else."""

from __future__ import annotations

import grp
import os
import threading
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

FIRST_ID, LAST_ID = 70_000, 99_999
"""Ids of system groups that folders get: no distribution gives these to users or to groups of its own."""
_making = threading.Lock()


@dataclass(frozen=True, slots=True)
class GroupFolder:
    """A group's folder. ``system_group`` is the id that whoever may enter must have; None: all servers run as one user."""

    group: str
    path: Path
    system_group: int | None = None


@dataclass(frozen=True, slots=True)
class GroupFolders:
    """The folders below ``root``, made when they are needed first, and never removed.

    With ``apart`` each belongs to a system group of its own, which is known by the folder alone: a
    process is in that group because it is started with its id. This program must run as root then.
    """

    root: Path
    apart: bool

    def of(self, groups: Iterable[str]) -> tuple[GroupFolder, ...]:
        """The folders of these groups. Blocks.

        Raises:
            OSError: one cannot be made, something else lies there, or it belongs to a system group that is not a folder's.
        """
        with _making:
            self.root.mkdir(mode=0o755, parents=True, exist_ok=True)
            return tuple(self._folder(group) for group in sorted(groups))

    def _folder(self, group: str) -> GroupFolder:
        path = self.root / group
        if path.is_symlink() or (path.exists() and not path.is_dir()):
            message = f"{path} is no folder"
            raise OSError(message)
        if not self.apart:
            path.mkdir(mode=0o770, exist_ok=True)
            return GroupFolder(group, path)
        if not path.exists():
            self._make(path)
        return GroupFolder(group, path, self._own_id(path))

    def _own_id(self, path: Path) -> int:
        """The system group of a folder. Whoever enters gets it, so it may give rights to nothing but folders here."""
        found = path.stat().st_gid
        if FIRST_ID <= found <= LAST_ID:
            return found
        message = (
            f"{path} belongs to the system group {found}, and folders of groups only to ids from {FIRST_ID} to "
            f"{LAST_ID}: move it away, launch again, and move what was in it into the new one"
        )
        raise OSError(message)

    def _make(self, path: Path) -> None:
        """Make a folder under another name first: one that is there has its system group already."""
        part = path.with_name(f".{path.name}.part")
        with suppress(FileExistsError):
            part.mkdir(mode=0o700)
        os.chown(part, 0, self._free_id())
        # What is made in it belongs to its system group, too.
        part.chmod(0o2770)
        part.rename(path)

    def _free_id(self) -> int:
        with os.scandir(self.root) as entries:
            taken = {one.stat(follow_symlinks=False).st_gid for one in entries}
        taken |= {one.gr_gid for one in grp.getgrall()}
        for number in range(FIRST_ID, LAST_ID + 1):
            if number not in taken and not _is_known(number):
                return number
        message = f"no id between {FIRST_ID} and {LAST_ID} is left for another system group"
        raise OSError(message)


def _is_known(number: int) -> bool:
    """Whether the machine has a system group of that id; directories do not list theirs, but answer for each."""
    try:
        grp.getgrgid(number)
    except KeyError:
        return False
    return True
