"""The files of keys with which secrets are encrypted."""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Iterable
from pathlib import Path

from cryptography.fernet import Fernet

from allotment.data.vault import KeysWrong

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def new_key() -> bytes:
    """A new key, as it is written into a file: 32 random bytes in URL-safe base64."""
    return Fernet.generate_key()


def read_keys(text: str, where: str) -> tuple[bytes, ...]:
    """Keys as they are written: one a line (or separated by commas), the one that encrypts first.

    Raises:
        KeysWrong: there is none, or one is no key. The message does not repeat it.
    """
    lines = [one.strip() for one in text.replace(",", "\n").splitlines()]
    written = [one for one in lines if one and not one.startswith("#")]
    for number, one in enumerate(written, 1):
        try:
            Fernet(one.encode())
        except ValueError:
            raise KeysWrong(
                f"{where}: key {number} is no key. A key is 32 bytes in URL-safe base64, "
                "as `allotment keys new` makes one."
            ) from None
    if not written:
        raise KeysWrong(f"{where} holds no key. `allotment keys new` makes one.")
    return tuple(one.encode() for one in written)


def keys_of_file(path: Path) -> tuple[bytes, ...]:
    """The keys of a file, which only its owner may read.

    Raises:
        KeysWrong: it is not there, others can read it, or it holds no keys.
    """
    try:
        mode = path.stat().st_mode
        text = path.read_text("ascii")
    except FileNotFoundError:
        raise KeysWrong(
            f"The file {path} with the keys of the secrets is not there. Bring it back from "
            "where it was backed up; without it every secret must be entered anew."
        ) from None
    except (OSError, UnicodeError) as error:
        raise KeysWrong(f"The keys in {path} cannot be read: {type(error).__name__}.") from None
    if mode & _OTHERS:
        raise KeysWrong(f"Others can read the keys in {path}. Take that away: chmod 600 {path}")
    return read_keys(text, str(path))


def write_keys(path: Path, keys: Iterable[bytes]) -> None:
    """Write a file of keys that only its owner may read; the one before stays whole until it is there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    begun = path.with_name(f"{path.name}.new")
    begun.unlink(missing_ok=True)
    number = os.open(begun, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(number, "wb") as file:
        file.write(b"".join(one + b"\n" for one in keys))
        file.flush()
        os.fsync(number)
    begun.replace(path)


def make_file(path: Path) -> bool:
    """Make a file with a new key where there is none. Returns whether it was made: of several at once, one does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    begun = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    write_keys(begun, [new_key()])
    try:
        # Unlike a rename, a link never takes the place of a file that is there.
        path.hardlink_to(begun)
    except FileExistsError:
        return False
    finally:
        begun.unlink(missing_ok=True)
    return True
