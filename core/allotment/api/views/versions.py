"""Versions and targets as documents."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict

from allotment.model import documents
from allotment.model.versions import Version, VersionDifference, VersionFile, VersionTarget
from allotment.work.cleaning import Unneeded


def version_document(version: Version) -> documents.Version:
    """A version, without its files."""
    return documents.Version(
        dataset=version.dataset,
        number=version.number,
        state=version.state,
        message=version.message,
        committed_by=version.committed_by,
        at=version.at,
        target=version.target,
        space=version.space,
        commit=version.commit,
        tags=version.tags,
        files=version.files,
        size=version.size,
        rows=version.rows,
        done=version.done,
        total=version.total,
        problem=version.problem,
    )


def file_documents(files: Iterable[VersionFile]) -> tuple[documents.VersionFile, ...]:
    """Files of a version."""
    return tuple(documents.VersionFile(path=one.path, size=one.size, md5=one.md5) for one in files)


def difference_document(dataset: str, found: VersionDifference) -> documents.VersionDifference:
    """What is different between two versions."""
    return documents.VersionDifference(
        dataset=dataset,
        before=found.before,
        after=found.after,
        added=file_documents(found.added),
        removed=file_documents(found.removed),
        changed=file_documents(found.changed),
        rows=found.rows,
    )


def target_document(target: VersionTarget, *, inside: bool) -> documents.VersionTarget:
    """A target; ``inside`` for those who may change it, or see everything."""
    return documents.VersionTarget(
        name=target.name,
        title=target.title,
        metadata_kind=target.metadata_kind,
        contents_kind=target.contents_kind,
        metadata=dict(target.metadata) if inside else None,
        contents=dict(target.contents) if inside else None,
        secrets=target.secrets if inside else None,
        enabled=target.enabled,
        tested_at=target.tested_at,
        problem=target.problem if inside else "",
        revision=target.revision,
    )


def cleaning_document(
    target: str, found: Iterable[Unneeded], *, complete: bool = True
) -> documents.TargetCleaning:
    """What a target keeps that nothing needs."""
    items = tuple(documents.Unneeded(**asdict(one)) for one in found)
    return documents.TargetCleaning(target=target, items=items, complete=complete)
