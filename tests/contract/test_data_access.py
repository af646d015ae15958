"""Who may use which source and dataset: what a server was promised, what is granted now, what was revoked."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from allotment.model.allotments import Allotment
from allotment.model.datasets import Dataset, FileFormat
from allotment.model.registered_models import RegisteredModel
from allotment.model.sources import Audience, Proof, Source, SourceKind, Verdict
from allotment.model.versions import ContentsKind, MetadataKind, VersionTarget
from allotment.record import (
    allotments,
    datasets,
    groups,
    memberships,
    people,
    registered_models,
    sources,
    targets,
    versions,
)
from allotment.rules.data_access import promises
from allotment.rules.data_sharing import dataset_target
from allotment.rules.permission import Action, Caller, Reach, Target, judge

VISION = Audience(groups=("vision",))


def _source(world: Any, name: str = "lake", audience: Audience = VISION, **fields: Any) -> Source:
    with world.write() as writing:
        made = sources.create(
            writing, Source(name, SourceKind.FOLDER, audience=audience, **fields), {}
        )
        return sources.proven(writing, made.name, Proof(writing.now, Verdict.READ_ONLY))


def _usable(world: Any, person: str, allotment: str | None = None) -> set[str]:
    with world.record.reading() as reading:
        server = None if allotment is None else allotments.get(reading, allotment)
        return {one.name for one in sources.usable_by(reading, person, world.now, server)}


def _terms(world: Any, allotment: str) -> Allotment:
    with world.record.reading() as reading:
        return allotments.get(reading, allotment)


@pytest.mark.promise("DATA-3")
def test_a_source_is_for_its_audience_and_nobody_else(lab: Any) -> None:
    _source(lab)
    assert (_usable(lab, "ann"), _usable(lab, "zoe"), _usable(lab, "stranger")) == (
        {"lake"},
        set(),
        set(),
    )


@pytest.mark.promise("DATA-2")
def test_nobody_may_use_a_source_before_its_proof(lab: Any) -> None:
    with lab.write() as writing:
        sources.create(writing, Source("lake", SourceKind.FOLDER, audience=VISION), {})
    assert _usable(lab, "ann") == set()


@pytest.mark.promise("PROFILE-5", "DATA-7")
def test_a_disabled_source_still_works_in_a_server_that_was_promised_it(lab: Any) -> None:
    source = _source(lab)
    old = lab.granted("ann", "cpu", "old")
    with lab.write() as writing:
        sources.edit(writing, replace(source, enabled=False), {})
    new = lab.granted("ann", "cpu", "new")

    assert (_usable(lab, "ann", old), _usable(lab, "ann", new), _usable(lab, "ann")) == (
        {"lake"},
        set(),
        set(),
    )


@pytest.mark.promise("PROFILE-5", "DATA-7")
def test_revoking_ends_a_source_everywhere_at_once(lab: Any) -> None:
    _source(lab)
    server = lab.granted("ann", "cpu")
    with lab.write() as writing:
        sources.revoke(writing, "lake")
    assert _usable(lab, "ann", server) == set()


@pytest.mark.promise("DATA-7")
def test_a_promise_that_was_revoked_stays_void_when_the_source_is_disabled_again(lab: Any) -> None:
    source = _source(lab)
    server = lab.granted("ann", "cpu")
    with lab.write() as writing:
        sources.revoke(writing, "lake")
    with lab.write() as writing:
        sources.edit(writing, replace(source, enabled=True), {})
    assert _usable(lab, "ann", server) == {"lake"}
    with lab.write() as writing:
        sources.edit(writing, replace(source, enabled=False), {})
    assert _usable(lab, "ann", server) == set()


@pytest.mark.promise("DATA-7")
def test_who_leaves_a_group_loses_its_sources_in_running_servers_too(lab: Any) -> None:
    _source(lab)
    server = lab.granted("ann", "cpu")
    with lab.write() as writing:
        memberships.remove(writing, "ann", "vision")
    assert _usable(lab, "ann", server) == set()


@pytest.mark.promise("DATA-7")
def test_a_promise_made_to_a_person_outlives_the_group(lab: Any) -> None:
    source = _source(lab, audience=Audience(groups=("vision",), people=("ann",)))
    server = lab.granted("ann", "cpu")
    with lab.write() as writing:
        memberships.remove(writing, "ann", "vision")
        sources.edit(writing, replace(source, enabled=False), {})
    assert _usable(lab, "ann", server) == {"lake"}


@pytest.mark.promise("DATA-3")
def test_another_persons_server_promises_nothing(lab: Any) -> None:
    _source(lab)
    server = lab.granted("ann", "cpu")
    assert _usable(lab, "zoe", server) == set()


def test_a_server_that_has_ended_promises_nothing(lab: Any) -> None:
    source = _source(lab)
    server = lab.granted("ann", "cpu")
    with lab.write() as writing:
        sources.edit(writing, replace(source, enabled=False), {})
    lab.end(server)
    assert _usable(lab, "ann", server) == set()


@pytest.mark.promise("SET-2")
def test_a_dataset_that_is_registered_after_the_start_works_at_once(lab: Any) -> None:
    server = lab.granted("ann", "cpu")
    with lab.write() as writing:
        datasets.create(writing, Dataset("sales", ("/d/a",), FileFormat.PARQUET, audience=VISION))
    with lab.record.reading() as reading:
        found = datasets.usable_by(reading, "ann", lab.now, allotments.get(reading, server))
    assert [one.name for one in found] == ["sales"]


@pytest.mark.promise("DATA-3")
def test_a_dataset_is_not_loaded_through_a_source_that_is_not_shared(lab: Any) -> None:
    _source(lab, audience=Audience(people=("bob",)))
    with lab.write() as writing:
        made = Dataset("sales", ("/d/a",), FileFormat.PARQUET, source="lake", audience=VISION)
        datasets.create(writing, made)
    with lab.record.reading() as reading:
        assert datasets.usable_by(reading, "ann", lab.now) == ()
        assert [one.name for one in datasets.usable_by(reading, "bob", lab.now)] == ["sales"]


@pytest.mark.promise("SET-5")
def test_a_servers_terms_record_the_versions_that_were_current_at_its_start(lab: Any) -> None:
    _committed(lab)
    server = lab.granted("ann", "cpu", "first")
    with lab.write() as writing:
        second = versions.begin(writing, "sales", "history", "more", "bob")
        versions.finish(writing, "sales", second.number, commit="b", files=2, size=2)
    later = lab.granted("ann", "cpu", "second")

    found = [
        promises(_terms(lab, one).terms, "datasets")["sales"].version for one in (server, later)
    ]
    assert found == [1, 2]


def _committed(lab: Any) -> None:
    target = VersionTarget("history", MetadataKind.FOLDER, ContentsKind.FOLDER)
    with lab.write() as writing:
        targets.create(writing, target, {})
        datasets.create(writing, Dataset("sales", ("/d/a",), FileFormat.PARQUET, audience=VISION))
        first = versions.begin(writing, "sales", "history", "first", "ann")
        versions.finish(writing, "sales", first.number, commit="a", files=1, size=1)


def test_terms_name_the_grounds_of_each_promise(lab: Any) -> None:
    _source(lab, audience=Audience(everyone=True, groups=("vision",), people=("ann", "zoe")))
    server = _terms(lab, lab.granted("ann", "cpu"))
    assert server.terms["sources"] == [
        {"name": "lake", "by": ["everyone", "group:vision", "person"]}
    ]


def test_terms_of_a_platform_without_data_hold_nothing_of_it(lab: Any) -> None:
    assert set(_terms(lab, lab.granted("ann", "cpu")).terms) == {"profile"}


@pytest.mark.promise("DATA-2")
def test_a_source_that_somebody_accepted_is_promised_as_a_proven_one_is(lab: Any) -> None:
    with lab.write() as writing:
        sources.create(writing, Source("lake", SourceKind.FOLDER, audience=VISION), {})
        sources.proven(writing, "lake", Proof(writing.now, Verdict.WRITABLE, possible=("insert",)))
    assert _usable(lab, "ann") == set()
    with lab.write() as writing:
        sources.accept(writing, "lake", "olga")
    server = _terms(lab, lab.granted("ann", "cpu"))
    assert [one["name"] for one in server.terms["sources"]] == ["lake"]


@pytest.mark.promise("DATA-7")
def test_a_person_of_the_same_name_inherits_nothing(lab: Any) -> None:
    _source(lab, audience=Audience(people=("zoe",)))
    with lab.write() as writing:
        people.delete(writing, ["zoe"])
    lab.people("zoe")
    assert _usable(lab, "zoe") == set()


@pytest.mark.promise("DATA-7", "MODEL-1")
def test_a_person_of_the_same_name_inherits_no_datasets_and_no_models(lab: Any) -> None:
    with lab.write() as writing:
        only = Audience(people=("zoe",))
        wanted = Dataset("pay", ("/data/pay/",), FileFormat.CSV, audience=only, created_by="zoe")
        datasets.create(writing, wanted)
        registered_models.create(writing, RegisteredModel("churn", "1", "zoe", uri="s3://m/1"))
        people.delete(writing, ["zoe"])
    lab.people("zoe")
    with lab.record.reading() as reading:
        theirs = dataset_target(datasets.get(reading, "pay"))
        model = registered_models.get(reading, "churn", "1")
        zoe = Caller(people.authority(reading, "zoe", lab.now), Reach.EVERYTHING)
        nobody = Caller(people.authority(reading, "", lab.now), Reach.EVERYTHING)
        assert registered_models.usable_by(reading, "zoe", ()) == ()
    for caller in (zoe, nobody):
        assert judge(caller, Action.CHANGE_DATASET, theirs)
        assert judge(caller, Action.CHANGE_MODEL, Target(person=model.person))


@pytest.mark.promise("DATA-7")
def test_a_group_of_the_same_name_inherits_nothing(lab: Any) -> None:
    lab.group("short-lived")
    _source(lab, audience=Audience(groups=("short-lived",)), group="short-lived")
    with lab.write() as writing:
        groups.delete(writing, "short-lived")
    lab.group("short-lived")
    lab.people("yan", group="short-lived")

    assert _usable(lab, "yan") == set()
    with lab.record.reading() as reading:
        assert sources.get(reading, "lake").group is None
