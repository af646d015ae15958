"""Datasets and their versions as rows, and what is known of one in words."""

from __future__ import annotations

from datetime import datetime
from html import escape

from allotment.model.amounts import counted, format_size
from allotment.model.datasets import FileFormat, PrivacyLabel
from allotment.model.documents import Dataset, DatasetReading, Source, Version
from allotment.model.versions import VersionState
from allotment_widgets.columns import Column, State
from allotment_widgets.sentences import moment_html
from allotment_widgets.source_rows import audience_words, facts_html, links_html, source_state

STATES = {
    "enabled": State("Enabled", "ok"),
    "partly": State("Files missing", "bad"),
    "unread": State("Not read yet", "warn"),
    "exposed": State("Source writable", "warn"),
    "closed": State("Source closed", "warn"),
    "disabled": State("Disabled", "quiet"),
    "revoked": State("Revoked", "bad"),
}
LABELS: dict[str, State] = {
    PrivacyLabel.PUBLIC: State("Public"),
    PrivacyLabel.INTERNAL: State("Internal"),
    PrivacyLabel.PERSONAL: State("Personal", "warn"),
}
LABEL_WORDS = {
    PrivacyLabel.PUBLIC: "Public: everybody may know that it exists, and what is in it",
    PrivacyLabel.INTERNAL: "Internal: only who may use it knows of it",
    PrivacyLabel.PERSONAL: "Personal: about people; never shared with everyone",
}
FORMATS = {FileFormat.PARQUET: "Parquet", FileFormat.CSV: "CSV"}
VERSION_STATES: dict[str, State] = {
    VersionState.COMMITTING: State("Committing", "info"),
    VersionState.COMMITTED: State("Committed", "ok"),
    VersionState.FAILED: State("Failed", "bad"),
}
DATASET_COLUMNS = (
    Column("id", "Dataset", flex=1, width=110, hover="title"),
    Column("format", "Format", width=88, hide_narrow=True),
    Column("rows", "Rows", width=152, align="right", sortable=False),
    Column("size", "Size", kind="bytes", width=92),
    Column("source", "Source", flex=0.9, width=96, hide_narrow=True),
    Column("label", "Label", kind="state", states=LABELS, width=112, hide_narrow=True),
    Column("audience", "Who may use it", flex=1.2, width=128, hover="audience", hide_narrow=True),
    Column("version", "Version", kind="number", width=84, hide_narrow=True),
    Column("columns", "Columns", flex=1.2, width=160, hover="columns", extra=True),
    Column("state", "State", kind="state", states=STATES, hover="obstacle", width=150),
)
VERSION_COLUMNS = (
    Column("number", "Version", kind="number", width=90),
    Column("message", "Message", flex=3, width=150, hover="problem"),
    Column("tags", "Tags", flex=1, width=120, hover="tags"),
    Column("by", "By", width=92, hide_narrow=True),
    Column("at", "Committed", kind="time", width=112),
    Column("rows", "Rows", kind="number", width=104, extra=True),
    Column("files", "Files", kind="number", width=82, extra=True),
    Column("size", "Size", kind="bytes", width=92, hide_narrow=True),
    Column(
        "state",
        "State",
        kind="state",
        states=VERSION_STATES,
        words="state_words",
        hover="problem",
        width=172,
    ),
)
_COLUMNS_SHOWN = 200


def dataset_state(dataset: Dataset, source: Source | None) -> str:
    """The state that a row shows; ``source`` is the one that it is read through, where that is known."""
    if not dataset.enabled:
        return "revoked" if dataset.revoked_at else "disabled"
    if source is not None and source_state(source) != "enabled":
        return "closed"
    if dataset.reading is None:
        return "unread"
    if dataset.reading.problems:
        return "partly"
    return "exposed" if dataset.caution else "enabled"


def rows_words(reading: DatasetReading | None) -> str | None:
    """How many rows there are; what is estimated says so."""
    if reading is None or reading.rows is None:
        return None
    return f"{'' if reading.rows_exact else 'about '}{reading.rows:,}"


def columns_words(reading: DatasetReading | None) -> str | None:
    """The names of the columns, so that a dataset is found by what is in it; of very many only the first."""
    if reading is None or not reading.columns:
        return None
    return ", ".join(each.name for each in reading.columns[:_COLUMNS_SHOWN])


def dataset_row(dataset: Dataset, source: Source | None) -> dict[str, object]:
    """One dataset as a row."""
    reading = dataset.reading
    state = dataset_state(dataset, source)
    return {
        "id": dataset.name,
        "title": dataset.title or dataset.description,
        "format": FORMATS[dataset.format],
        "rows": rows_words(reading),
        "size": None if reading is None else reading.size,
        "source": dataset.source or "the platform's folders",
        "label": str(dataset.label),
        "audience": audience_words(dataset),
        "version": dataset.version,
        "columns": columns_words(reading),
        "state": state,
        "obstacle": _state_words(dataset, source),
    }


def version_row(version: Version) -> dict[str, object]:
    """One version as a row; a commit under way says how far it is."""
    under_way = version.state is VersionState.COMMITTING
    done = f"Committing, {_percent(version)} %" if under_way and version.total else None
    return {
        "id": str(version.number),
        "number": version.number,
        "message": version.message,
        "tags": ", ".join(version.tags) or None,
        "by": version.committed_by,
        "at": version.at,
        "rows": version.rows,
        "files": version.files or None,
        "size": version.size or None,
        "state": str(version.state),
        "state_words": done,
        "problem": version.problem,
    }


def _percent(version: Version) -> int:
    return int(100 * version.done / version.total)


def dataset_html(dataset: Dataset, source: Source | None, now: datetime) -> str:
    """All that is known of a dataset, but for its columns."""
    name = escape(dataset.name)
    title = f"<h2>{escape(dataset.title or dataset.name)} <span class=quiet>({name})</span></h2>"
    about = f"<p>{escape(dataset.description)}</p>" if dataset.description else ""
    rows = [
        ("Files", _uris(dataset)),
        ("Read through", _through(dataset)),
        ("Format", _format(dataset)),
        ("Was read", read_html(dataset.reading, now)),
        ("Label", escape(LABEL_WORDS[dataset.label])),
        ("Who may use it", escape(audience_words(dataset) or "not told")),
        ("Managed by", escape(_managed(dataset))),
        ("Versions", _kept(dataset)),
    ]
    return f"{title}{_obstacle(dataset, source)}{about}{facts_html(rows)}"


def _through(dataset: Dataset) -> str:
    if not dataset.source:
        return ""
    alone = "; who may use the dataset needs no right to the source" if dataset.opened else ""
    return f"{links_html('sources', [dataset.source])}{alone}"


def _uris(dataset: Dataset) -> str:
    shown = [f"<code>{escape(one)}</code>" for one in dataset.uris[:8]]
    more = len(dataset.uris) - len(shown)
    return "<br>".join([*shown, *([f"and {more} more"] if more > 0 else [])])


def _format(dataset: Dataset) -> str:
    options = {**(dataset.reading.options if dataset.reading else {}), **dataset.options}
    said = ", ".join(f"{key.replace('_', ' ')} {value!r}" for key, value in sorted(options.items()))
    return escape(f"{FORMATS[dataset.format]}{f': {said}' if said else ''}")


def read_html(reading: DatasetReading | None, now: datetime) -> str:
    """What was read of the files, and when."""
    if reading is None:
        return "never"
    rows = rows_words(reading)
    parts = [
        *([f"{rows} rows"] if rows else []),
        counted(_width(reading), "column"),
        counted(reading.files, "file"),
        format_size(reading.size),
    ]
    return f"{escape(', '.join(parts))}; {moment_html(reading.at, now)}"


def _managed(dataset: Dataset) -> str:
    by = dataset.created_by or "whoever registered it"
    return f"{by}, and leads of {dataset.group}" if dataset.group else by


def _kept(dataset: Dataset) -> str:
    if dataset.target is None:
        return "none: no target is chosen"
    newest = "none yet" if dataset.version is None else f"newest is {dataset.version}"
    return escape(f"in {dataset.target}, {newest}")


def _obstacle(dataset: Dataset, source: Source | None) -> str:
    said = _state_words(dataset, source)
    return f'<div class="reasons" role="status"><p>{escape(said)}</p></div>' if said else ""


def _state_words(dataset: Dataset, source: Source | None) -> str:
    """What is in the way of loading it, whoever loads it."""
    state = dataset_state(dataset, source)
    revoked = dataset.revoked_at
    if state == "revoked" and revoked is not None:
        return f"Revoked on {revoked:%d %b %Y at %H:%M} UTC: no server loads it."
    if state == "disabled":
        return "Disabled: new servers do not have it."
    if state == "closed":
        return f"Nobody can load it: the source {dataset.source} cannot be used."
    if state == "unread":
        return "Its files were never read."
    return dataset.caution


def problems_html(reading: DatasetReading | None) -> str:
    """Files that could not be read, each with why."""
    if reading is None or not reading.problems:
        return ""
    lines = "".join(
        f"<li><code>{escape(each.uri)}</code>: {escape(each.problem)}</li>"
        for each in reading.problems[:50]
    )
    more = len(reading.problems) - 50
    rest = f"<li>and {more} more</li>" if more > 0 else ""
    number = counted(len(reading.problems), "file")
    return f'<div class="reasons" role="status"><b>{number} could not be read</b><ul>{lines}{rest}</ul></div>'


def _width(reading: DatasetReading) -> int:
    """How many columns there are; lists tell the first of them."""
    return len(reading.columns) if reading.width is None else reading.width


def columns_html(reading: DatasetReading | None) -> str:
    """Columns and their types, folded away where they are many."""
    if reading is None or not reading.columns:
        return ""
    shown = reading.columns[:_COLUMNS_SHOWN]
    lines = "".join(
        f"<tr><td>{escape(each.name)}</td><td><code>{escape(each.type)}</code></td>"
        f"<td>{'may be empty' if each.nullable else 'never empty'}</td></tr>"
        for each in shown
    )
    more = _width(reading) - len(shown)
    rest = f"<p class=quiet>and {more} more</p>" if more > 0 else ""
    head = "<thead><tr><th>Column</th><th>Type</th><th>Empty</th></tr></thead>"
    table = f'<table class="plain">{head}<tbody>{lines}</tbody></table>{rest}'
    opened = " open" if _width(reading) <= 12 else ""  # noqa: PLR2004 - what is seen at a glance
    number = counted(_width(reading), "column")
    return f"<details{opened}><summary>{number}</summary>{table}</details>"
