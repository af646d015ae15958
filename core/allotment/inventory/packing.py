"""Packing a home into a file, and out of it again. Nothing is believed to be packed that was not read back."""

from __future__ import annotations

import os
import shutil
import stat
import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

from allotment.model.homes import Packed

_BLOCK = 1 << 20


class NotPacked(Exception):
    """A home could not be packed, or an archive not be read. Nothing that was there is changed."""


def pack(home: Path, file: Path) -> Packed:
    """Pack everything below a folder into a new file, and compare the file with the folder.

    Links are packed as links; sockets are left out. Blocks for as long as the disk takes.

    Raises:
        NotPacked: it cannot be read whole, there is no room, or it changed meanwhile. No file is left.
    """
    part = file.with_name(f".{file.name}.part")
    try:
        new = not file.parent.exists()
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write(home, part)
        entries = _compare(home, part)
        # Never over another archive, whatever its name.
        os.link(part, file)
        _make_lasting(file, (file.parent, file.parent.parent) if new else (file.parent,))
        return Packed(file.stat().st_size, entries)
    except (OSError, tarfile.TarError, EOFError) as error:
        message = f"{home.name} could not be packed: {error}"
        raise NotPacked(message) from error
    finally:
        part.unlink(missing_ok=True)


def _write(home: Path, part: Path) -> None:
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as stream:
        with tarfile.open(fileobj=stream, mode="w:gz", format=tarfile.PAX_FORMAT) as archive:
            for path in _walk(home):
                archive.add(path, str(path.relative_to(home)), recursive=False)
        stream.flush()
        os.fsync(stream.fileno())


def _make_lasting(file: Path, folders: Sequence[Path]) -> None:
    """Have a file found after a loss of power: it is on the disk, but its name may not be. What fails leaves no file."""
    try:
        for folder in folders:
            _sync(folder)
    except OSError:
        file.unlink()
        raise


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _walk(home: Path) -> Iterator[Path]:
    """Everything below a folder that can be packed, folders before what is in them."""

    def refuse(error: OSError) -> None:
        raise error

    for folder, folders, files in os.walk(home, onerror=refuse):
        for name in sorted((*folders, *files)):
            path = Path(folder, name)
            if not stat.S_ISSOCK(path.lstat().st_mode):
                yield path


def _compare(home: Path, part: Path) -> int:
    """Read an archive to its end beside the folder; returns how many entries both have."""
    names = set()
    with tarfile.open(part, mode="r:gz") as archive:
        for member in archive:
            names.add(member.name)
            _the_same(archive, member, home / member.name)
    there = {str(path.relative_to(home)) for path in _walk(home)}
    if names != there:
        changed = min(names ^ there)
        message = f"{changed} came or went while it was packed"
        raise OSError(message)
    return len(names)


def _the_same(archive: tarfile.TarFile, member: tarfile.TarInfo, path: Path) -> None:
    message = f"{member.name} changed while it was packed"
    if member.issym():
        if str(path.readlink()) != member.linkname:
            raise OSError(message)
    elif member.isfile():
        packed = archive.extractfile(member)
        with path.open("rb") as there:
            if packed is None or not _equal(packed, there):
                raise OSError(message)


def _equal(one: IO[bytes], other: IO[bytes]) -> bool:
    while True:
        left, right = one.read(_BLOCK), other.read(_BLOCK)
        if left != right:
            return False
        if not left:
            return True


def unpack(file: Path, home: Path) -> int:
    """Unpack an archive into a folder that is empty, or not there; returns how many entries it had.

    Raises:
        NotPacked: the folder is not empty, or the archive cannot be read; the folder is left as it was.
    """
    part = home.with_name(f".{home.name}.part")
    try:
        if home.is_symlink() or (home.exists() and any(home.iterdir())):
            message = f"{home.name} is not empty"
            raise NotPacked(message)
        part.mkdir(mode=0o700)
        entries = unpack_into(file, part)
        if home.exists():
            part.chmod(stat.S_IMODE(home.stat().st_mode))
            home.rmdir()
        part.rename(home)
    except (OSError, tarfile.TarError, EOFError) as error:
        message = f"{file.name} could not be unpacked: {error}"
        raise NotPacked(message) from error
    finally:
        discard(part)
    return entries


def unpack_into(file: Path, folder: Path) -> int:
    """Unpack an archive below a folder.

    Raises:
        OSError, tarfile.TarError: it cannot be read, or names something outside of the folder.
    """
    with tarfile.open(file, mode="r:gz") as archive:
        members = archive.getmembers()
        links = {one.name for one in members if one.issym()}
        for one in members:
            parts = Path(one.name).parts
            above = {str(Path(*parts[:number])) for number in range(1, len(parts))}
            hard = Path(one.linkname).parts if one.islnk() else ()
            if one.name.startswith("/") or ".." in (*parts, *hard) or above & links:
                message = f"{one.name} would lie outside of the home"
                raise OSError(message)
        # Checked above, in every version of Python alike.
        archive.extraction_filter = lambda member, _path: member
        archive.extractall(folder, numeric_owner=True)  # noqa: S202 - checked above
        return len(members)


def discard(folder: Path) -> None:
    """Remove a folder with all that is in it, read-only folders too. Nothing there: nothing is done; a link stays.

    Raises:
        OSError: something in it could not be removed.
    """
    if folder.is_symlink() or not folder.is_dir():
        return
    todo = [os.fspath(folder)]
    while todo:
        below = Path(todo.pop())
        below.chmod(0o700)
        with os.scandir(below) as entries:
            todo += [one.path for one in entries if one.is_dir(follow_symlinks=False)]
    shutil.rmtree(folder)
