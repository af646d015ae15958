"""Sources, datasets, versions and models as tables."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from allotment.model.amounts import format_size
from allotment.model.documents import Dataset, RegisteredModel, Source, Version
from allotment.notebook.databases import DATABASES
from allotment.notebook.tables import Table


def sources_table(items: Sequence[Source]) -> Table[Source]:
    """Sources, with the line that opens each."""
    return Table(
        "Sources",
        items,
        (
            ("name", lambda item: item.name),
            ("kind", lambda item: item.kind_title),
            ("about", lambda item: item.title or item.description),
            ("read-only", _proven),
            ("when revoked", lambda item: item.proof.ending if item.proof else ""),
            ("use it", _opens),
        ),
        name=lambda item: item.name,
        nothing="none is shared with you. Ask your team lead or an operator for one.",
    )


def _proven(item: Source) -> str:
    if item.proof is None:
        words = "not proven"
    else:
        words = f"{'proven' if item.proven else 'not proven'}, {_moment(item.proof.at)}"
    words += "; its users share one account" if item.shared else ""
    return f"{words}. {item.caution}" if item.caution else words


def _opens(item: Source) -> str:
    if not item.usable:
        return item.obstacle
    if item.kind in DATABASES:
        return f'allotment.sql("{item.name}", "select …")'
    return f'allotment.path("{item.name}")'


def datasets_table(items: Sequence[Dataset]) -> Table[Dataset]:
    """Datasets, with the line that loads each; those are marked whose source can be written to."""
    beware = (("caution", lambda item: item.caution),) if any(one.caution for one in items) else ()
    return Table(
        "Datasets",
        items,
        (
            ("name", lambda item: item.name),
            ("about", lambda item: item.title or item.description),
            ("format", lambda item: str(item.format)),
            ("rows", _rows),
            ("size", lambda item: format_size(item.reading.size) if item.reading else ""),
            ("version", lambda item: str(item.version or "")),
            ("label", lambda item: str(item.label)),
            (
                "use it",
                lambda item: f'allotment.load("{item.name}")' if item.usable else item.obstacle,
            ),
            *beware,
        ),
        name=lambda item: item.name,
        nothing="none is shared with you yet. Register your own: allotment.register(name, uri=…)",
        numbers=("rows", "size", "version"),
    )


def _rows(item: Dataset) -> str:
    if item.reading is None or item.reading.rows is None:
        return ""
    return f"{'' if item.reading.rows_exact else 'about '}{item.reading.rows:,}"


def versions_table(dataset: str, items: Sequence[Version]) -> Table[Version]:
    """Versions of a dataset."""
    return Table(
        f"Versions of {dataset}",
        items,
        (
            ("version", lambda item: str(item.number)),
            ("tags", lambda item: ", ".join(item.tags)),
            ("at", lambda item: _moment(item.at)),
            ("by", lambda item: item.committed_by),
            ("message", lambda item: item.message),
            ("files", lambda item: f"{item.files:,}"),
            ("size", lambda item: format_size(item.size)),
            ("state", lambda item: item.problem or str(item.state)),
        ),
        name=lambda item: str(item.number),
        nothing=f"none yet. Keep the files as they are now: allotment.commit({dataset!r}, message)",
        numbers=("version", "files", "size"),
    )


def models_table(items: Sequence[RegisteredModel]) -> Table[RegisteredModel]:
    """Registered models."""
    return Table(
        "Models",
        items,
        (
            ("name", lambda item: item.name),
            ("version", lambda item: item.version),
            ("by", lambda item: item.person),
            ("about", lambda item: item.description),
            ("metrics", lambda item: ", ".join(f"{k} {v:g}" for k, v in item.metrics.items())),
            ("from", lambda item: ", ".join(item.datasets)),
            ("at", lambda item: item.uri or item.file),
            ("size", lambda item: "" if item.size is None else format_size(item.size)),
        ),
        name=lambda item: item.name,
        nothing="none is registered. Keep one: allotment.register_model(name, version, file=…)",
        numbers=("size",),
    )


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
