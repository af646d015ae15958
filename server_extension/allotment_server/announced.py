"""This server's announced ends: as the control plane told them last, and as a file for code to read.

The file is there while an end is announced. Programs find it through ``ALLOTMENT_ENDING_FILE`` in
their environment: no signal is sent, for one that a program does not expect would end it.
"""

from __future__ import annotations

import json
from collections.abc import MutableMapping
from contextlib import suppress
from pathlib import Path

from allotment.model.documents import Ending, Notice

ENDING_FILE = "ALLOTMENT_ENDING_FILE"
"""The environment variable that names the file to kernels and terminals."""


class Announced:
    """What is announced now, earliest first, with the file about it; and what else its owner should know."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.endings: tuple[Ending, ...] = ()
        self.notices: tuple[Notice, ...] = ()

    def name_in(self, environment: MutableMapping[str, str]) -> None:
        """Let everything that starts from now on know the file's name."""
        environment[ENDING_FILE] = str(self._file)

    def tell(self, endings: tuple[Ending, ...]) -> None:
        """Take what was told in, and write the file anew where something changed."""
        if endings == self.endings:
            return
        self.endings = endings
        if not endings:
            self.forget()
            return
        document = endings[0].model_dump(mode="json")
        document["endings"] = [one.model_dump(mode="json") for one in endings]
        # Whoever reads sees the old file or the new one, never half of one.
        new = self._file.with_suffix(".new")
        self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        new.write_text(json.dumps(document), encoding="utf-8")
        new.replace(self._file)

    def forget(self) -> None:
        """Remove the file: no end is announced, or the server ends."""
        with suppress(FileNotFoundError):
            self._file.unlink()
