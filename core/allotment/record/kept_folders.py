"""Folders of this machine that are shared with some: nobody else reads files there."""

from __future__ import annotations

from pathlib import Path

from allotment.model.sources import SourceKind
from allotment.record import sources, targets
from allotment.record.engine import Reading

HERE = frozenset({SourceKind.FOLDER, SourceKind.SQLITE})
"""Kinds that lie on this machine."""
_BESIDE = ("", "-wal", "-shm", "-journal")
"""Endings of the files that SQLite keeps of one database."""


def kept_folders(reading: Reading, but: str = "") -> tuple[Path, ...]:
    """Where sources, but for one, and targets lie on this machine."""
    of_sources = [
        f"{one.fields['path']}{ending}"
        for one in sources.all_sources(reading)
        if one.kind in HERE and one.name != but
        for ending in (_BESIDE if one.kind is SourceKind.SQLITE else _BESIDE[:1])
    ]
    of_targets = [
        half["path"]
        for one in targets.all_targets(reading)
        for half in (one.metadata, one.contents)
        if half.get("path")
    ]
    return tuple(Path(str(one)) for one in (*of_sources, *of_targets))
