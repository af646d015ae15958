"""Versions of datasets: begun, under way, committed or failed, in the order of their commits."""

from __future__ import annotations

import secrets
from collections import defaultdict
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from allotment.model.reasons import Reason, Rule
from allotment.model.refusals import NotFound, Refusal
from allotment.model.versions import Version, VersionState
from allotment.record import leases, leftovers, platform
from allotment.record.engine import Reading, Writing
from allotment.record.rows import named
from allotment.record.schema import datasets, version_tags, version_targets
from allotment.record.schema import versions as table
from allotment.rules import versioning

_TOKEN_BYTES = 16
_DIED = "Whoever committed it ended before it was done. Commit again."


def of(reading: Reading, dataset: str) -> tuple[Version, ...]:
    """The versions of a dataset, those under way and a failed one too, oldest first."""
    tags = _tags(reading, dataset)
    statement = (
        sa.select(table, datasets.c.space)
        .join(datasets, datasets.c.name == table.c.dataset)
        .where(table.c.dataset == dataset)
        .order_by(table.c.number)
    )
    return tuple(_from_row(row, tags) for row in reading.all(statement))


def get(reading: Reading, dataset: str, wanted: int | str) -> Version:
    """The version of a dataset with this number, tag, or that was the newest until a day, month or time.

    Only by its number can one be asked for that is not committed.

    Raises:
        NotFound: there is none.
    """
    rows = of(reading, dataset)
    if isinstance(wanted, int):
        found = next((one for one in rows if one.number == wanted), None)
    else:
        tags = {tag: number for number, of_it in _tags(reading, dataset).items() for tag in of_it}
        found = versioning.find(rows, tags, wanted, platform.time_zone(reading))
    if found is None:
        raise NotFound("version", f"{dataset}@{wanted}")
    return found


def newest(reading: Reading) -> dict[str, int]:
    """By dataset: the number of its newest committed version; who has none is left out."""
    rows = reading.all(
        sa.select(datasets.c.name, datasets.c.version).where(datasets.c.version.is_not(None))
    )
    return {row.name: row.version for row in rows}


def begin(writing: Writing, dataset: str, target: str, message: str, person: str) -> Version:
    """Begin a commit: its number is taken from now on. A failed one that was the last leaves its number.

    Raises:
        NotFound: there is no such dataset or target.
        Refusal: the target is disabled, it is being cleaned, or earlier versions lie in another.
    """
    statement = sa.select(datasets).where(datasets.c.name == dataset)
    row = writing.first(statement.with_for_update())
    if row is None:
        raise NotFound("dataset", dataset)
    place = named(writing, version_targets, "target", target)
    rows = of(writing, dataset)
    reason = _reason(target, enabled=place.enabled, rows=rows)
    if reason is not None:
        raise Refusal(reason)
    if leases.held(writing, leftovers.cleaning_lease(row.space)):
        raise Refusal(
            Reason(
                Rule.DATA_VERSION,
                f"What dataset {dataset!r} keeps in targets is being cleaned.",
                remedy="Commit again in a minute.",
            )
        )
    # A failed one that was read through another source stays: its contents are in the space, too.
    now = (row.source, row.opened_by is None)
    stays = [
        one.number
        for one in rows
        if one.state is not VersionState.FAILED or (one.source, one.opened_by is None) != now
    ]
    number = max(stays, default=0) + 1
    writing.run(table.delete().where(table.c.dataset == dataset, table.c.number >= number))
    writing.run(
        table.insert().values(
            dataset=dataset,
            number=number,
            state=str(VersionState.COMMITTING),
            message=message,
            committed_by=person,
            at=writing.now,
            target=target,
            alive_at=writing.now,
            source=row.source,
            opened_by=row.opened_by,
            token=secrets.token_hex(_TOKEN_BYTES),
        )
    )
    return get(writing, dataset, number)


def progress(
    writing: Writing, dataset: str, number: int, done: int, total: int, token: str | None = None
) -> bool:
    """Say that a commit lives, and how many bytes of how many are done. Returns whether it still counts.

    Whoever carries it out names its ``token``, here and below: the number may be that of another by now.
    """
    values = {"done": done, "total": total, "alive_at": writing.now}
    match = _committing(dataset, number, token)
    changed = writing.run(table.update().where(*match).values(**values))
    return changed.rowcount > 0


def finish(  # noqa: PLR0913 - each is a column of the version
    writing: Writing,
    dataset: str,
    number: int,
    *,
    commit: str,
    files: int,
    size: int,
    rows: int | None = None,
    token: str | None = None,
) -> Version:
    """End a commit: there is a version now. ``commit`` is what the target calls it.

    Raises:
        NotFound: there is no such version.
        Refusal: it was given up meanwhile.
    """
    values = {
        "state": str(VersionState.COMMITTED),
        "commit_id": commit,
        "files": files,
        "size": size,
        "rows": rows,
        "done": size,
        "total": size,
        "at": writing.now,
        "alive_at": writing.now,
    }
    match = _committing(dataset, number, token)
    changed = writing.run(table.update().where(*match).values(**values))
    made = get(writing, dataset, number)
    if not changed.rowcount:
        raise Refusal(
            Reason(
                Rule.DATA_VERSION,
                f"Version {number} of {dataset!r} is not under way any more.",
                remedy="Commit again.",
            )
        )
    writing.run(
        datasets.update()
        .where(
            datasets.c.name == dataset,
            sa.or_(datasets.c.version.is_(None), datasets.c.version < number),
        )
        .values(version=number)
    )
    after = {"version": number, "message": made.message, "files": files, "size": size}
    writing.event("version.committed", dataset, person=made.committed_by, after=after)
    return made


def fail(
    writing: Writing, dataset: str, number: int, problem: str, token: str | None = None
) -> bool:
    """Give a commit up: there is no version of it. Returns whether it was under way."""
    values = {"state": str(VersionState.FAILED), "problem": problem}
    changed = writing.run(
        table.update()
        .where(*_committing(dataset, number, token))
        .values(**values)
        .returning(table.c.committed_by)
    ).first()
    if changed is None:
        return False
    after = {"version": number, "problem": problem}
    writing.event("version.failed", dataset, person=changed.committed_by, after=after)
    return True


def end_abandoned(writing: Writing, silent_for: timedelta) -> tuple[tuple[str, int], ...]:
    """Give up commits of which nothing was heard for so long, and say which: dataset and number."""
    statement = (
        sa.select(table.c.dataset, table.c.number)
        .where(
            table.c.state == str(VersionState.COMMITTING),
            table.c.alive_at <= writing.now - silent_for,
        )
        .order_by(table.c.dataset, table.c.number)
    )
    found = tuple((row.dataset, row.number) for row in writing.all(statement))
    return tuple(one for one in found if fail(writing, *one, _DIED))


def tag(
    writing: Writing, dataset: str, number: int, tags: tuple[str, ...], space: str | None = None
) -> Version:
    """Give a version exactly these tags; one that another version had moves here.

    Raises:
        NotFound: there is no such version, or its dataset is not the one that has this ``space``.
        Refusal: it is not committed, or one of them is no tag.
    """
    before = get(writing, dataset, number)
    if space is not None and before.space != space:
        raise NotFound("version", f"{dataset}@{number}")
    reasons = [one for one in map(versioning.tag_reason, tags) if one is not None]
    if before.state is not VersionState.COMMITTED:
        reasons.append(
            Reason(Rule.DATA_VERSION, f"Version {number} of {dataset!r} is {before.state}.")
        )
    if reasons:
        raise Refusal(*reasons)
    wanted = tuple(dict.fromkeys(tags))
    writing.run(
        version_tags.delete().where(
            version_tags.c.dataset == dataset,
            sa.or_(version_tags.c.number == number, version_tags.c.tag.in_(wanted)),
        )
    )
    for one in wanted:
        writing.run(version_tags.insert().values(dataset=dataset, tag=one, number=number))
    after = get(writing, dataset, number)
    if after.tags != before.tags:
        said = (
            {"version": number, "tags": list(before.tags)},
            {"version": number, "tags": list(after.tags)},
        )
        writing.event("version.tagged", dataset, before=said[0], after=said[1])
    return after


def _reason(target: str, *, enabled: bool, rows: tuple[Version, ...]) -> Reason | None:
    if not enabled:
        return versioning.disabled_reason(target)
    others = {one.target for one in rows if one.state is not VersionState.FAILED} - {target}
    if not others:
        return None
    where = ", ".join(sorted(others))
    return Reason(
        Rule.DATA_VERSION,
        f"Earlier versions lie in {where}, and a dataset's versions lie in one target.",
        remedy=f"Commit to {where}.",
    )


def _committing(dataset: str, number: int, token: str | None) -> tuple[sa.ColumnElement[bool], ...]:
    match = (
        table.c.dataset == dataset,
        table.c.number == number,
        table.c.state == str(VersionState.COMMITTING),
    )
    return match if token is None else (*match, table.c.token == token)


def _tags(reading: Reading, dataset: str) -> dict[int, tuple[str, ...]]:
    statement = sa.select(version_tags).where(version_tags.c.dataset == dataset)
    found: dict[int, list[str]] = defaultdict(list)
    for row in reading.all(statement.order_by(version_tags.c.tag)):
        found[row.number].append(row.tag)
    return {number: tuple(tags) for number, tags in found.items()}


def _from_row(row: sa.Row[Any], tags: dict[int, tuple[str, ...]]) -> Version:
    return Version(
        dataset=row.dataset,
        number=row.number,
        state=VersionState(row.state),
        message=row.message,
        committed_by=row.committed_by,
        at=row.at,
        target=row.target,
        space=row.space,
        commit=row.commit_id,
        tags=tags.get(row.number, ()),
        files=row.files,
        size=row.size,
        rows=row.rows,
        done=row.done,
        total=row.total,
        problem=row.problem,
        source=row.source,
        opened_by=row.opened_by,
        token=row.token,
    )
