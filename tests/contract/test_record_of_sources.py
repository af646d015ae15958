"""What the record keeps of sources, their secrets and their proofs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from allotment.model.people import BUILT_IN_ROLES
from allotment.model.reasons import Rule
from allotment.model.refusals import AlreadyExists, NotFound, Refusal, RevisionStale
from allotment.model.sources import Audience, Proof, Source, Verdict
from allotment.record import (
    datasets,
    events,
    roles,
    sources,
    targets,
)
from data_records import DATASET, SEALED, SOURCE, TARGET, make, refused


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
    made = make(lab)
    found = _source(lab)
    assert found == made
    assert (found.fields, found.audience, found.group) == (SOURCE.fields, SOURCE.audience, "vision")
    assert (found.secrets, found.created_by) == (("key", "password"), "operator")
    with lab.record.reading() as reading:
        assert sources.all_sources(reading) == (found,)
        assert sources.sealed(reading, "warehouse") == SEALED


def test_a_name_is_taken_once(lab: Any) -> None:
    make(lab)
    with pytest.raises(AlreadyExists):
        make(lab)


@pytest.mark.parametrize(
    "audience", [Audience(groups=("nobodys",)), Audience(people=("stranger",))]
)
def test_an_audience_that_is_not_there_is_refused(lab: Any, audience: Audience) -> None:
    with pytest.raises(NotFound):
        make(lab, replace(SOURCE, audience=audience))
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
    before = make(lab)
    _prove(lab)
    with lab.write() as writing:
        after = sources.edit(writing, replace(before, **change), sealed)
    assert (after.proof is not None, after.usable) == (proven, proven)
    assert after.revision > before.revision


def test_secrets_that_are_not_named_stay_and_none_takes_one_away(lab: Any) -> None:
    before = make(lab)
    with lab.write() as writing:
        sources.edit(writing, before, {"key": None, "other": b"new"})
    with lab.record.reading() as reading:
        assert sources.sealed(reading, "warehouse") == {"password": b"sealed-1", "other": b"new"}


def test_an_edit_against_an_older_revision_is_stale(lab: Any) -> None:
    before = make(lab)
    with lab.write() as writing:
        sources.edit(writing, replace(before, title="One"), {}, before.revision)
    with pytest.raises(RevisionStale), lab.write() as writing:
        sources.edit(writing, replace(before, title="Two"), {}, before.revision)


def test_a_proof_of_what_was_changed_meanwhile_is_not_kept(lab: Any) -> None:
    before = make(lab)
    with lab.write() as writing:
        sources.edit(writing, replace(before, title="One"), {})
    proof = Proof(lab.now, Verdict.READ_ONLY)
    with pytest.raises(RevisionStale), lab.write() as writing:
        sources.proven(writing, "warehouse", proof, before.revision)


@pytest.mark.promise("DATA-2")
def test_a_proof_is_read_as_it_was_found(lab: Any) -> None:
    make(lab)
    found = _prove(lab, Verdict.WRITABLE, "insert into a", "copy to program")
    assert _source(lab) == found
    assert found.proof is not None
    assert (found.proof.possible, found.proof.shared) == (
        ("insert into a", "copy to program"),
        True,
    )


@pytest.mark.promise("DATA-2")
def test_an_acceptance_ends_where_more_becomes_possible(lab: Any) -> None:
    make(lab)
    _prove(lab, Verdict.WRITABLE, "insert")
    with lab.write() as writing:
        assert sources.accept(writing, "warehouse", "olga").accepted_by == "olga"
    assert _prove(lab, Verdict.WRITABLE, "insert").usable
    assert not _prove(lab, Verdict.WRITABLE, "insert", "drop").usable


@pytest.mark.parametrize("proven", [True, False])
def test_there_is_nothing_to_accept_without_a_bad_proof(lab: Any, proven: bool) -> None:
    make(lab)
    if proven:
        _prove(lab)
    with pytest.raises(Refusal) as problem, lab.write() as writing:
        sources.accept(writing, "warehouse", "olga")
    assert refused(problem) is Rule.DATA_PROOF


def test_a_proof_is_told_when_it_shows_something_new(lab: Any) -> None:
    make(lab)
    for verdict in (Verdict.READ_ONLY, Verdict.READ_ONLY, Verdict.WRITABLE):
        _prove(lab, verdict)
    with lab.record.reading() as reading:
        told = [one for one in events.after(reading, 0) if one.kind == "source.proven"]
    assert [one.after["verdict"] for one in told if one.after] == ["read-only", "writable"]


def test_a_source_through_which_datasets_are_read_is_not_deleted(lab: Any) -> None:
    make(lab)
    with lab.write() as writing:
        datasets.create(writing, replace(DATASET, source="warehouse"))
    with pytest.raises(Refusal, match="sales"), lab.write() as writing:
        sources.delete(writing, "warehouse")
    with lab.write() as writing:
        datasets.delete(writing, "sales")
        sources.delete(writing, "warehouse")
    with lab.record.reading() as reading:
        assert sources.sealed(reading, "warehouse") == {}


@pytest.mark.promise("DATA-5")
def test_what_is_encrypted_is_in_no_event(lab: Any) -> None:
    made = make(lab)
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
