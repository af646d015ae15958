"""Who may use and manage data: one place for sources, datasets and models. Pure.

A server may use what its terms promised and what is granted now, less what was revoked. *Granted*: it is
enabled, its proof is good, and its audience admits the person, in the groups of now. *Promised*: so it
was at admission; that lasts, whatever is disabled since, while the person still has one of the grounds
on which it was promised: who leaves a group loses what came by that group. *Revoked*: promises from
before that moment are void. What leads somewhere else since is promised no more until it is proven.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from allotment.model.allotments import Allotment
from allotment.model.datasets import Dataset, PrivacyLabel
from allotment.model.reasons import Reason, Rule
from allotment.model.registered_models import RegisteredModel
from allotment.model.sources import Audience, Source
from allotment.model.versions import Version

EVERYONE, PERSON = "everyone", "person"
_GROUP = "group:"


class Grounds(StrEnum):
    """Why something may be used."""

    GRANTED = "granted"
    """Now, by its audience."""
    PROMISED = "promised"
    """To this server, when it was admitted."""


@dataclass(frozen=True, slots=True)
class Promise:
    """What a server was promised of one source or dataset: on which grounds, and (datasets) the version."""

    by: tuple[str, ...]
    version: int | None = None

    def lasts(self, groups: Collection[str]) -> bool:
        """Whether the person still has one of its grounds, in these groups now."""
        return any(
            ground in {EVERYONE, PERSON}
            or (ground.startswith(_GROUP) and ground.removeprefix(_GROUP) in groups)
            for ground in self.by
        )


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks for data: a person in the groups of now, and perhaps with a server that was promised some.

    Without a server (a person's own token, a page) there are no promises and no ``admitted_at``.
    """

    person: str
    groups: tuple[str, ...] = ()
    admitted_at: datetime | None = None
    sources: Mapping[str, Promise] = field(default_factory=dict)
    datasets: Mapping[str, Promise] = field(default_factory=dict)

    @classmethod
    def of(cls, person: str, groups: tuple[str, ...], allotment: Allotment | None) -> Asker:
        """The asker, with the server whose token was shown, if it is this person's and has not ended."""
        if allotment is None or allotment.person != person or not allotment.active:
            return cls(person, groups)
        return cls(
            person,
            groups,
            allotment.admitted_at,
            promises(allotment.terms, "sources"),
            promises(allotment.terms, "datasets"),
        )


def promises(terms: Mapping[str, Any], what: str) -> dict[str, Promise]:
    """Read from an allotment's terms what it was promised of ``sources`` or ``datasets``, by name."""
    return {
        one["name"]: Promise(tuple(one["by"]), one.get("version")) for one in terms.get(what, ())
    }


def term(name: str, promise: Promise) -> dict[str, Any]:
    """A promise as it is written into the terms; :func:`promises` reads it."""
    version = {} if promise.version is None else {"version": promise.version}
    return {"name": name, "by": sorted(promise.by), **version}


def grounds_of(audience: Audience, person: str, groups: Collection[str]) -> tuple[str, ...]:
    """On which grounds an audience admits a person; empty where it does not."""
    everyone = (EVERYONE,) if audience.everyone else ()
    own = (PERSON,) if person in audience.people else ()
    return (*everyone, *(of_group(name) for name in audience.groups if name in groups), *own)


def of_group(name: str) -> str:
    """The ground of being in a group."""
    return _GROUP + name


class _Thing(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def audience(self) -> Audience: ...
    @property
    def enabled(self) -> bool: ...
    @property
    def revoked_at(self) -> datetime | None: ...
    @property
    def created_at(self) -> datetime | None: ...


def source_grounds(source: Source, asker: Asker) -> Grounds | None:
    """Why a source may be used by whoever asks; None where it may not."""
    found = _grounds(source, asker, asker.sources, usable=source.usable)
    if found is Grounds.PROMISED and not source.usable and _changed_since(source, asker):
        return None
    return found


def _changed_since(source: Source, asker: Asker) -> bool:
    """Whether a source leads somewhere else than when it was promised: that is to be proven first."""
    admitted, changed = asker.admitted_at, source.changed_at
    return admitted is not None and changed is not None and changed > admitted


def dataset_grounds(dataset: Dataset, source: Source | None, asker: Asker) -> Grounds | None:
    """Why a dataset may be loaded by whoever asks; None where it may not.

    ``source`` is the one through which it is read: who may not use that loads nothing through it, unless
    somebody who manages it has opened the dataset's files for the dataset's own audience.
    """
    own = _grounds(dataset, asker, asker.datasets)
    return own if _reaches(dataset, source, asker) else None


def _reaches(dataset: Dataset, source: Source | None, asker: Asker) -> bool:
    """Whether the source of a dataset is no obstacle to who may load the dataset."""
    if source is None or source_grounds(source, asker) is not None:
        return True
    if dataset.opened_by is None:
        return False
    if source.enabled and source.usable:
        return True
    # It was disabled since a server was promised the dataset: that keeps it.
    kept = _promised(dataset, asker, asker.datasets) and not _revoked(source, asker)
    return kept and (source.usable or not _changed_since(source, asker))


def promised_version(dataset: Dataset, asker: Asker) -> int | None:
    """The version of a dataset that was current when the server that asks was admitted; None: there was none.

    A dataset that has taken the name since had no version then.
    """
    promise = asker.datasets.get(dataset.name)
    if promise is None or not _promised(dataset, asker, asker.datasets):
        return None
    return promise.version


def version_reason(
    dataset: Dataset, version: Version, source: Source | None, asker: Asker
) -> Reason | None:
    """Why a version may not be loaded by whoever may load its dataset: it was read through another source.

    ``source`` has now the name of the one that it was read through; None: there is none. What is kept of a
    source's files is for those who may read the source, wherever the dataset's own files lie by now.
    """
    if version.source is None:
        return None
    then = replace(dataset, source=version.source, opened_by=version.opened_by)
    same = source is not None and (source.created_at is None or source.created_at <= version.at)
    if source is not None and same and _reaches(then, source, asker):
        return None
    if source is None or not same:
        why, rule = "which is not there any more", Rule.DATA_SOURCE
    else:
        found = source_reason(source, asker)
        rule = Rule.DATA_ENABLED if found is None else found.rule
        shared = rule is not Rule.DATA_AUDIENCE
        why = "which cannot be used now" if shared else "which is not shared with you"
    return Reason(
        rule,
        f"Version {version.number} of {dataset.name!r} was read through the source "
        f"{version.source!r}, {why}; what opens one version opens all.",
        remedy=f"Ask an operator, or whoever manages {version.source!r}; or register the files that "
        "you may read as another dataset.",
    )


def source_reason(source: Source, asker: Asker) -> Reason | None:
    """Why a source may not be used by whoever asks. Who is not among its audience is told nothing of it."""
    if source_grounds(source, asker) is not None:
        return None
    hidden = _hidden("source", source, asker, asker.sources)
    if hidden is not None:
        return hidden
    return _closed(source)


def _closed(source: Source) -> Reason:
    """Why nobody is lent a source now."""
    if source.enabled and not source.usable:
        return Reason(
            Rule.DATA_PROOF,
            f"Nothing shows yet that users of source {source.name!r} cannot write.",
            remedy="Ask whoever manages it to test it, or to accept it as it is.",
        )
    return _disabled("source", source)


def dataset_reason(dataset: Dataset, source: Source | None, asker: Asker) -> Reason | None:
    """Why a dataset may not be loaded by whoever asks, as :func:`source_reason` says it of a source."""
    if _grounds(dataset, asker, asker.datasets) is None:
        return _hidden("dataset", dataset, asker, asker.datasets) or _disabled("dataset", dataset)
    if source is None or _reaches(dataset, source, asker):
        return None
    through = source_reason(source, asker)
    if through is None or dataset.opened_by is not None:
        return _closed(source)
    if through.rule is not Rule.DATA_AUDIENCE:
        return through
    return Reason(
        Rule.DATA_AUDIENCE,
        f"Dataset {dataset.name!r} is read through the source {source.name!r}, which is not shared with you.",
        remedy=f"Ask whoever manages {source.name!r} to share it with you, or to register the dataset.",
    )


def knows_dataset(dataset: Dataset, asker: Asker) -> bool:
    """Whether a dataset is listed for whoever asks: a public one is for everybody, though not to load."""
    known = dataset.label is PrivacyLabel.PUBLIC or dataset.created_by == asker.person
    return known or _admitted(dataset, asker, asker.datasets)


def knows_source(source: Source, asker: Asker) -> bool:
    """Whether whoever asks is among a source's audience, or was promised it, and so is told of it."""
    return _admitted(source, asker, asker.sources)


def may_use_model(model: RegisteredModel, person: str, groups: Collection[str]) -> bool:
    """Whether a person may load a model: its owner, and whoever its audience admits."""
    return model.person == person or model.audience.admits(person, groups)


def _grounds(
    thing: _Thing, asker: Asker, promised: Mapping[str, Promise], *, usable: bool = True
) -> Grounds | None:
    if thing.enabled and usable and thing.audience.admits(asker.person, asker.groups):
        return Grounds.GRANTED
    if asker.admitted_at is None or not _promised(thing, asker, promised):
        return None
    return None if _revoked(thing, asker) else Grounds.PROMISED


def _revoked(thing: _Thing, asker: Asker) -> bool:
    """Whether it was taken back from the server that asks."""
    admitted, revoked = asker.admitted_at, thing.revoked_at
    return admitted is not None and revoked is not None and admitted <= revoked


def _promised(thing: _Thing, asker: Asker, promised: Mapping[str, Promise]) -> bool:
    """Whether it is what was promised, and that lasts.

    What was registered since under a name that was promised is another thing, and another's to share.
    """
    promise, admitted = promised.get(thing.name), asker.admitted_at
    if promise is None or admitted is None or not promise.lasts(asker.groups):
        return False
    return thing.created_at is None or thing.created_at <= admitted


def _admitted(thing: _Thing, asker: Asker, promised: Mapping[str, Promise]) -> bool:
    admits = thing.audience.admits(asker.person, asker.groups)
    return admits or _promised(thing, asker, promised)


def unknown(what: str, name: str) -> Reason:
    """The same words for what does not exist: nobody learns which of both it is."""
    return Reason(
        Rule.DATA_AUDIENCE,
        f"There is no {what} {name[:80]!r} that is shared with you.",
        remedy="Check its name, or ask whoever manages it, or an operator, to share it with you.",
    )


def _hidden(
    what: str, thing: _Thing, asker: Asker, promised: Mapping[str, Promise]
) -> Reason | None:
    return None if _admitted(thing, asker, promised) else unknown(what, thing.name)


def _disabled(what: str, thing: _Thing) -> Reason:
    revoked = thing.revoked_at
    since = "" if revoked is None else f" It was revoked on {revoked:%Y-%m-%d at %H:%M} UTC."
    return Reason(
        Rule.DATA_ENABLED,
        f"The {what} {thing.name!r} is disabled.{since}",
        remedy="Ask whoever manages it, or an operator, to enable it.",
    )
