"""Registered models as rows, and what is known of one in words."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from html import escape

from allotment.model.amounts import format_size
from allotment.model.documents import LimitUse, RegisteredModel
from allotment.model.limits import LimitKind
from allotment_widgets.columns import Column, State
from allotment_widgets.sentences import moment_html
from allotment_widgets.source_rows import facts_html, links_html

STATES = {
    "kept": State("Kept", "ok"),
    "elsewhere": State("At its URI", "plain"),
    "empty": State("No file yet", "warn"),
}
MODEL_COLUMNS = (
    Column("name", "Model", flex=1.1, width=108, hover="description"),
    Column("version", "Version", width=88),
    Column("person", "Owner", width=92, hide_narrow=True),
    Column(
        "metrics", "Metrics", flex=1.7, width=124, hover="metrics", sortable=False, hide_narrow=True
    ),
    Column("datasets", "Came from", flex=0.9, width=104, hover="datasets", hide_narrow=True),
    Column("where", "Where", flex=1.3, width=112, hover="where", hide_narrow=True),
    Column("size", "Size", kind="bytes", width=88, hide_narrow=True),
    Column("audience", "Shared with", flex=0.9, width=120, hover="audience", extra=True),
    Column("created_at", "Registered", kind="time", width=108, hide_narrow=True),
    Column("state", "File", kind="state", states=STATES, width=128),
)
NOT_SENT = "No file was sent yet: nobody can load it."


def model_id(model: RegisteredModel) -> str:
    """What a row is known by."""
    return f"{model.name}/{model.version}"


def model_state(model: RegisteredModel) -> str:
    """The state that a row shows."""
    if model.target is None:
        return "elsewhere"
    return "kept" if model.file else "empty"


def model_row(model: RegisteredModel) -> dict[str, object]:
    """One version of a model as a row."""
    return {
        "id": model_id(model),
        "name": model.name,
        "version": model.version,
        "description": model.description,
        "person": model.person,
        "metrics": metric_words(model),
        "datasets": ", ".join(model.datasets) or None,
        "where": model.uri or f"target {model.target}",
        "size": model.size,
        "audience": audience_words(model),
        "created_at": model.created_at,
        "state": model_state(model),
    }


def metric_words(model: RegisteredModel) -> str | None:
    """``auc 0.91, loss 0.2``."""
    said = (f"{name} {value:.4g}" for name, value in sorted(model.metrics.items()))
    return ", ".join(said) or None


def audience_words(model: RegisteredModel) -> str | None:
    """Who may load it beside its owner, where that is told."""
    return None if model.audience is None else model.audience.words or "nobody else"


def binding_limit(limits: Iterable[LimitUse]) -> LimitUse | None:
    """The limit of registered models that binds a person: of several groups' the most generous."""
    found = [one for one in limits if one.kind is LimitKind.MODELS]
    return max(found, key=lambda one: (one.value is None, one.value or 0), default=None)


def limit_words(limit: LimitUse | None) -> str:
    """How many models somebody has and may have, and what says so."""
    if limit is None:
        return ""
    if limit.value is None:
        return f"{limit.used} registered, no limit"
    return f"{limit.used} of {limit.value} ({limit.source})"


def model_html(
    model: RegisteredModel, limit: LimitUse | None, now: datetime, *, people: bool
) -> str:
    """All that is known of a version of a model; ``people`` is whether there is a panel of people to link to.

    A URI is text and no link: somebody wrote it, and nobody has looked there.
    """
    name = escape(model.name)
    title = f"<h2>{name} <span class=quiet>version {escape(model.version)}</span></h2>"
    about = f"<p>{escape(model.description)}</p>" if model.description else ""
    missing = (
        f'<div class="reasons" role="status"><p>{NOT_SENT}</p></div>'
        if model_state(model) == "empty"
        else ""
    )
    kept = model.target is not None
    rows = [
        ("Metrics", escape(metric_words(model) or "none were given")),
        ("Came from", _came_from(model.datasets)),
        ("Kept in", links_html("targets", [model.target]) if model.target else ""),
        ("File", _file(model) if kept else ""),
        ("Lies at", f"<code>{escape(model.uri)}</code>" if model.uri else ""),
        ("Owner", _owner(model.person, people=people)),
        ("Their models", escape(limit_words(limit))),
        ("Shared with", escape(audience_words(model) or "told to its owner")),
        ("Registered", moment_html(model.created_at, now) if model.created_at else ""),
    ]
    return f"{title}{missing}{about}{facts_html(rows)}"


def _owner(person: str, *, people: bool) -> str:
    if not person:
        return "nobody: whoever registered it was removed"
    return links_html("users", [person]) if people else escape(person)


def _came_from(datasets: tuple[str, ...]) -> str:
    if not datasets:
        return "no dataset was named"
    links = (
        f"{links_html('datasets', [name])} version {escape(number)}"
        for name, _, number in (one.partition("@") for one in datasets)
    )
    return "<br>".join(links)


def _file(model: RegisteredModel) -> str:
    if not model.file:
        return ""
    size = format_size(model.size or 0)
    return f"{escape(model.file)}, {size}, SHA-256 <code>{escape(model.sha256[:16])}…</code>"


def model_line(model: RegisteredModel) -> str:
    """What loads it in a notebook; empty where the platform keeps no file of it."""
    if not model.file:
        return ""
    return f"import allotment\n\nallotment.load_model({model.name!r}, {model.version!r})"


def register_line() -> str:
    """What registers a first model."""
    return (
        "import allotment\n\n"
        'allotment.register_model("churn", "1", file="churn.onnx", target="history", '
        'metrics={"auc": 0.91}, datasets=["sales@3"])'
    )
