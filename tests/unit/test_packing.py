"""A home is packed into a file that was read back, and comes out of it as it was."""

from __future__ import annotations

import io
import os
import socket
import tarfile
from pathlib import Path

import pytest

from allotment.inventory import packing
from allotment.inventory.packing import NotPacked


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with a file, a folder, links, and what cannot be packed."""
    made = tmp_path / "ann"
    (made / "work" / "deep").mkdir(parents=True)
    (made / "work" / "model.bin").write_bytes(os.urandom(300_000))
    (made / "work" / "model.bin").chmod(0o640)
    os.link(made / "work" / "model.bin", made / "again.bin")
    (made / "tmp").symlink_to("/tmp")  # noqa: S108 - a link that nobody follows
    return made


@pytest.mark.promise("SERVER-10")
def test_what_was_packed_comes_out_as_it_was(home: Path, tmp_path: Path) -> None:
    content = (home / "work" / "model.bin").read_bytes()
    file = tmp_path / "archives" / "ann.tar.gz"

    packed = packing.pack(home, file)

    assert (packed.size, packed.entries) == (file.stat().st_size, 5)
    assert file.stat().st_mode & 0o777 == 0o600
    assert packing.unpack(file, tmp_path / "back") == 5
    back = tmp_path / "back"
    assert (back / "work" / "model.bin").read_bytes() == content
    assert (back / "work" / "model.bin").stat().st_mode & 0o777 == 0o640
    assert (back / "again.bin").samefile(back / "work" / "model.bin")
    assert (back / "tmp").readlink() == Path("/tmp")  # noqa: S108 - as above
    assert (back / "work" / "deep").is_dir()


@pytest.mark.promise("SERVER-10")
def test_an_archive_is_found_in_its_folder_after_a_loss_of_power(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[tuple[Path, bool]] = []
    file, sync = tmp_path / "archives" / "ann.tar.gz", os.fsync

    def note(handle: int) -> None:
        synced.append((Path(f"/proc/self/fd/{handle}").readlink(), file.exists()))
        sync(handle)

    monkeypatch.setattr(os, "fsync", note)
    packing.pack(home, file)
    assert synced[1:] == [(file.parent, True), (tmp_path, True)]


@pytest.mark.promise("SERVER-10")
def test_an_archive_whose_folder_the_disk_did_not_take_is_none(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_folder: Path) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(packing, "_sync", fail)
    with pytest.raises(NotPacked, match="Input/output error"):
        packing.pack(home, tmp_path / "ann.tar.gz")
    assert [one.name for one in tmp_path.iterdir()] == ["ann"]


def test_sockets_are_left_out(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(home)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("kernel.sock")
        assert packing.pack(home, tmp_path / "ann.tar.gz").entries == 5


@pytest.mark.promise("SERVER-10")
def test_a_file_that_changes_meanwhile_is_no_archive(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = packing._write

    def change(folder: Path, part: Path) -> None:
        write(folder, part)
        (folder / "work" / "model.bin").write_bytes(b"another")

    monkeypatch.setattr(packing, "_write", change)
    with pytest.raises(NotPacked, match="changed while it was packed"):
        packing.pack(home, tmp_path / "archives" / "ann.tar.gz")
    assert list((tmp_path / "archives").iterdir()) == []


def test_a_file_that_comes_meanwhile_is_noticed(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = packing._write

    def change(folder: Path, part: Path) -> None:
        write(folder, part)
        (folder / "new").write_bytes(b"more")

    monkeypatch.setattr(packing, "_write", change)
    with pytest.raises(NotPacked, match="new came or went"):
        packing.pack(home, tmp_path / "ann.tar.gz")


def test_an_archive_is_never_written_over(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "ann.tar.gz"
    file.write_text("another")
    with pytest.raises(NotPacked):
        packing.pack(home, file)
    assert file.read_text() == "another"


def test_nothing_is_unpacked_over_files(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "ann.tar.gz"
    packing.pack(home, file)
    with pytest.raises(NotPacked, match="not empty"):
        packing.unpack(file, home)
    (tmp_path / "empty").mkdir(mode=0o750)
    packing.unpack(file, tmp_path / "empty")
    assert (tmp_path / "empty").stat().st_mode & 0o777 == 0o750


@pytest.mark.parametrize("name", ["../outside", "/outside", "out/side"])
def test_an_archive_that_reaches_outside_is_refused(tmp_path: Path, name: str) -> None:
    file = tmp_path / "bad.tar.gz"
    with tarfile.open(file, "w:gz") as archive:
        link = tarfile.TarInfo("out")
        link.type, link.linkname = tarfile.SYMTYPE, str(tmp_path)
        archive.addfile(link)
        archive.addfile(tarfile.TarInfo(name), io.BytesIO())
    with pytest.raises(NotPacked, match="outside of the home"):
        packing.unpack(file, tmp_path / "home")
    assert sorted(one.name for one in tmp_path.iterdir()) == ["bad.tar.gz"]


def test_a_folder_that_its_owner_closed_is_removed_too(home: Path) -> None:
    (home / "work" / "deep").chmod(0o000)
    packing.discard(home)
    assert not home.exists()
