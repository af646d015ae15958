"""The lines of Python that load something in a notebook, shown to be copied."""

from __future__ import annotations

from html import escape

from allotment.model.documents import Source, SourceEntry
from allotment.notebook.previewing import select
from allotment_widgets.source_rows import DATABASES


def code_html(line: str, title: str = "In a notebook") -> str:
    """Code with a button that copies it."""
    said = escape(line)
    return (
        f'<div class="code-line"><p class="small quiet">{escape(title)}</p>'
        f'<pre tabindex="0" aria-label="{escape(title)}"><code>{said}</code></pre>'
        f'<button type="button" class="jupyter-button copy" data-copy="{said}">Copy</button>'
        '<span class="unseen" role="status"></span></div>'
    )


def dataset_line(name: str, version: int | str | None = None) -> str:
    """What loads a dataset."""
    named = "" if version is None else f", version={version!r}"
    return f"import allotment\n\nallotment.load({name!r}{named})"


def place_line(source: Source, path: tuple[str, ...], entry: SourceEntry | None = None) -> str:
    """What opens a place in a source, or what lies there."""
    if source.kind in DATABASES:
        return f"import allotment\n\n{_database_line(source, path, entry)}"
    return _store_line(source, path, entry)


def table_of(path: tuple[str, ...], entry: SourceEntry | None) -> tuple[str, ...] | None:
    """The table that is meant: what is chosen, or the one whose columns are looked at."""
    if entry is None:
        return None
    if entry.kind == "column":
        return path
    return entry.path if "table" in entry.kind or "view" in entry.kind else None


def _database_line(source: Source, path: tuple[str, ...], entry: SourceEntry | None) -> str:
    table = table_of(path, entry)
    if table is None:
        return f'allotment.sql({source.name!r}, "select …")'
    return f"allotment.sql({source.name!r}, {select(source.kind, table)!r})"


def _store_line(source: Source, path: tuple[str, ...], entry: SourceEntry | None) -> str:
    parts = path if entry is None else entry.path
    place = "".join([f"allotment.path({source.name!r})", *(f" / {part!r}" for part in parts)])
    reads = None if entry is None or entry.holds else _reader(entry.name)
    if reads is None:
        opened = f"({place}).open()" if entry is not None and not entry.holds else place
        return f"import allotment\n\n{opened}"
    return f"import allotment\nimport polars\n\npolars.{reads}(({place}).open())"


def _reader(name: str) -> str | None:
    ending = name.lower().rpartition(".")[2]
    return {"parquet": "read_parquet", "csv": "read_csv", "json": "read_json"}.get(ending)


def register_line(source: Source, path: tuple[str, ...], entry: SourceEntry | None) -> str:
    """What registers files of a store as a dataset; empty for a database."""
    if source.kind in DATABASES:
        return ""
    parts = path if entry is None else entry.path
    place = "".join([f"allotment.path({source.name!r})", *(f" / {part!r}" for part in parts)])
    return f"import allotment\n\nallotment.register('NAME', {place})"
