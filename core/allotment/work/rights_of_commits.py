"""Whether whoever commits a version may still read what is committed, in the groups and the role of now."""

from __future__ import annotations

from datetime import datetime

from allotment.model.datasets import Dataset
from allotment.model.reasons import Reason, Rule
from allotment.model.sources import Source
from allotment.record import Reading, memberships, people
from allotment.rules.data_access import Asker, dataset_reason, source_reason
from allotment.rules.data_sharing import change_dataset, change_source
from allotment.rules.permission import Caller, Reach


def reading_reason(
    reading: Reading, person: str, dataset: Dataset, source: Source | None, now: datetime
) -> Reason | None:
    """Why this person may not read a dataset's files any more, to commit them; None while they may.

    ``source`` is the one through which the files are read. Who manages a source or dataset reads it
    without being in its audience, as when a commit is begun. No server's promise counts: a commit is its
    person's.
    """
    authority = people.authority(reading, person, now)
    if not authority.role:
        return Reason(
            Rule.PERSON_ONBOARDED,
            f"{person} is not on-boarded any more.",
            remedy="Somebody who may use the dataset can commit it.",
        )
    unproven = proof_reason(source)
    if unproven is not None:
        return unproven
    caller = Caller(authority, Reach.EVERYTHING)
    asker = Asker.of(person, authority.groups, None)
    led = memberships.members(reading, authority.leads, now)
    if source is not None and change_source(caller, source, led) is not None:
        reason = source_reason(source, asker)
        if reason is not None:
            return _lost(person, f"source {source.name!r}", reason)
    fellows = led | memberships.members(reading, authority.groups, now)
    if change_dataset(caller, dataset, fellows) is None:
        return None
    reason = dataset_reason(dataset, None, asker)
    return None if reason is None else _lost(person, f"dataset {dataset.name!r}", reason)


def proof_reason(source: Source | None) -> Reason | None:
    """Why nothing of a source may be kept yet, whoever manages it: versions outlive what is decided later."""
    if source is None or source.usable:
        return None
    return Reason(
        Rule.DATA_PROOF,
        f"Nothing shows yet that users of source {source.name!r} cannot write, so no version is kept of it.",
        remedy="Have it proven, or accepted as it is.",
    )


def _lost(person: str, what: str, reason: Reason) -> Reason:
    """The reason, in words for all who see the version: those of who is not admitted are for them alone."""
    if reason.rule is not Rule.DATA_AUDIENCE:
        return reason
    return Reason(
        Rule.DATA_AUDIENCE,
        f"The {what} is not shared with {person} any more, who committed it.",
        remedy="Somebody with whom it is shared can commit it.",
    )
