"""Sources as rows, and what is known of one in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from html import escape
from typing import Any

from allotment.model.amounts import counted
from allotment.model.documents import Dataset, Proof, Source, SourceField, SourceForm
from allotment.model.sources import SourceKind, Verdict
from allotment_widgets.columns import Column, State
from allotment_widgets.sentences import HOUR, MINUTE, listed, moment_html

STATES = {
    "enabled": State("Enabled", "ok"),
    "unusable": State("Unusable", "warn"),
    "disabled": State("Disabled", "quiet"),
    "revoked": State("Revoked", "bad"),
}
PROOFS = {
    "read-only": State("Proven", "ok"),
    "accepted": State("Accepted", "warn"),
    "writable": State("Writable", "bad"),
    "unproven": State("Not proven", "bad"),
    "untried": State("Not tried", "warn"),
}
ENDS = {
    "soon": State("Within a minute", "ok"),
    "late": State("Later", "plain"),
    "never": State("Not: shared", "warn"),
}
"""When revoking ends what servers were lent."""
SOURCE_COLUMNS = (
    Column("id", "Source", flex=1.1, width=98, hover="title"),
    Column("kind", "Kind", width=150, hide_narrow=True),
    Column("audience", "Who may use it", flex=1.4, width=124, hover="audience", hide_narrow=True),
    Column("proof", "Read-only", kind="state", states=PROOFS, hover="found", width=134),
    Column(
        "ends",
        "Revoking ends it",
        kind="state",
        states=ENDS,
        words="ends_words",
        hover="ending",
        width=178,
        hide_narrow=True,
    ),
    Column("proven_at", "Tried", kind="time", width=104, hide_narrow=True),
    Column("datasets", "Datasets", kind="number", width=98, extra=True),
    Column("state", "State", kind="state", states=STATES, hover="obstacle", width=124),
)
SHARED = "Its users can read the password of the registered account."
DATABASES = frozenset(
    {
        SourceKind.POSTGRESQL,
        SourceKind.MYSQL,
        SourceKind.MARIADB,
        SourceKind.ORACLE,
        SourceKind.SNOWFLAKE,
        SourceKind.SQLITE,
    }
)
BY_PATH = frozenset({SourceKind.SQLITE, SourceKind.FOLDER})
"""Kinds of which nothing is lent: servers open the file themselves."""


def source_state(source: Source) -> str:
    """The state that a row shows."""
    if not source.enabled:
        return "revoked" if source.revoked_at else "disabled"
    return "enabled" if source.proven or source.accepted else "unusable"


def proof_state(source: Source) -> str:
    """What is known of whether users could write."""
    if source.proof is None:
        return "untried"
    if source.proof.verdict is Verdict.READ_ONLY:
        return "read-only"
    return "accepted" if source.accepted else str(source.proof.verdict)


def source_row(source: Source, datasets: Iterable[Dataset]) -> dict[str, object]:
    """One source as a row; ``datasets`` are those that are known."""
    proof = source.proof
    return {
        "id": source.name,
        "title": source.title or source.description,
        "kind": source.kind_title,
        "audience": audience_words(source),
        "proof": proof_state(source),
        "found": " ".join([*proof_lines(proof), SHARED if source.shared else ""]).strip(),
        "ends": _ends(source),
        "ends_words": f"Within {_lasts_words(proof)}" if _ends(source) == "late" else None,
        "ending": None if proof is None else proof.ending,
        "proven_at": None if proof is None else proof.at,
        "datasets": sum(1 for each in datasets if each.source == source.name),
        "state": source_state(source),
        "obstacle": source.obstacle if source_state(source) != "enabled" else "",
    }


def _ends(source: Source) -> str | None:
    proof = source.proof
    if source.shared:
        return "never"
    if proof is None or proof.ends_within is None:
        return None
    return "soon" if proof.ends_within <= MINUTE else "late"


def audience_words(thing: Source | Dataset) -> str | None:
    """Who may use something, where that is told."""
    return None if thing.audience is None else thing.audience.words or "nobody yet"


def proof_lines(proof: Proof | None) -> list[str]:
    """What a proof has found, in sentences."""
    if proof is None:
        return ["Nobody has tried yet whether its users could write."]
    if proof.verdict is Verdict.READ_ONLY:
        return ["Every write that was tried was refused."]
    if proof.verdict is Verdict.WRITABLE:
        return [f"Its users could write: {'; '.join(proof.possible)}."]
    return [f"It could not be tried: {proof.problem.rstrip('.')}."]


def source_html(
    source: Source,
    form: SourceForm | None,
    datasets: Iterable[Dataset],
    now: datetime,
    held_by: Sequence[str] | None = None,
) -> str:
    """All that is known of a source; ``held_by`` are the servers that hold it, None where that is not known (yet)."""
    name = escape(source.name)
    title = f"<h2>{escape(source.title or source.name)} <span class=quiet>({name})</span></h2>"
    about = f"<p>{escape(source.description)}</p>" if source.description else ""
    rows = [
        ("Who may use it", escape(audience_words(source) or "not told")),
        ("Managed by", escape(_managed_words(source.group))),
        ("Read-only", _proof_html(source, now)),
        ("When revoked", escape(revoked_words(source))),
        ("Held by", escape(_held_words(held_by))),
        *_entered(source, form),
        (
            "Datasets",
            links_html("datasets", (each.name for each in datasets if each.source == source.name)),
        ),
        ("Registered", _registered(source, now)),
    ]
    return f"{title}{_obstacle(source)}{about}{facts_html(rows)}"


def revoked_words(source: Source) -> str:
    """What becomes of what servers were lent, when it is revoked or deleted, and by when."""
    if source.shared:
        return (
            "Servers were lent the registered account itself: nobody is lent it any more, and who has "
            "read its secret can use it until it is changed in the source."
        )
    if source.kind in BY_PATH:
        return "Servers read it by its path: it is refused there, and the file system's rights stay as they are."
    if source.kind in DATABASES:
        return "Accounts that were lent are dropped within a minute; queries that run are cut off."
    within = _lasts_words(source.proof)
    return f"Keys that were lent cannot be taken back: they end by themselves, within {within}."


def _lasts_words(proof: Proof | None) -> str:
    """``a minute``, ``15 minutes``; where nothing has shown it, as long as any key may."""
    seconds = None if proof is None else proof.ends_within
    if seconds is None or seconds == HOUR:
        return "an hour"
    return "a minute" if seconds <= MINUTE else f"{-(-seconds // MINUTE)} minutes"


def facts_html(rows: Iterable[tuple[str, str]]) -> str:
    """Labels with what is said of each, as HTML; what has nothing to say is left out."""
    lines = "".join(
        f"<tr><th scope=row>{escape(label)}</th><td>{said}</td></tr>"
        for label, said in rows
        if said
    )
    return f'<table class="plain facts-table"><tbody>{lines}</tbody></table>'


def _held_words(held_by: Sequence[str] | None) -> str:
    if held_by is None:
        return ""
    if not held_by:
        return "no server that runs"
    return f"{counted(len(held_by), 'server')}: {listed(held_by)}"


def _managed_words(group: str | None) -> str:
    return f"leads of {group}" if group else "data custodians and operators"


def _obstacle(source: Source) -> str:
    if source.revoked_at is not None and not source.enabled:
        said = f"Revoked on {source.revoked_at:%d %b %Y at %H:%M} UTC: no server reads it."
        return f'<p class="quiet">{escape(said)}</p>'
    if not source.enabled:
        return '<p class="quiet">Disabled: new servers do not have it.</p>'
    if source.proven or source.accepted:
        return ""
    said = "Nobody can use it before it is proven read-only, or accepted as it is."
    return f'<div class="reasons" role="status"><p>{escape(said)}</p></div>'


def _proof_html(source: Source, now: datetime) -> str:
    proof = source.proof
    lines = [escape(line) for line in proof_lines(proof)]
    if proof is not None:
        lines[0] = (
            f"<b>{escape(PROOFS[proof_state(source)].word)}</b>, {moment_html(proof.at, now)}. {lines[0]}"
        )
    if source.accepted and not source.proven:
        by = f" by {source.accepted_by}" if source.accepted_by else ""
        lines.append(escape(f"Accepted as it is{by}."))
    if source.shared:
        lines.append(escape(SHARED))
    return "<br>".join(lines)


def tried_html(proof: Proof | None) -> str:
    """What a proof tried, folded away. It is a piece of its own: what was unfolded stays so."""
    if proof is None or not proof.tried:
        return ""
    tried = "".join(f"<li>{escape(one)}</li>" for one in proof.tried)
    return f"<details><summary>What was tried</summary><ul>{tried}</ul></details>"


def _entered(source: Source, form: SourceForm | None) -> list[tuple[str, str]]:
    """What was entered, by the labels of its form; of secrets only whether they are kept."""
    if source.fields is None:
        return [("Kind", escape(source.kind_title))]
    declared = () if form is None else form.fields
    kept = set(source.secrets or ())
    rows = [("Kind", escape(source.kind_title))]
    for one in declared:
        if one.type == "secret":
            said = "kept, encrypted" if one.name in kept else ""
        else:
            said = _value_words(one, source.fields)
        rows.append((one.label, escape(said)))
    return rows


def _value_words(field: SourceField, values: Mapping[str, Any]) -> str:
    value = values.get(field.name)
    if field.when is not None and str(values.get(field.when[0])) != field.when[1]:
        return ""
    if field.type == "choice":
        return dict(field.choices).get(str(value), str(value or ""))
    if field.type == "switch":
        return "yes" if value else "no"
    if field.type == "long":
        return "entered" if value else ""
    return "" if value is None else str(value)


def links_html(panel: str, names: Iterable[str]) -> str:
    """Links to things of another panel."""
    return ", ".join(
        f'<a href="#{panel}" data-go="{panel}" data-about="{escape(each)}">{escape(each)}</a>'
        for each in names
    )


def _registered(source: Source, now: datetime) -> str:
    if source.created_at is None:
        return ""
    by = f" by {escape(source.created_by)}" if source.created_by else ""
    changed = source.changed_at
    since = ""
    if changed is not None and changed != source.created_at:
        since = f"; connection changed {moment_html(changed, now)}"
    declared = "; declared by the settings file" if source.declared else ""
    return f"{moment_html(source.created_at, now)}{by}{since}{declared}"
