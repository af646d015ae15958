"""With whom data may be shared, and by whom. Pure.

Data custodians and operators share anything with anybody. A lead shares sources of a led group within
led groups; whoever registers a dataset shares it within own groups. Data about people is for nobody
who is not named, by group or person.
"""

from __future__ import annotations

from collections.abc import Collection

from allotment.model.datasets import Dataset, PrivacyLabel
from allotment.model.people import Permission
from allotment.model.reasons import Reason, Rule
from allotment.model.sources import Audience, Source
from allotment.rules.permission import Action, Caller, Target, judge

MOST_OF_PERSON = 1_000
"""Datasets that one person registers."""
_NAMED = 12


def source_target(source: Source) -> Target:
    """A source as permission sees it: a lead changes it who leads its group and all that it is shared with."""
    if source.group is None:
        return Target()
    return Target(groups=tuple(sorted({source.group, *source.audience.groups})))


def dataset_target(dataset: Dataset) -> Target:
    """A dataset as permission sees it: whose it is, and the group whose leads manage it."""
    groups = () if dataset.group is None else (dataset.group,)
    return Target(person=dataset.created_by, groups=groups)


def change_source(caller: Caller, source: Source, members: Collection[str]) -> Reason | None:
    """Why the caller may not change a source, or (asked about what it would become) share it so.

    ``members`` are the people in the groups that the caller leads. Ask for what is and what would be.
    """
    refused = judge(caller, Action.CHANGE_SOURCE, source_target(source))
    return refused or sharing_reason(caller, source.audience, caller.leads, members)


def change_dataset(caller: Caller, dataset: Dataset, members: Collection[str]) -> Reason | None:
    """Why the caller may not change a dataset, or (asked about what it would become) share it so.

    ``members`` are the people in the caller's groups. Ask for what is and what would be; a dataset
    that is shared more widely by somebody who may is not its owner's to change until that is undone.
    """
    refused = judge(caller, Action.CHANGE_DATASET, dataset_target(dataset))
    groups = (*caller.authority.groups, *caller.leads)
    return (
        refused
        or label_reason(dataset.label, dataset.audience)
        or sharing_reason(caller, dataset.audience, groups, members)
    )


def number_reason(caller: Caller, registered: int) -> Reason | None:
    """Why the caller may not register one dataset more; custodians and operators register any number."""
    if registered < MOST_OF_PERSON or Permission.MANAGE_SOURCES in caller.permissions:
        return None
    return Reason(
        Rule.DATA_SOURCE,
        f"You have registered {registered:,} datasets.",
        limit=MOST_OF_PERSON,
        used=registered,
        asked=1,
        remedy="Delete some, or register folders: all files below one are one dataset.",
    )


def undo_reason(
    caller: Caller, before: Dataset, after: Dataset, *, manages_source: bool
) -> Reason | None:
    """Why the caller may not enable a dataset again: what others have revoked is not its owner's to undo."""
    undone = after.enabled and not before.enabled and before.revoked_by is not None
    mine = before.revoked_by == caller.person or manages_source
    if not undone or mine or Permission.MANAGE_SOURCES in caller.permissions:
        return None
    return Reason(
        Rule.DATA_ENABLED,
        f"{before.name} was revoked by {before.revoked_by}.",
        remedy="Ask them, or whoever manages its source, to enable it again.",
    )


def sharing_reason(
    caller: Caller, audience: Audience, groups: Collection[str], members: Collection[str]
) -> Reason | None:
    """Why the caller may not share with this audience: only within these groups and their members."""
    if Permission.MANAGE_SOURCES in caller.permissions:
        return None
    others = sorted(set(audience.groups) - set(groups))
    strangers = sorted(set(audience.people) - {caller.person, *members})
    beyond = (*(f"group {name}" for name in others), *strangers)
    if audience.everyone:
        beyond = ("everyone", *beyond)
    if not beyond:
        return None
    within = ", ".join(sorted(set(groups))) or "nobody but yourself"
    return Reason(
        Rule.DATA_AUDIENCE,
        f"You may not share with {', '.join(beyond[:_NAMED])}.",
        remedy=f"Share within {within}, or ask a data custodian or an operator.",
        details=beyond,
    )


def label_reason(label: PrivacyLabel, audience: Audience) -> Reason | None:
    """Why something of this privacy label may not have this audience, whoever shares it."""
    if label is not PrivacyLabel.PERSONAL or not audience.everyone:
        return None
    return Reason(
        Rule.DATA_LABEL,
        "Data about people is not shared with everyone.",
        remedy="Name the groups and people who need it, or choose another label.",
    )
