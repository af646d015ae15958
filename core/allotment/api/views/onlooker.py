"""Who looks at data: a caller, in groups of now, perhaps with a server; and what that lets them know and change."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from allotment.model.datasets import Dataset, PrivacyLabel
from allotment.model.people import Permission
from allotment.model.reasons import Reason, Rule
from allotment.model.refusals import NotFound, NotPermitted, Refusal
from allotment.model.sources import Source
from allotment.record import Reading, datasets, memberships, sources
from allotment.rules.data_access import (
    Asker,
    dataset_grounds,
    knows_dataset,
    knows_source,
    source_grounds,
    unknown,
)
from allotment.rules.data_sharing import change_dataset, change_source
from allotment.rules.permission import Caller


class NotShared(NotFound):
    """There is none, or the caller may not know that there is: both are said in the same words."""

    def __init__(self, what: str, name: str) -> None:
        Refusal.__init__(self, unknown(what, name))


def refused(reason: Reason) -> Refusal:
    """What is raised where data may not be used: who it is not shared with is not permitted, others are told why."""
    return NotPermitted(reason) if reason.rule is Rule.DATA_AUDIENCE else Refusal(reason)


@dataclass(frozen=True, slots=True)
class Onlooker:
    """A caller, with the people whom they may share with: members of groups they lead, and of own groups."""

    caller: Caller
    led: frozenset[str]
    fellows: frozenset[str]

    @classmethod
    def of(cls, reading: Reading, caller: Caller, now: datetime) -> Onlooker:
        """Read what is not known of the caller yet."""
        led = memberships.members(reading, caller.leads, now)
        own = memberships.members(reading, caller.authority.groups, now)
        return cls(caller, led, led | own)

    @property
    def asker(self) -> Asker:
        """As the rules of data know them: with the server whose token was shown, if it is one's."""
        return Asker.of(self.caller.person, self.caller.authority.groups, self.caller.server)

    @property
    def is_known(self) -> bool:
        """Whether they are on-boarded: *everyone* is everyone who is."""
        return bool(self.caller.authority.role)

    @property
    def sees_all(self) -> bool:
        """Whether every source and dataset is shown, with who may use it."""
        return Permission.SEE_ALL in self.caller.permissions

    def manages_source(self, source: Source) -> bool:
        """Whether a source is theirs to change as it is now."""
        return change_source(self.caller, source, self.led) is None

    def manages_dataset(self, dataset: Dataset) -> bool:
        """Whether a dataset is theirs to change as it is now."""
        return change_dataset(self.caller, dataset, self.fellows) is None

    def knows_source(self, source: Source) -> bool:
        """Whether they may know that a source is there."""
        inside = self.sees_all or self.manages_source(source)
        return inside or (self.is_known and knows_source(source, self.asker))

    def lists_source(self, source: Source) -> bool:
        """Whether a source is in their list: who does not manage it sees what may be used now."""
        inside = self.sees_all or self.manages_source(source)
        usable = source_grounds(source, self.asker) is not None
        return inside or (self.is_known and usable)

    def knows_dataset(self, dataset: Dataset) -> bool:
        """Whether they may know that a dataset is there."""
        inside = self.sees_all or self.manages_dataset(dataset)
        return inside or (self.is_known and knows_dataset(dataset, self.asker))

    def lists_dataset(self, dataset: Dataset, source: Source | None) -> bool:
        """Whether a dataset is in their list: what they manage, what is public, what may be loaded now."""
        inside = self.sees_all or self.manages_dataset(dataset)
        public = dataset.label is PrivacyLabel.PUBLIC and dataset.enabled
        usable = dataset_grounds(dataset, source, self.asker) is not None
        return inside or (self.is_known and (public or usable))


def known_source(reading: Reading, onlooker: Onlooker, name: str) -> Source:
    """A source that may be known of.

    Raises:
        NotShared: there is none, or whoever asks may not know it.
    """
    try:
        source = sources.get(reading, name)
    except NotFound:
        raise NotShared("source", name) from None
    if not onlooker.knows_source(source):
        raise NotShared("source", name)
    return source


def known_dataset(reading: Reading, onlooker: Onlooker, name: str) -> Dataset:
    """A dataset that may be known of.

    Raises:
        NotShared: there is none, or whoever asks may not know it.
    """
    try:
        dataset = datasets.get(reading, name)
    except NotFound:
        raise NotShared("dataset", name) from None
    if not onlooker.knows_dataset(dataset):
        raise NotShared("dataset", name)
    return dataset


def source_of(reading: Reading, dataset: Dataset) -> Source | None:
    """The source through which a dataset is read, if through one."""
    return None if dataset.source is None else sources.get(reading, dataset.source)
