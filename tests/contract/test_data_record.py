"""What the record keeps of sources, datasets, targets, versions, models and loans."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from allotment.model.datasets import (
    Attachment,
    Dataset,
    DatasetColumn,
    DatasetReading,
    FileFormat,
    PrivacyLabel,
)
from allotment.model.limits import LimitKind, LimitScope
from allotment.model.people import BUILT_IN_ROLES
from allotment.model.reasons import Rule
from allotment.model.refusals import AlreadyExists, NotFound, Refusal, RevisionStale
from allotment.model.registered_models import RegisteredModel
from allotment.model.sources import Audience, Proof, Source, SourceKind, Verdict
from allotment.model.versions import ContentsKind, MetadataKind, VersionState, VersionTarget
from allotment.record import (
    datasets,
    events,
    limits,
    loans,
    memberships,
    registered_models,
    roles,
    sources,
    targets,
    versions,
)

SOURCE = Source(
    "warehouse",
    SourceKind.POSTGRESQL,
    title="Sales",
    fields={"host": "db.example.org", "port": 5432, "readers": None},
    audience=Audience(True, ("vision",), ("zoe",)),
    group="vision",
)
SEALED = {"password": b"sealed-1", "key": b"\x00\xff"}
TARGET = VersionTarget(
    "history",
    MetadataKind.GIT,
    ContentsKind.S3,
    metadata={"url": "https://git.example.org/a.git"},
    contents={"bucket": "versions", "access_key_id": "AK1"},
)
DATASET = Dataset("sales", ("/d/a", "/d/b"), FileFormat.CSV, options={"delimiter": ";"})


def _refused(problem: pytest.ExceptionInfo[Refusal]) -> Rule:
    return problem.value.reasons[0].rule


def _make(lab: Any, source: Source = SOURCE) -> Source:
    with lab.write() as writing:
        return sources.create(writing, source, SEALED)


def _prove(lab: Any, verdict: Verdict = Verdict.READ_ONLY, *possible: str) -> Source:
    with lab.write() as writing:
        return sources.proven(
            writing, "warehouse", Proof(writing.now, verdict, ("insert",), possible, shared=True)
        )


def _source(lab: Any) -> Source:
    with lab.record.reading() as reading:
        return sources.get(reading, "warehouse")


@pytest.mark.promise("DATA-1")
def test_a_source_is_read_as_it_was_registered(lab: Any) -> None:
    made = _make(lab)
    found = _source(lab)
    assert found == made
    assert (found.fields, found.audience, found.group) == (SOURCE.fields, SOURCE.audience, "vision")
    assert (found.secrets, found.created_by) == (("key", "password"), "operator")
    with lab.record.reading() as reading:
        assert sources.all_sources(reading) == (found,)
        assert sources.sealed(reading, "warehouse") == SEALED


def test_a_name_is_taken_once(lab: Any) -> None:
    _make(lab)
    with pytest.raises(AlreadyExists):
        _make(lab)


@pytest.mark.parametrize(
    "audience", [Audience(groups=("nobodys",)), Audience(people=("stranger",))]
)
def test_an_audience_that_is_not_there_is_refused(lab: Any, audience: Audience) -> None:
    with pytest.raises(NotFound):
        _make(lab, replace(SOURCE, audience=audience))
    with lab.record.reading() as reading:
        assert sources.all_sources(reading) == ()


@pytest.mark.promise("DATA-2")
@pytest.mark.parametrize(
    ("change", "sealed", "proven"),
    [
        ({"title": "Other"}, {}, True),
        ({"audience": Audience()}, {}, True),
        ({"enabled": False}, {}, True),
        ({"fields": {"host": "db2.example.org"}}, {}, False),
        ({}, {"password": b"sealed-2"}, False),
        ({}, {"key": None}, False),
    ],
)
def test_what_is_opened_otherwise_must_be_proven_again(
    lab: Any, change: dict[str, Any], sealed: dict[str, bytes | None], proven: bool
) -> None:
    before = _make(lab)
    _prove(lab)
    with lab.write() as writing:
        after = sources.edit(writing, replace(before, **change), sealed)
    assert (after.proof is not None, after.usable) == (proven, proven)
    assert after.revision > before.revision


def test_secrets_that_are_not_named_stay_and_none_takes_one_away(lab: Any) -> None:
    before = _make(lab)
    with lab.write() as writing:
        sources.edit(writing, before, {"key": None, "other": b"new"})
    with lab.record.reading() as reading:
        assert sources.sealed(reading, "warehouse") == {"password": b"sealed-1", "other": b"new"}


def test_an_edit_against_an_older_revision_is_stale(lab: Any) -> None:
    before = _make(lab)
    with lab.write() as writing:
        sources.edit(writing, replace(before, title="One"), {}, before.revision)
    with pytest.raises(RevisionStale), lab.write() as writing:
        sources.edit(writing, replace(before, title="Two"), {}, before.revision)


def test_a_proof_of_what_was_changed_meanwhile_is_not_kept(lab: Any) -> None:
    before = _make(lab)
    with lab.write() as writing:
        sources.edit(writing, replace(before, title="One"), {})
    proof = Proof(lab.now, Verdict.READ_ONLY)
    with pytest.raises(RevisionStale), lab.write() as writing:
        sources.proven(writing, "warehouse", proof, before.revision)


@pytest.mark.promise("DATA-2")
def test_a_proof_is_read_as_it_was_found(lab: Any) -> None:
    _make(lab)
    found = _prove(lab, Verdict.WRITABLE, "insert into a", "copy to program")
    assert _source(lab) == found
    assert found.proof is not None
    assert (found.proof.possible, found.proof.shared) == (
        ("insert into a", "copy to program"),
        True,
    )


@pytest.mark.promise("DATA-2")
def test_an_acceptance_ends_where_more_becomes_possible(lab: Any) -> None:
    _make(lab)
    _prove(lab, Verdict.WRITABLE, "insert")
    with lab.write() as writing:
        assert sources.accept(writing, "warehouse", "olga").accepted_by == "olga"
    assert _prove(lab, Verdict.WRITABLE, "insert").usable
    assert not _prove(lab, Verdict.WRITABLE, "insert", "drop").usable


@pytest.mark.parametrize("proven", [True, False])
def test_there_is_nothing_to_accept_without_a_bad_proof(lab: Any, proven: bool) -> None:
    _make(lab)
    if proven:
        _prove(lab)
    with pytest.raises(Refusal) as problem, lab.write() as writing:
        sources.accept(writing, "warehouse", "olga")
    assert _refused(problem) is Rule.DATA_PROOF


def test_a_proof_is_told_when_it_shows_something_new(lab: Any) -> None:
    _make(lab)
    for verdict in (Verdict.READ_ONLY, Verdict.READ_ONLY, Verdict.WRITABLE):
        _prove(lab, verdict)
    with lab.record.reading() as reading:
        told = [one for one in events.after(reading, 0) if one.kind == "source.proven"]
    assert [one.after["verdict"] for one in told if one.after] == ["read-only", "writable"]


def test_a_source_through_which_datasets_are_read_is_not_deleted(lab: Any) -> None:
    _make(lab)
    with lab.write() as writing:
        datasets.create(writing, replace(DATASET, source="warehouse"))
    with pytest.raises(Refusal, match="sales"), lab.write() as writing:
        sources.delete(writing, "warehouse")
    with lab.write() as writing:
        datasets.delete(writing, "sales")
        sources.delete(writing, "warehouse")
    with lab.record.reading() as reading:
        assert sources.sealed(reading, "warehouse") == {}


def test_a_source_is_not_deleted_while_accounts_of_it_are_out(lab: Any) -> None:
    _make(lab)
    loan = _lend(lab, lab.granted("ann", "cpu"))
    with pytest.raises(Refusal, match="1 account"), lab.write() as writing:
        sources.delete(writing, "warehouse")
    with lab.write() as writing:
        loans.withdrawn(writing, loan.id)
        sources.delete(writing, "warehouse")


# Loans


def _lend(lab: Any, allotment: str, account: str | None = "allotment_1") -> loans.Loan:
    with lab.write() as writing:
        until = writing.now + timedelta(hours=1)
        return loans.lend(writing, "warehouse", allotment, "ann", account, until)


def _due(lab: Any) -> list[str]:
    with lab.record.reading() as reading:
        return [one.id for one in loans.due(reading, lab.now)]


@pytest.mark.promise("DATA-2")
def test_a_loan_is_due_when_its_time_is_over(lab: Any) -> None:
    loan = _lend(lab, lab.granted("ann", "cpu"))
    assert _due(lab) == []
    lab.later(hours=1)
    assert _due(lab) == [loan.id]


@pytest.mark.promise("DATA-2")
def test_a_loan_is_due_when_its_server_has_ended(lab: Any) -> None:
    server = lab.granted("ann", "cpu")
    loan = _lend(lab, server)
    lab.end(server)
    assert _due(lab) == [loan.id]


def test_a_loan_is_withdrawn_once(lab: Any) -> None:
    loan = _lend(lab, lab.granted("ann", "cpu"))
    with lab.write() as writing:
        assert loans.withdrawn(writing, loan.id)
        assert not loans.withdrawn(writing, loan.id)
        assert not loans.made(writing, loan.id, "late", writing.now)
    lab.later(hours=2)
    assert _due(lab) == []


def test_a_loan_that_could_not_be_withdrawn_stays_due_with_its_problem(lab: Any) -> None:
    server = lab.granted("ann", "cpu")
    loan = _lend(lab, server)
    lab.end(server)
    with lab.write() as writing:
        loans.failed(writing, loan.id, "the database is away")
    with lab.record.reading() as reading:
        (found,) = loans.due(reading, lab.now)
    assert (found.tries, found.problem) == (1, "the database is away")


def test_what_was_withdrawn_long_ago_is_forgotten(lab: Any) -> None:
    server = lab.granted("ann", "cpu")
    old, new = _lend(lab, server), _lend(lab, server)
    with lab.write() as writing:
        loans.withdrawn(writing, old.id)
        assert loans.forget(writing, writing.now + timedelta(seconds=1)) == 1
    with lab.record.reading() as reading:
        assert [one.id for one in loans.of_allotment(reading, server)] == [new.id]


# Datasets


@pytest.mark.promise("SET-1")
def test_a_dataset_is_read_as_it_was_registered(lab: Any) -> None:
    found = DatasetReading(
        lab.now,
        (DatasetColumn("a", "int64"), DatasetColumn("b", "string", nullable=False)),
        None,
        False,
        12,
        2,
        {"header": True},
    )
    wanted = replace(DATASET, reading=found, audience=Audience(groups=("vision",)), group="vision")
    with lab.write() as writing:
        made = datasets.create(writing, wanted)
    with lab.record.reading() as reading:
        assert datasets.get(reading, "sales") == made
        assert datasets.all_datasets(reading) == (made,)
    assert (made.reading, made.uris, made.options) == (found, DATASET.uris, DATASET.options)


def test_reading_the_files_again_is_told_where_they_changed(lab: Any) -> None:
    with lab.write() as writing:
        datasets.create(writing, DATASET)
    first = DatasetReading(lab.now, (), 1, True, 10, 1)
    for found in (first, replace(first, at=lab.later(seconds=1)), replace(first, size=11)):
        with lab.write() as writing:
            datasets.read(writing, "sales", found)
    with lab.record.reading() as reading:
        told = [one for one in events.after(reading, 0) if one.kind == "dataset.read"]
    assert [one.after["size"] for one in told if one.after] == [10, 11]


@pytest.mark.promise("SET-1")
def test_data_about_people_is_never_shared_with_everyone(lab: Any) -> None:
    wanted = replace(DATASET, label=PrivacyLabel.PERSONAL, audience=Audience(everyone=True))
    with pytest.raises(Refusal) as problem, lab.write() as writing:
        datasets.create(writing, wanted)
    assert _refused(problem) is Rule.DATA_LABEL


@pytest.mark.promise("SET-1")
def test_attachments_are_noted_replaced_and_forgotten(lab: Any) -> None:
    with lab.write() as writing:
        datasets.create(writing, DATASET)
        for digest in ("1" * 64, "2" * 64):
            datasets.attach(writing, "sales", Attachment("a.pdf", 9, digest, "ann", writing.now))
    with lab.record.reading() as reading:
        assert datasets.attachment(reading, "sales", "a.pdf").sha256 == "2" * 64
    with lab.write() as writing:
        assert datasets.detach(writing, "sales", "a.pdf").size == 9
    with pytest.raises(NotFound), lab.write() as writing:
        datasets.detach(writing, "sales", "a.pdf")


# Targets


@pytest.mark.promise("SET-4")
def test_a_target_is_read_as_it_was_set_up(lab: Any) -> None:
    with lab.write() as writing:
        made = targets.create(writing, TARGET, {"metadata.token": b"sealed"})
    with lab.record.reading() as reading:
        assert targets.get(reading, "history") == made
        assert targets.sealed(reading, "history") == {"metadata.token": b"sealed"}
    assert (made.metadata, made.contents, made.secrets) == (
        TARGET.metadata,
        TARGET.contents,
        ("metadata.token",),
    )


@pytest.mark.promise("SET-4")
def test_a_target_that_keeps_versions_can_have_other_keys_and_no_other_place(lab: Any) -> None:
    _versioned(lab)
    keys = replace(TARGET, contents=TARGET.contents | {"access_key_id": "AK2"})
    with lab.write() as writing:
        assert targets.edit(writing, keys, {}).contents["access_key_id"] == "AK2"
    moved = replace(keys, contents=keys.contents | {"bucket": "other"})
    with pytest.raises(Refusal, match="sales"), lab.write() as writing:
        targets.edit(writing, moved, {})
    with pytest.raises(Refusal, match="sales"), lab.write() as writing:
        targets.delete(writing, "history")


# Versions


def _versioned(lab: Any) -> None:
    with lab.write() as writing:
        targets.create(writing, TARGET, {})
        datasets.create(writing, replace(DATASET, target="history"))


def _begin(lab: Any, target: str = "history") -> int:
    with lab.write() as writing:
        return versions.begin(writing, "sales", target, "a message", "ann").number


def _finish(lab: Any, number: int) -> None:
    with lab.write() as writing:
        versions.finish(writing, "sales", number, commit=f"c{number}", files=1, size=10, rows=3)


def _states(lab: Any) -> dict[int, VersionState]:
    with lab.record.reading() as reading:
        return {one.number: one.state for one in versions.of(reading, "sales")}


@pytest.mark.promise("SET-4")
def test_two_commits_at_the_same_time_are_both_kept_in_order(lab: Any) -> None:
    _versioned(lab)
    numbers: list[int] = []
    now = lab.later(seconds=1)

    def commit() -> None:
        with lab.record.writing("ann", now, configuration=False) as writing:
            numbers.append(versions.begin(writing, "sales", "history", "", "ann").number)

    threads = [threading.Thread(target=commit) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(numbers) == [1, 2, 3, 4]


@pytest.mark.promise("SET-4")
def test_a_commit_that_failed_leaves_no_version_and_is_run_again(lab: Any) -> None:
    _versioned(lab)
    number = _begin(lab)
    with lab.write() as writing:
        assert versions.fail(writing, "sales", number, "the bucket is away")
    with lab.record.reading() as reading, pytest.raises(NotFound):
        versions.get(reading, "sales", str(number))
    assert _begin(lab) == number
    _finish(lab, number)
    assert _states(lab) == {number: VersionState.COMMITTED}


@pytest.mark.promise("SET-4")
def test_a_commit_of_which_nothing_is_heard_is_given_up(lab: Any) -> None:
    _versioned(lab)
    dead, alive = _begin(lab), _begin(lab)
    lab.later(minutes=10)
    with lab.write() as writing:
        assert versions.progress(writing, "sales", alive, 5, 10)
    with lab.write() as writing:
        assert versions.end_abandoned(writing, timedelta(minutes=5)) == (("sales", dead),)
    assert _states(lab) == {dead: VersionState.FAILED, alive: VersionState.COMMITTING}


def test_a_commit_that_was_given_up_does_not_finish(lab: Any) -> None:
    _versioned(lab)
    number = _begin(lab)
    with lab.write() as writing:
        versions.fail(writing, "sales", number, "")
        assert not versions.progress(writing, "sales", number, 1, 2)
    with pytest.raises(Refusal):
        _finish(lab, number)


def test_the_versions_of_a_dataset_lie_in_one_target(lab: Any) -> None:
    _versioned(lab)
    _finish(lab, _begin(lab))
    with lab.write() as writing:
        targets.create(writing, replace(TARGET, name="other"), {})
    with pytest.raises(Refusal, match="history"):
        _begin(lab, "other")


@pytest.mark.promise("SET-4")
def test_a_version_is_got_by_number_tag_and_day(lab: Any) -> None:
    _versioned(lab)
    _finish(lab, _begin(lab))
    first_day = f"{lab.now:%Y-%m-%d}"
    lab.later(days=1)
    _finish(lab, _begin(lab))
    with lab.write() as writing:
        versions.tag(writing, "sales", 1, ("golden",))
    with lab.record.reading() as reading:
        found = [
            versions.get(reading, "sales", one).number for one in (2, "2", "golden", first_day)
        ]
        assert datasets.get(reading, "sales").version == 2
    assert found == [2, 2, 1, 1]


def test_a_tag_moves_to_the_version_that_is_given_it(lab: Any) -> None:
    _versioned(lab)
    for _ in range(2):
        _finish(lab, _begin(lab))
    with lab.write() as writing:
        versions.tag(writing, "sales", 1, ("golden", "first"))
        versions.tag(writing, "sales", 2, ("golden",))
    with lab.record.reading() as reading:
        assert [one.tags for one in versions.of(reading, "sales")] == [("first",), ("golden",)]


def test_versions_of_a_deleted_dataset_are_gone(lab: Any) -> None:
    _versioned(lab)
    _finish(lab, _begin(lab))
    with lab.write() as writing:
        versions.tag(writing, "sales", 1, ("golden",))
        datasets.delete(writing, "sales")
        datasets.create(writing, DATASET)
    assert _states(lab) == {}


# Models


def _model(name: str = "churn", version: str = "1", person: str = "ann") -> RegisteredModel:
    return RegisteredModel(
        name,
        version,
        person,
        uri="s3://lake/churn",
        metrics={"auc": 0.9},
        datasets=("sales@3",),
        audience=Audience(groups=("vision",)),
    )


def _register(lab: Any, *models: RegisteredModel) -> None:
    for one in models:
        with lab.write() as writing:
            registered_models.create(writing, one)


@pytest.mark.promise("MODEL-1")
def test_a_model_is_read_as_it_was_registered(lab: Any) -> None:
    _register(lab, _model())
    with lab.record.reading() as reading:
        found = registered_models.get(reading, "churn", "1")
        groups = memberships.current_groups(reading, "bob", lab.now)
        assert registered_models.usable_by(reading, "bob", groups) == (found,)
        assert registered_models.usable_by(reading, "zoe", ()) == ()
    assert (found.metrics, found.datasets) == ({"auc": 0.9}, ("sales@3",))


@pytest.mark.promise("MODEL-1", "LIMIT-1")
def test_models_are_registered_up_to_the_limit_that_binds(lab: Any) -> None:
    with lab.write() as writing:
        limits.put(writing, LimitScope.PLATFORM, "", LimitKind.MODELS, 1)
        limits.put(writing, LimitScope.GROUP, "vision", LimitKind.MODELS, 2)
    _register(lab, _model(version="1"), _model(version="2"))
    with pytest.raises(Refusal) as problem:
        _register(lab, _model(version="3"))
    assert _refused(problem) is Rule.LIMIT_MODELS


@pytest.mark.promise("MODEL-1", "LIMIT-2")
def test_registrations_at_the_same_moment_do_not_pass_the_limit_together(lab: Any) -> None:
    with lab.write() as writing:
        limits.put(writing, LimitScope.PLATFORM, "", LimitKind.MODELS, 2)
    now, made = lab.later(seconds=1), []

    def register(number: int) -> None:
        try:
            with lab.record.writing("ann", now, configuration=False) as writing:
                registered_models.create(writing, _model(version=str(number)))
        except Refusal:
            return
        made.append(number)

    threads = [threading.Thread(target=register, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 2


@pytest.mark.parametrize(
    "taken", [_model(), _model(version="2", person="bob")], ids=["version", "anothers-name"]
)
def test_a_models_name_and_versions_are_its_owners(lab: Any, taken: RegisteredModel) -> None:
    _register(lab, _model())
    with pytest.raises(AlreadyExists):
        _register(lab, taken)


def test_a_deleted_model_leaves_room_and_no_audience(lab: Any) -> None:
    _register(lab, _model())
    with lab.write() as writing:
        known = registered_models.get(writing, "churn", "1")
        registered_models.delete(writing, known)
    _register(lab, replace(_model(), audience=Audience()))
    with lab.record.reading() as reading:
        assert registered_models.get(reading, "churn", "1").audience == Audience()


@pytest.mark.promise("DATA-5")
def test_what_is_encrypted_is_in_no_event(lab: Any) -> None:
    made = _make(lab)
    with lab.write() as writing:
        sources.edit(writing, made, {"password": b"sealed-2"})
        targets.create(writing, TARGET, {"metadata.token": b"sealed-3"})
        sources.delete(writing, "warehouse")
    with lab.record.reading() as reading:
        said = str(events.after(reading, 0))
    assert "sealed-" not in said
    assert "password" in said


@pytest.mark.promise("USER-8")
def test_data_custodians_may_open_the_console(lab: Any) -> None:
    with lab.record.reading() as reading:
        built_in = {role.name: role.permissions for role in roles.all_roles(reading)}
    assert built_in["data-custodian"] == BUILT_IN_ROLES["data-custodian"]
