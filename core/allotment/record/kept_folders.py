"""Folders of this machine that are shared with some: nobody else reads files there."""

from __future__ import annotations

from pathlib import Path

from allotment.model.sources import SourceKind
from allotment.record import sources, targets
from allotment.record.engine import Reading

_HERE = frozenset({SourceKind.FOLDER, SourceKind.SQLITE})


def kept_folders(reading: Reading) -> tuple[Path, ...]:
    """Where sources and targets lie on this machine."""
    of_sources = [one.fields["path"] for one in sources.all_sources(reading) if one.kind in _HERE]
    of_targets = [
        half["path"]
        for one in targets.all_targets(reading)
        for half in (one.metadata, one.contents)
        if half.get("path")
    ]
    return tuple(Path(str(one)) for one in (*of_sources, *of_targets))
