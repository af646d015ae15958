"""The rules of who may use which data: what is granted, promised, revoked."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allotment.model.datasets import Dataset, FileFormat, PrivacyLabel
from allotment.model.reasons import Rule
from allotment.model.sources import Audience, Proof, Source, SourceKind, Verdict
from allotment.rules.data_access import (
    Asker,
    Grounds,
    Promise,
    dataset_grounds,
    dataset_reason,
    grounds_of,
    knows_dataset,
    knows_source,
    promises,
    source_grounds,
    source_reason,
    term,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
EARLIER, LATER = NOW - timedelta(hours=1), NOW + timedelta(hours=1)
READ_ONLY = Proof(NOW, Verdict.READ_ONLY)


def _source(
    *, groups: tuple[str, ...] = ("vision",), enabled: bool = True, revoked: datetime | None = None
) -> Source:
    return Source(
        "lake",
        SourceKind.S3,
        audience=Audience(groups=groups),
        enabled=enabled,
        revoked_at=revoked,
        proof=READ_ONLY,
    )


def _server(*by: str, groups: tuple[str, ...] = ("vision",)) -> Asker:
    return Asker("ann", groups, NOW, {"lake": Promise(by)} if by else {})


@pytest.mark.promise("DATA-3", "DATA-7", "PROFILE-5")
@pytest.mark.parametrize(
    ("source", "asker", "found"),
    [
        # granted now
        (_source(), _server(), Grounds.GRANTED),
        (_source(), Asker("ann", ("vision",)), Grounds.GRANTED),
        (_source(), Asker("ann", ("other",)), None),
        (_source(enabled=False), Asker("ann", ("vision",)), None),
        # promised, and disabled since
        (_source(enabled=False), _server("group:vision"), Grounds.PROMISED),
        (_source(enabled=False), _server("everyone"), Grounds.PROMISED),
        (_source(enabled=False), _server("person", groups=()), Grounds.PROMISED),
        # the ground is gone
        (_source(enabled=False), _server("group:vision", groups=()), None),
        (_source(groups=()), _server("group:vision", groups=("other",)), None),
        (_source(enabled=False), _server("group:vision", "everyone", groups=()), Grounds.PROMISED),
        # taken out of the audience since, and still in the group
        (_source(groups=()), _server("group:vision"), Grounds.PROMISED),
        # revoked
        (_source(enabled=False, revoked=LATER), _server("group:vision"), None),
        (_source(enabled=False, revoked=NOW), _server("group:vision"), None),
        (_source(enabled=False, revoked=EARLIER), _server("group:vision"), Grounds.PROMISED),
        # revoked, and granted again
        (_source(revoked=LATER), _server("group:vision"), Grounds.GRANTED),
    ],
)
def test_a_server_uses_what_was_promised_and_what_is_granted_less_what_was_revoked(
    source: Source, asker: Asker, found: Grounds | None
) -> None:
    assert source_grounds(source, asker) is found
    assert (source_reason(source, asker) is None) is (found is not None)


@pytest.mark.promise("DATA-3", "DATA-7")
@pytest.mark.parametrize(("created", "may"), [(EARLIER, True), (NOW, True), (LATER, False)])
def test_what_was_registered_since_under_a_promised_name_was_not_promised(
    created: datetime, may: bool
) -> None:
    """The source that was promised is deleted, and another group registers one of its name."""
    source = replace(_source(groups=("others",)), created_at=created)
    server = _server("group:vision")
    assert (source_grounds(source, server) is not None) is may
    assert knows_source(source, server) is may


@pytest.mark.promise("DATA-2")
@pytest.mark.parametrize(
    ("proof", "accepted_by", "usable"),
    [
        (None, None, False),
        (READ_ONLY, None, True),
        (Proof(NOW, Verdict.WRITABLE, possible=("insert",)), None, False),
        (Proof(NOW, Verdict.WRITABLE, possible=("insert",)), "olga", True),
        (Proof(NOW, Verdict.UNPROVEN), None, False),
        (Proof(NOW, Verdict.UNPROVEN), "olga", True),
    ],
)
def test_a_source_is_usable_once_it_is_proven_or_accepted(
    proof: Proof | None, accepted_by: str | None, usable: bool
) -> None:
    source = Source(
        "lake",
        SourceKind.S3,
        audience=Audience(everyone=True),
        proof=proof,
        accepted_by=accepted_by,
    )
    reason = source_reason(source, Asker("ann"))
    assert (reason is None) is usable
    assert reason is None or reason.rule is Rule.DATA_PROOF


def test_who_is_not_among_the_audience_is_told_what_is_told_of_nothing() -> None:
    hidden = source_reason(_source(enabled=False), Asker("zoe"))
    assert hidden is not None
    assert "disabled" not in hidden.message
    assert hidden.rule is Rule.DATA_AUDIENCE


def test_who_lost_a_source_is_told_when_it_was_revoked() -> None:
    lost = source_reason(_source(enabled=False, revoked=LATER), _server("group:vision"))
    assert lost is not None
    assert (lost.rule, "2026-03-01" in lost.message) == (Rule.DATA_ENABLED, True)


_GROUPS = st.sets(st.sampled_from(["a", "b", "c"])).map(lambda names: tuple(sorted(names)))


_AUDIENCES = st.builds(
    Audience, st.booleans(), _GROUPS, st.sets(st.sampled_from(["ann", "bob"])).map(tuple)
)


@pytest.mark.promise("DATA-7")
@given(_AUDIENCES, _GROUPS, _GROUPS)
def test_a_promise_lasts_no_longer_than_the_grounds_it_was_made_on(
    audience: Audience, then: tuple[str, ...], now: tuple[str, ...]
) -> None:
    promise = Promise(grounds_of(audience, "ann", then))
    kept = [name for name in audience.groups if name in then and name in now]
    held = audience.everyone or "ann" in audience.people or bool(kept)
    assert promise.lasts(now) is held
    assert promise.lasts(then) is audience.admits("ann", then)


@given(
    st.lists(st.sampled_from(["everyone", "person", "group:a"]), min_size=1, unique=True),
    st.none() | st.integers(1, 9),
)
def test_a_promise_is_read_as_it_was_written(by: list[str], version: int | None) -> None:
    written = {"datasets": [term("sales", Promise(tuple(by), version))]}
    assert promises(written, "datasets") == {"sales": Promise(tuple(sorted(by)), version)}


@given(_AUDIENCES, _GROUPS, st.booleans(), st.sampled_from([None, EARLIER, LATER]))
def test_nobody_uses_what_is_disabled_and_was_never_promised(
    audience: Audience, groups: tuple[str, ...], enabled: bool, revoked: datetime | None
) -> None:
    source = Source(
        "lake",
        SourceKind.S3,
        audience=audience,
        enabled=enabled,
        revoked_at=revoked,
        proof=READ_ONLY,
    )
    granted = enabled and audience.admits("ann", groups)
    assert (source_grounds(source, Asker("ann", groups, NOW)) is not None) is granted


def _dataset(label: PrivacyLabel = PrivacyLabel.INTERNAL, **audience: object) -> Dataset:
    return Dataset(
        "sales",
        ("s3://lake/a",),
        FileFormat.PARQUET,
        label=label,
        audience=Audience(**audience),  # type: ignore[arg-type]  # the columns of a table
        created_by="ann",
    )


@pytest.mark.promise("SET-1")
@pytest.mark.parametrize(
    ("label", "person", "groups", "known"),
    [
        (PrivacyLabel.PUBLIC, "zoe", (), True),
        (PrivacyLabel.INTERNAL, "zoe", (), False),
        (PrivacyLabel.PERSONAL, "zoe", (), False),
        (PrivacyLabel.INTERNAL, "bob", ("vision",), True),
        (PrivacyLabel.INTERNAL, "ann", (), True),
    ],
)
def test_a_label_says_who_knows_of_a_dataset(
    label: PrivacyLabel, person: str, groups: tuple[str, ...], known: bool
) -> None:
    dataset = _dataset(label, groups=("vision",))
    assert knows_dataset(dataset, Asker(person, groups)) is known


@pytest.mark.promise("SET-1")
def test_a_public_dataset_is_listed_for_everybody_and_loaded_by_its_audience_only() -> None:
    dataset = _dataset(PrivacyLabel.PUBLIC, groups=("vision",))
    assert dataset_reason(dataset, None, Asker("zoe")) is not None
    assert dataset_reason(dataset, None, Asker("bob", ("vision",))) is None


def test_a_dataset_whose_source_is_not_shared_names_the_source() -> None:
    reason = dataset_reason(_dataset(everyone=True), _source(), Asker("zoe"))
    assert reason is not None
    assert "lake" in reason.message


@pytest.mark.promise("SET-1", "SET-2", "DATA-3", "PROFILE-5")
@pytest.mark.parametrize(
    ("opened", "source", "promised", "may"),
    [
        # nobody who manages the source has opened the dataset
        (False, _source(groups=("others",)), False, False),
        (False, _source(groups=("vision",)), False, True),
        # opened: its own audience is enough
        (True, _source(groups=()), False, True),
        # and ends with the source, for those who were not promised it
        (True, _source(groups=(), enabled=False), False, False),
        (True, _source(groups=(), enabled=False), True, True),
        (True, _source(groups=(), enabled=False, revoked=LATER), True, False),
        # the source is not proven, or leads somewhere else since
        (True, replace(_source(groups=()), proof=None), False, False),
        (True, replace(_source(groups=()), proof=None, changed_at=LATER), True, False),
        (True, replace(_source(groups=()), proof=None, changed_at=EARLIER), True, True),
    ],
)
def test_a_dataset_needs_its_source_unless_who_manages_that_has_opened_it(
    opened: bool, source: Source, promised: bool, may: bool
) -> None:
    dataset = replace(_dataset(groups=("vision",)), opened_by="carl" if opened else None)
    terms = {"sales": Promise(("group:vision",))} if promised else {}
    asker = Asker("ann", ("vision",), NOW, {}, terms)

    assert (dataset_grounds(dataset, source, asker) is not None) is may
    assert (dataset_reason(dataset, source, asker) is None) is may


@pytest.mark.promise("DATA-2", "PROFILE-5")
@pytest.mark.parametrize(
    ("changed", "proof", "may"),
    [
        (LATER, None, False),
        (LATER, Proof(LATER, Verdict.WRITABLE, possible=("insert",)), False),
        (LATER, READ_ONLY, True),
        (EARLIER, Proof(LATER, Verdict.WRITABLE, possible=("insert",)), True),
    ],
)
def test_what_leads_somewhere_else_is_not_what_was_promised_until_it_is_proven(
    changed: datetime, proof: Proof | None, may: bool
) -> None:
    source = replace(_source(enabled=False), changed_at=changed, proof=proof)
    assert (source_grounds(source, _server("group:vision")) is not None) is may
