"""Documents beside datasets: kept as bytes and handed out as files, never opened or rendered here.

On the disk they have no name that a person gave: a name lies in the record, beside size and SHA-256.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from allotment.data.problems import SourceProblem
from allotment.model.datasets import Attachment
from allotment.model.names import check_name
from allotment.model.reasons import Rule

LARGEST = 20 << 20
"""Bytes of one attachment. What is larger is data, and belongs into a dataset."""
LONGEST_NAME = 120
_KEY_BYTES = 16
_FORBIDDEN = frozenset('/\\:*?"<>|')
"""Signs that mean something in paths or in the headers of a download."""


def check_attachment_name(name: str) -> str:
    """Return the name of an attachment unchanged, or refuse it.

    Raises:
        SourceProblem: it is no plain name of a file.
    """
    plain = name.isprintable() and name == name.strip() and not name.startswith(".")
    if not plain or not 0 < len(name) <= LONGEST_NAME or _FORBIDDEN & set(name):
        raise SourceProblem(
            f"{name[:LONGEST_NAME]!r} is no name of an attachment.",
            remedy=f"Use 1 to {LONGEST_NAME} characters, none of {' '.join(sorted(_FORBIDDEN))}, "
            "and no point at the beginning.",
            rule=Rule.DATA_PATH,
        )
    return name


def save(
    folder: Path, dataset: str, name: str, pieces: Iterable[bytes], most: int = LARGEST
) -> tuple[str, int, str]:
    """Keep an attachment beside those that are there; answers its key, its bytes and its SHA-256.

    The record names it after that. What it named before is removed after that by :func:`remove`; as
    every document that is sent has a key of its own, this removes nothing that anybody still names.

    Raises:
        SourceProblem: the name is none, or it is longer than ``most`` bytes. Nothing is kept then.
    """
    check_attachment_name(name)
    place = folder / check_name(dataset)
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    digest, size = hashlib.sha256(), 0
    file = tempfile.NamedTemporaryFile(dir=place, delete=False)  # noqa: SIM115 - kept by a rename
    try:
        with file:
            for piece in pieces:
                size += len(piece)
                if size > most:
                    raise SourceProblem(
                        f"{name!r} is larger than {most:,} bytes.",
                        remedy="Attach documents only; register data as a dataset.",
                    )
                digest.update(piece)
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        key = secrets.token_hex(_KEY_BYTES)
        Path(file.name).replace(place / key)
    finally:
        with suppress(FileNotFoundError):
            Path(file.name).unlink()
    return key, size, digest.hexdigest()


def kept_at(folder: Path, dataset: str, attachment: Attachment) -> Path:
    """Where an attachment lies, as the record knows it."""
    # Before they had keys, a hash of the name and that of the contents told them apart.
    named = hashlib.sha256(attachment.name.encode()).hexdigest()[:16]
    return folder / check_name(dataset) / (attachment.key or f"{named}-{attachment.sha256}")


def remove(folder: Path, dataset: str, attachment: Attachment) -> None:
    """Delete an attachment; one that is gone already is no problem."""
    with suppress(FileNotFoundError):
        kept_at(folder, dataset, attachment).unlink()
