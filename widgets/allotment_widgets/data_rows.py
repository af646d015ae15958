"""What a person may use, as rows and in words, and the first rows of it. Every value is text, whatever it holds."""

from __future__ import annotations

from datetime import UTC, datetime
from html import escape
from typing import TYPE_CHECKING, Any

from allotment.model.datasets import PrivacyLabel
from allotment.model.documents import Dataset, Source
from allotment_widgets.columns import Column, State
from allotment_widgets.dataset_rows import (
    FORMATS,
    LABEL_WORDS,
    columns_words,
    read_html,
    rows_words,
)
from allotment_widgets.sentences import moment_html
from allotment_widgets.source_rows import SHARED, facts_html

if TYPE_CHECKING:
    import polars as pl

STATES = {
    "usable": State("Usable", "ok"),
    "unproven": State("Usable, unproven", "warn"),
    "exposed": State("Usable, source writable", "warn"),
    "managed": State("Not shared with you", "quiet"),
    "closed": State("Not usable", "quiet"),
}
COLUMNS = (
    Column("name", "Name", flex=1.1, width=120),
    Column("kind", "What", flex=0.8, width=110),
    Column("about", "About", flex=2, width=140, hide_narrow=True),
    Column("rows", "Rows", width=150, align="right", sortable=False, hide_narrow=True),
    Column("size", "Size", kind="bytes", width=96, hide_narrow=True),
    Column("columns", "Columns", flex=2, width=140, hover="columns", extra=True),
    Column("state", "State", kind="state", states=STATES, hover="obstacle", flex=0.8, width=134),
)
_WIDEST, _LONGEST = 40, 120


def data_row(key: str, thing: Source | Dataset) -> dict[str, object]:
    """A source or dataset as a row; ``key`` is its id."""
    dataset = thing if isinstance(thing, Dataset) else None
    reading = dataset.reading if dataset else None
    source = thing if isinstance(thing, Source) else None
    return {
        "id": key,
        "name": thing.name,
        "kind": f"Dataset, {FORMATS[dataset.format]}" if dataset else source and source.kind_title,
        "about": thing.title or thing.description or None,
        "rows": rows_words(reading),
        "size": None if reading is None else reading.size,
        "columns": columns_words(reading),
        "state": _state(thing),
        "obstacle": thing.obstacle or thing.caution,
    }


def _state(thing: Source | Dataset) -> str:
    if thing.usable:
        if isinstance(thing, Dataset):
            return "exposed" if thing.caution else "usable"
        return "usable" if thing.proven else "unproven"
    open_to_others = thing.enabled and (isinstance(thing, Dataset) or thing.proven)
    return "managed" if thing.manages and open_to_others else "closed"


def _title_html(thing: Source | Dataset, kind: str) -> str:
    title = f"<h2>{escape(thing.title or thing.name)} <span class=quiet>{escape(kind)}</span></h2>"
    about = f"<p>{escape(thing.description)}</p>" if thing.description else ""
    obstacle = (
        f'<div class="reasons"><p>{escape(thing.obstacle)}</p></div>' if thing.obstacle else ""
    )
    return f"{title}{about}{'' if thing.usable else obstacle}"


def used_source_html(source: Source) -> str:
    """What whoever uses a source should know of it."""
    lines = []
    if source.usable and not source.proven:
        lines.append(f"{source.caution} Do not: it is for reading.".strip())
    if source.shared:
        lines.append(SHARED)
    said = "".join(f"<p>{escape(line)}</p>" for line in lines)
    return f"{_title_html(source, source.kind_title)}{said}{_proof_html(source)}"


def _proof_html(source: Source) -> str:
    """Since when it is known that nobody can write there, and for how long what is lent works."""
    proof = source.proof
    if proof is None or not source.proven:
        return ""
    tried = f"A write was tried {moment_html(proof.at, datetime.now(UTC))}, and refused."
    return f'<p class="quiet small">{tried} {escape(proof.ending)}</p>'


def used_dataset_html(dataset: Dataset) -> str:
    """What whoever loads a dataset should know of it."""
    label = "" if dataset.label is PrivacyLabel.INTERNAL else LABEL_WORDS[dataset.label]
    facts = [
        ("Label", escape(label)),
        ("Files", read_html(dataset.reading, datetime.now(UTC))),
        ("Read through", escape(dataset.source or "")),
        ("Registered by", escape(dataset.created_by or "somebody who was removed since")),
        ("Versions", f"newest is {dataset.version}" if dataset.version else ""),
    ]
    caution = (
        f'<div class="reasons"><p>{escape(dataset.caution)}</p></div>' if dataset.caution else ""
    )
    return f"{_title_html(dataset, FORMATS[dataset.format])}{caution}{facts_html(facts)}"


def rows_html(frame: pl.DataFrame) -> str:
    """A table of what was read. Every value is text, whatever it holds."""
    shown = frame.columns[:_WIDEST]
    more = len(frame.columns) - len(shown)
    head = "".join(
        f"<th scope=col{' class=num' if kind.is_numeric() else ''}>{escape(name)}"
        f"<br><span class=quiet>{escape(str(kind))}</span></th>"
        for name, kind in zip(shown, frame.dtypes, strict=False)
    )
    lines = "".join(
        f"<tr>{''.join(_cell(value) for value in line[:_WIDEST])}</tr>"
        for line in frame.iter_rows()
    )
    rest = f"; {more} further columns are left out" if more > 0 else ""
    said = f"The first {frame.height} rows{rest}." if frame.height else "It has no rows."
    table = f'<table class="plain"><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table>'
    return f'<p class="quiet small" role="status">{said}</p><div class="wide-table rows" tabindex="0">{table}</div>'


def _cell(value: Any) -> str:
    if value is None:
        return "<td class=quiet>-</td>"
    text = str(value)
    number = isinstance(value, int | float) and not isinstance(value, bool)
    shown = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
    return f"<td{' class=num' if number else ''}>{escape(shown)}</td>"
