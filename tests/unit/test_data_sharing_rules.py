"""The rules of who shares data with whom, and what proofs and acceptances cover."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allotment.model.datasets import Dataset, FileFormat, PrivacyLabel
from allotment.model.people import Authority, Permission
from allotment.model.sources import Audience, Proof, Source, SourceKind, Verdict
from allotment.rules import data_proofs
from allotment.rules.data_sharing import change_dataset, change_source, label_reason
from allotment.rules.permission import Caller, Reach

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
READ_ONLY = Proof(NOW, Verdict.READ_ONLY)


@pytest.mark.promise("SET-1")
@pytest.mark.parametrize("label", list(PrivacyLabel))
@pytest.mark.parametrize("everyone", [True, False])
def test_data_about_people_is_never_for_everyone(label: PrivacyLabel, everyone: bool) -> None:
    refused = label_reason(label, Audience(everyone=everyone, groups=("vision",)))
    assert (refused is not None) is (label is PrivacyLabel.PERSONAL and everyone)


def _caller(role: str, reach: Reach = Reach.EVERYTHING) -> Caller:
    permissions = frozenset({Permission.MANAGE_SOURCES}) if role == "custodian" else frozenset()
    leads = ("vision",) if role == "lead" else ()
    groups = () if role == "outsider" else ("vision",)
    return Caller(Authority("ann", role, permissions, groups, leads), reach)


NARROW, WIDE = Audience(groups=("vision",), people=("bob",)), Audience(everyone=True)


OTHERS, STRANGER = Audience(groups=("vision", "audio")), Audience(people=("zoe",))


@pytest.mark.promise("DATA-3", "USER-4")
@pytest.mark.parametrize(
    ("role", "group", "audience", "may"),
    [
        ("custodian", None, WIDE, True),
        ("custodian", "audio", STRANGER, True),
        ("lead", "vision", NARROW, True),
        ("lead", "vision", Audience(), True),
        ("lead", "vision", WIDE, False),
        ("lead", "vision", OTHERS, False),
        ("lead", "vision", STRANGER, False),
        ("lead", "audio", Audience(), False),
        ("lead", None, NARROW, False),
        ("member", "vision", NARROW, False),
        ("outsider", None, Audience(), False),
    ],
)
def test_a_lead_manages_sources_of_led_groups_only(
    role: str, group: str | None, audience: Audience, may: bool
) -> None:
    source = Source("lake", SourceKind.S3, audience=audience, group=group)
    refused = change_source(_caller(role), source, {"ann", "bob"})
    assert (refused is None) is may


@pytest.mark.parametrize("reach", [Reach.OWN, Reach.READ_OWN])
def test_a_token_that_reaches_own_things_manages_no_source(reach: Reach) -> None:
    source = Source("lake", SourceKind.S3, audience=NARROW, group="vision")
    assert change_source(_caller("lead", reach), source, {"ann", "bob"}) is not None
    assert change_source(_caller("custodian", reach), source, ()) is not None


@pytest.mark.promise("SET-1")
@pytest.mark.parametrize(
    ("role", "owner", "audience", "may"),
    [
        ("member", "ann", Audience(people=("ann",)), True),
        ("member", "ann", NARROW, True),
        ("member", "ann", OTHERS, False),
        ("member", "ann", STRANGER, False),
        ("member", "ann", WIDE, False),
        ("member", "bob", Audience(), False),
        ("outsider", "ann", Audience(people=("ann",)), True),
        ("outsider", "ann", Audience(groups=("vision",)), False),
        ("custodian", "bob", WIDE, True),
    ],
)
def test_whoever_registers_a_dataset_shares_it_within_own_groups(
    role: str, owner: str, audience: Audience, may: bool
) -> None:
    dataset = Dataset("sales", (), FileFormat.CSV, audience=audience, created_by=owner)
    assert (change_dataset(_caller(role), dataset, {"ann", "bob"}) is None) is may


_PROOFS = st.builds(
    Proof,
    st.just(NOW),
    st.sampled_from(Verdict),
    possible=st.lists(st.sampled_from(["insert", "drop"]), unique=True).map(tuple),
)


@pytest.mark.promise("DATA-2")
@given(st.none() | _PROOFS, _PROOFS)
def test_an_acceptance_never_covers_more_than_was_accepted(
    before: Proof | None, found: Proof
) -> None:
    now = data_proofs.kept(before, found)
    if data_proofs.still_accepted(before, now):
        assert before is not None
        assert set(now.possible) <= set(before.possible)
        assert now.verdict is before.verdict


@pytest.mark.promise("DATA-2")
@given(_PROOFS)
def test_an_attempt_that_could_not_be_made_undoes_no_proof(found: Proof) -> None:
    away = Proof(LATER, Verdict.UNPROVEN, problem="it did not answer")
    kept = data_proofs.kept(READ_ONLY, away)
    assert (kept.verdict, kept.at) == (Verdict.READ_ONLY, NOW)
    assert "did not answer" in kept.problem
    if found.verdict is not Verdict.UNPROVEN:
        assert data_proofs.kept(READ_ONLY, found) == found
