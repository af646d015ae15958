"""Registering and changing datasets: who may, through which source, and what their files tell."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from allotment.api.dataset_files import must_be_nobodys, source_for, with_reading
from allotment.api.plane import ControlPlane, require
from allotment.api.resources.dataset_bodies import DatasetEdit, NewDataset
from allotment.api.views.onlooker import Onlooker, known_dataset, refused, source_of
from allotment.model.datasets import Dataset, FileFormat
from allotment.model.reasons import Reason, Rule
from allotment.model.refusals import NotPermitted, Refusal
from allotment.model.sources import Audience, Source
from allotment.record import Reading, datasets, people
from allotment.rules.data_access import source_reason
from allotment.rules.data_sharing import change_dataset as judge_change
from allotment.rules.data_sharing import number_reason, undo_reason
from allotment.rules.permission import Action, Caller, Target

_READ_AGAIN = frozenset({"uris", "format", "source", "options"})


def must_be_known(caller: Caller) -> None:
    """Go on only for somebody who is on-boarded.

    Raises:
        NotPermitted: the platform knows nobody of that name.
    """
    if not caller.authority.role:
        message = f"{caller.person} is not on-boarded."
        remedy = "Ask an operator to on-board you."
        raise NotPermitted(Reason(Rule.PERSON_ONBOARDED, message, remedy=remedy))


def managed_dataset(plane: ControlPlane, caller: Caller, name: str) -> Dataset:
    """A dataset that the caller may change as it is now.

    Raises:
        NotShared: there is none, or the caller may not know it.
        NotPermitted: it is not the caller's to change.
    """
    with plane.record.reading() as reading:
        return managed_in(reading, caller, name, plane.now())


def managed_in(reading: Reading, caller: Caller, name: str, now: datetime) -> Dataset:
    """As :func:`managed_dataset`, in the transaction that changes it.

    Raises:
        NotShared, NotPermitted: as there.
    """
    onlooker = Onlooker.of(reading, caller, now)
    dataset = known_dataset(reading, onlooker, name)
    _judge(onlooker, dataset)
    return dataset


def _judge(onlooker: Onlooker, *wanted: Dataset) -> None:
    """Go on only where whoever looks may have a dataset be like this.

    Raises:
        NotPermitted: it is not theirs to change, or shared more widely than they may.
    """
    for dataset in wanted:
        reason = judge_change(onlooker.caller, dataset, onlooker.fellows)
        if reason is not None:
            raise NotPermitted(reason)


def _onlooker_now(reading: Reading, caller: Caller, now: datetime) -> Onlooker:
    """The caller with the rights of this moment: reading files takes its time."""
    authority = people.authority(reading, caller.person, now)
    return Onlooker.of(reading, replace(caller, authority=authority), now)


def register_dataset(plane: ControlPlane, caller: Caller, body: NewDataset) -> None:
    """Read the files, and register them.

    Raises:
        Refusal: a file cannot be used, the name is taken, or it may not be shared so.
    """
    require(caller, Action.REGISTER_DATASET, Target(person=caller.person))
    must_be_known(caller)
    own = Audience(people=(caller.person,))
    dataset = Dataset(
        name=body.name,
        uris=body.uris,
        format=body.format or FileFormat.PARQUET,
        title=body.title,
        description=body.description,
        options=dict(body.options),
        label=body.label,
        audience=own if body.audience is None else body.audience.audience(),
        group=body.group,
        target=body.target,
        created_by=caller.person,
    )
    with plane.record.reading() as reading:
        onlooker = Onlooker.of(reading, caller, plane.now())
        _judge(onlooker, dataset)
        _may_have_more(reading, caller)
        source = source_for(reading, onlooker, body.uris, body.source)
    dataset = replace(
        dataset,
        source=None if source is None else source.name,
        opened_by=_opened_by(onlooker, source),
    )
    found = with_reading(plane, dataset, source, caller.person, body.format)
    with plane.record.writing(caller.person, plane.now()) as writing:
        later = _onlooker_now(writing, caller, plane.now())
        must_be_known(later.caller)
        _judge(later, found)
        _may_have_more(writing, later.caller)
        datasets.create(writing, found)


def _may_have_more(reading: Reading, caller: Caller) -> None:
    """Go on only where the caller may register one dataset more.

    Raises:
        Refusal: there are too many.
    """
    reason = number_reason(caller, datasets.registered_by(reading, caller.person))
    if reason is not None:
        raise Refusal(reason)


def change_dataset(
    plane: ControlPlane, caller: Caller, name: str, body: DatasetEdit, expected: int | None
) -> None:
    """Change a dataset, and read its files again where that needs it.

    Raises:
        Refusal, RevisionStale: as ever.
    """
    before = managed_dataset(plane, caller, name)
    given = body.given()
    if "audience" in given:
        given["audience"] = body.audience.audience()
    asked = given.pop("format", before.format)
    after = replace(before, **given)
    with plane.record.reading() as reading:
        _judge(Onlooker.of(reading, caller, plane.now()), after)
    again = bool(_READ_AGAIN & body.model_fields_set)
    if again:
        with plane.record.reading() as reading:
            onlooker = Onlooker.of(reading, caller, plane.now())
            named = None if "uris" in given and "source" not in given else after.source
            source = source_for(reading, onlooker, after.uris, named)
        after = replace(after, source=None if source is None else source.name)
        after = with_reading(plane, after, source, caller.person, asked)
    after = _opened_anew(plane, caller, before, after)
    # What was judged and read is what is changed, also where whoever asks has not said which that is.
    expected = before.revision if expected is None else expected
    with plane.record.writing(caller.person, plane.now()) as writing:
        later = _onlooker_now(writing, caller, plane.now())
        _judge(later, before, after)
        _may_enable(later, before, after, source_of(writing, before))
        datasets.edit(writing, after, expected)
        if again and after.reading is not None:
            datasets.read(writing, name, after.reading)


def _may_enable(onlooker: Onlooker, before: Dataset, after: Dataset, source: Source | None) -> None:
    """Go on where the change undoes no revoking by others.

    Raises:
        NotPermitted: it does.
    """
    manages = source is not None and onlooker.manages_source(source)
    reason = undo_reason(onlooker.caller, before, after, manages_source=manages)
    if reason is not None:
        raise NotPermitted(reason)


def _opened_anew(plane: ControlPlane, caller: Caller, before: Dataset, after: Dataset) -> Dataset:
    """A dataset, opened or closed by whoever changes which files are for whom."""
    if (after.uris, after.source, after.audience) == (before.uris, before.source, before.audience):
        return after
    with plane.record.reading() as reading:
        onlooker = Onlooker.of(reading, caller, plane.now())
        source = source_of(reading, after)
    return replace(after, opened_by=_opened_by(onlooker, source))


def _opened_by(onlooker: Onlooker, source: Source | None) -> str | None:
    """Who opens the files to the dataset's own audience: whoever says so and manages the source; else nobody."""
    may = source is not None and onlooker.manages_source(source)
    return onlooker.caller.person if may else None


def read_again(plane: ControlPlane, caller: Caller, name: str) -> None:
    """Read the files of a dataset as they are now. What was read before stays where that is refused.

    Raises:
        Refusal: a file cannot be used.
    """
    dataset = managed_dataset(plane, caller, name)
    source = readable_source(plane, caller, dataset)
    found = with_reading(plane, dataset, source, caller.person, dataset.format)
    if found.reading is not None:
        with plane.record.writing(caller.person, plane.now()) as writing:
            datasets.read(writing, name, found.reading, dataset)


def readable_source(plane: ControlPlane, caller: Caller, dataset: Dataset) -> Source | None:
    """The source of a dataset's files, which the caller may still read; None for the platform's own folders.

    Raises:
        Refusal: the caller may not read it now.
    """
    with plane.record.reading() as reading:
        source = source_of(reading, dataset)
        onlooker = Onlooker.of(reading, caller, plane.now())
        if source is None:
            # A source or target may lie there since it was registered.
            must_be_nobodys(reading, dataset.uris)
    if source is None or onlooker.manages_source(source):
        return source
    reason = source_reason(source, onlooker.asker)
    if reason is not None:
        raise refused(reason)
    return source
