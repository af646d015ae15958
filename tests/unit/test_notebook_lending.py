"""What is lent to a process is kept while it is good, renewed before it ends, and asked about again."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from allotment.client import ControlPlaneAway
from allotment.model.documents import SourceCredential
from allotment.model.refusals import NotFound
from allotment.model.sources import SourceKind
from allotment.notebook.lending import Lender
from allotment_server.keeping import Keeper

WRONG_CLOCK = datetime(2031, 1, 1, tzinfo=UTC)


@dataclass
class Plane:
    """A control plane that lends for an hour, by a clock that is not this machine's."""

    seconds: float = 0.0
    life: float | None = 3600.0
    lent: list[str] = field(default_factory=list)
    asked: int = 0
    trouble: Exception | None = None

    def ask(self, source: str, *, fresh: bool = False) -> SourceCredential:
        del fresh
        if self.trouble is not None:
            raise self.trouble
        now = WRONG_CLOCK + timedelta(seconds=self.seconds)
        self.lent.append(f"key-{len(self.lent)}")
        return SourceCredential(
            source=source,
            kind=SourceKind.S3,
            fields={"secret_access_key": self.lent[-1]},
            expires_at=None if self.life is None else now + timedelta(seconds=self.life),
            now=now,
        )

    def still(self, source: str) -> str:
        self.asked += 1
        if self.trouble is not None:
            raise self.trouble
        return source

    def clock(self) -> float:
        return self.seconds


@pytest.fixture
def plane() -> Plane:
    return Plane()


@pytest.fixture
def lender(plane: Plane) -> Lender:
    return Lender(plane.ask, plane.still, plane.clock)


@pytest.fixture
def keeper(plane: Plane) -> Keeper:
    return Keeper(plane.ask, logging.getLogger("keeper"), plane.clock)


@pytest.mark.promise("DATA-5")
def test_a_credential_is_renewed_five_minutes_before_it_ends_whatever_this_machines_clock_says(
    plane: Plane, lender: Lender
) -> None:
    first = lender.credential("lake")
    plane.seconds = 3299
    same = lender.credential("lake")
    plane.seconds = 3301
    other = lender.credential("lake")

    assert same is first
    assert [first.text("secret_access_key"), other.text("secret_access_key")] == plane.lent


@pytest.mark.promise("DATA-5")
def test_one_that_lives_shortly_is_renewed_after_four_fifths_of_its_life(
    plane: Plane, lender: Lender
) -> None:
    plane.life = 10
    lender.credential("lake")
    plane.seconds = 7.9
    lender.credential("lake")
    plane.seconds = 8.1
    lender.credential("lake")

    assert len(plane.lent) == 2


@pytest.mark.promise("DATA-7")
def test_whether_it_may_still_be_used_is_asked_every_half_minute(
    plane: Plane, lender: Lender
) -> None:
    lender.credential("lake")
    for plane.seconds in (10, 29, 31, 40, 62):
        lender.credential("lake")

    assert plane.asked == 2


@pytest.mark.promise("DATA-7")
def test_what_was_revoked_is_not_handed_out_any_more(plane: Plane, lender: Lender) -> None:
    lender.credential("lake")
    plane.trouble = NotFound("source", "lake")
    plane.seconds = 31

    for _ in range(2):
        with pytest.raises(NotFound):
            lender.credential("lake")


@pytest.mark.promise("DATA-5")
def test_a_credential_that_the_provider_refused_is_replaced_once_for_all_who_held_it(
    plane: Plane, lender: Lender
) -> None:
    refused = lender.credential("lake")

    first, second = lender.renewed("lake", refused), lender.renewed("lake", refused)

    assert first is second
    assert len(plane.lent) == 2


def test_a_credential_shows_no_secret(lender: Lender) -> None:
    assert "key-0" not in repr(lender.credential("lake"))


@pytest.mark.promise("DATA-5")
def test_a_server_renews_what_its_kernels_use_beside_them(plane: Plane, keeper: Keeper) -> None:
    keeper.lend("lake")
    plane.seconds = 3001
    keeper.renew_due()
    plane.trouble = AssertionError("it was asked again")

    assert keeper.lend("lake").fields["secret_access_key"] == plane.lent[1]


@pytest.mark.promise("DATA-5")
def test_a_server_lets_go_what_no_kernel_asked_for_again(plane: Plane, keeper: Keeper) -> None:
    keeper.lend("lake")
    for plane.seconds in (3001, 6002, 9003):
        keeper.renew_due()

    assert len(plane.lent) == 2


@pytest.mark.promise("DATA-5")
def test_a_servers_answer_counts_the_life_that_is_left(plane: Plane, keeper: Keeper) -> None:
    keeper.lend("lake")
    plane.seconds = 600
    later = keeper.lend("lake")

    assert later.expires_at is not None
    assert later.expires_at - later.now == timedelta(seconds=3000)


@pytest.mark.promise("DATA-5")
def test_what_is_left_of_a_credential_is_lent_while_the_control_plane_is_away(
    plane: Plane, keeper: Keeper
) -> None:
    keeper.lend("lake")
    plane.trouble = ControlPlaneAway("It restarts.")
    plane.seconds = 3500

    assert keeper.lend("lake").fields["secret_access_key"] == plane.lent[0]
    plane.seconds = 3601
    with pytest.raises(ControlPlaneAway):
        keeper.lend("lake")


@pytest.mark.promise("DATA-7")
def test_a_server_forgets_what_it_may_not_lend_any_more(plane: Plane, keeper: Keeper) -> None:
    keeper.lend("lake")
    plane.trouble = NotFound("source", "lake")
    plane.seconds = 3001

    keeper.renew_due()
    with pytest.raises(NotFound):
        keeper.lend("lake")


@pytest.mark.promise("DATA-5", "SERVER-7")
def test_who_reads_reads_on_while_the_control_plane_is_away(plane: Plane, lender: Lender) -> None:
    held = lender.credential("lake")
    plane.trouble = ControlPlaneAway("It restarts.")

    for plane.seconds in (100, 1_000, 3_400, 3_599):
        assert lender.credential("lake") is held
    plane.seconds = 3_601
    with pytest.raises(ControlPlaneAway):
        lender.credential("lake")


@pytest.mark.promise("DATA-5", "DATA-7")
def test_credentials_of_a_minute_are_exchanged_in_time_by_server_and_kernel(
    plane: Plane, keeper: Keeper
) -> None:
    """The server looks every ten seconds; a kernel asks every second, for half an hour."""
    plane.life = 60.0
    lender = Lender(
        lambda source, *, fresh: keeper.lend(source, fresh=fresh), plane.still, plane.clock
    )

    left = []
    for plane.seconds in range(1_800):
        if plane.seconds % 10 == 0:
            keeper.renew_due()
        left.append((lender.credential("lake").ends or 0) - plane.seconds)

    assert min(left) > 4
    assert max(left) <= 60
    assert len(plane.lent) <= 1_800 / 36 + 1
