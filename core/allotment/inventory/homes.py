"""How much a folder holds: what people's homes take of a disk."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Held:
    """What a folder holds on its disk, in bytes. Not ``complete``: it is at least that."""

    used: int
    entries: int
    complete: bool


def measure(folder: Path, most: int) -> Held | None:
    """Count what a folder holds on its disk, looking at no more than ``most`` entries.

    Links are counted, not followed; a file of several names is counted once; other disks are left
    out. None: there is no such folder, or it is a link. Blocks for as long as the disk takes.
    """
    try:
        root = folder.lstat()
    except OSError:
        return None
    if not folder.is_dir() or folder.is_symlink():
        return None
    walk = _Walk(root.st_dev, most)
    walk.take(root)
    walk.everything_below(folder)
    return Held(walk.used, walk.entries, walk.complete)


class _Walk:
    def __init__(self, device: int, most: int) -> None:
        self._device, self._most = device, most
        self._names: set[int] = set()
        self.used = self.entries = 0
        self.complete = True

    def everything_below(self, folder: Path) -> None:
        todo = [os.fspath(folder)]
        while todo:
            try:
                with os.scandir(todo.pop()) as entries:
                    for entry in entries:
                        if self.entries >= self._most:
                            self.complete = False
                            return
                        if self._is_folder(entry):
                            todo.append(entry.path)
            except FileNotFoundError:
                continue  # it has just gone
            except OSError:
                self.complete = False

    def _is_folder(self, entry: os.DirEntry[str]) -> bool:
        """Take an entry into account; whether to look below it."""
        try:
            found = entry.stat(follow_symlinks=False)
            inner = entry.is_dir(follow_symlinks=False)
        except FileNotFoundError:
            return False  # it has just gone
        except OSError:
            self.complete = False
            return False
        self.entries += 1
        return self.take(found) and inner

    def take(self, found: os.stat_result) -> bool:
        """Add what one entry takes; whether it is on the same disk."""
        if found.st_dev != self._device:
            return False
        if found.st_nlink > 1 and found.st_ino in self._names:
            return True
        self._names |= {found.st_ino} if found.st_nlink > 1 else set()
        self.used += found.st_blocks * 512  # st_blocks is in units of 512 bytes everywhere
        return True
