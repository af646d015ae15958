"""What is lent is withdrawn, whatever happens in between; proofs are repeated. Over a source that is played."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest

from allotment.api.identity import hash_token
from allotment.api.sessions import COOKIE
from allotment.client import AllotmentClient
from allotment.data.door import Door
from allotment.data.kinds import KINDS
from allotment.data.kinds.kind import Borrower, FormField, Opened
from allotment.data.problems import SourceProblem
from allotment.model.reasons import Rule
from allotment.model.refusals import NotFound, NotPermitted, Refusal, RevisionStale
from allotment.model.sources import Audience, Browsed, Credential, Proof, SourceKind, Verdict
from allotment.record import loans
from allotment.work.lending import AT_ONCE, FAILING, MOST
from allotment.work.outside import OF_ONE

pytestmark = pytest.mark.parametrize("store", ["sqlite"])


@dataclass
class Played:
    """A database that remembers its accounts. ``away`` is where it is not reached, by host.

    Where it is ``broken`` its driver raises what nobody expects; where it is ``hanging`` it answers once
    it is let ``go``. ``asked`` are the places that were asked to drop an account.
    """

    accounts: dict[str, str] = field(default_factory=dict)
    away: set[str] = field(default_factory=set)
    broken: set[str] = field(default_factory=set)
    hanging: set[str] = field(default_factory=set)
    go: threading.Event = field(default_factory=threading.Event)
    dropped: threading.Event = field(default_factory=threading.Event)
    asked: list[str] = field(default_factory=list)
    proofs: list[Verdict] = field(default_factory=list)
    on_issue: Callable[[], None] = lambda: None
    after_issue: Callable[[], None] = lambda: None
    on_withdraw: Callable[[], object] = lambda: None
    on_validate: Callable[[], None] = lambda: None
    kind = SourceKind.POSTGRESQL
    title = "Played"
    fields = (
        FormField("host", "Host", "Where it is.", required=True),
        FormField("database", "Database", "Which."),
        FormField("identity", "Identity", "Whose.", default="own", guarded=("platform",)),
        FormField("password", "Password", "Of the account.", "secret", required=True),
    )

    def validate(self, source: Opened) -> None:
        del source
        self.on_validate()

    def check(self, source: Opened, door: Door) -> str:
        del door
        self._reach(source)
        return "Reached."

    def prove(self, source: Opened, door: Door, now: datetime) -> Proof:
        del door
        if str(source.fields["host"]) in self.away:
            return Proof(now, Verdict.UNPROVEN, problem="It does not answer.")
        verdict = self.proofs.pop(0) if self.proofs else Verdict.READ_ONLY
        possible = ("inserting",) if verdict is Verdict.WRITABLE else ()
        return Proof(now, verdict, ("inserting",), possible)

    def issue(self, source: Opened, borrower: Borrower, door: Door, now: datetime) -> Credential:
        del door, now
        self._reach(source)
        self.accounts[borrower.account] = str(source.fields["host"])
        self.on_issue()
        fields = {"user": borrower.account, "password": "lent"}
        return Credential(fields, borrower.until, account=borrower.account)

    def withdraw(self, source: Opened, account: str, door: Door) -> None:
        del door
        self.asked.append(str(source.fields["host"]))
        self.on_withdraw()
        if source.fields["host"] in self.hanging:
            assert self.go.wait(60)
        self._reach(source)
        if source.fields["host"] in self.broken:
            raise KeyError(account)
        self.accounts.pop(account, None)
        self.dropped.set()

    def browse(self, *_: Any, **__: Any) -> Browsed:
        return Browsed(())

    def _reach(self, source: Opened) -> None:
        if str(source.fields["host"]) in self.away:
            message = "It does not answer."
            raise SourceProblem(message, remedy="Start it.")


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> Played:
    """In the place of PostgreSQL."""
    stand_in = Played()
    monkeypatch.setitem(KINDS, SourceKind.POSTGRESQL, stand_in)  # type: ignore[arg-type]  # a dict behind its type
    return stand_in


@pytest.fixture
def shop(data_api: Any, played: Played) -> AllotmentClient:
    """A source for vision, registered by the custodian; the custodian's client."""
    assert not played.accounts
    client: AllotmentClient = data_api.client("carl+")
    fields = {"host": "one", "password": "registered"}
    client.sources.create(
        "shop", "postgresql", fields, audience=Audience(groups=("vision",)), group="vision"
    )
    return client


def lend(api: Any) -> Any:
    return api.client("bobs-server").sources.credentials("shop")


def round_(api: Any, lab: Any, **later: float) -> str:
    """A round of withdrawing, some time later."""
    words: str = api.plane.data.lending.round(lab.later(**later) if later else lab.now)
    return words


@pytest.mark.promise("DATA-7")
def test_an_account_whose_dropping_breaks_keeps_no_other_from_being_dropped(
    data_api: Any, lab: Any, played: Played, shop: AllotmentClient
) -> None:
    lend(data_api)
    fields = {"host": "two", "password": "registered"}
    shop.sources.create("store", "postgresql", fields, audience=Audience(groups=("vision",)))
    data_api.client("bobs-server").sources.credentials("store")
    played.broken.add("one")

    said = round_(data_api, lab, hours=13)

    assert "withdrew 1 loan" in said
    assert list(played.accounts.values()) == ["one"]


@pytest.mark.promise("DATA-7")
@pytest.mark.usefixtures("shop")
def test_an_account_that_cannot_be_dropped_now_is_tried_again_until_it_is(
    data_api: Any, lab: Any, played: Played
) -> None:
    lend(data_api)
    played.away.add("one")
    data_api.client("carl+").sources.revoke("shop")
    assert len(played.accounts) == 1
    alerts = data_api.client("olga+").overview().alerts
    assert any("could not be dropped yet" in one.message for one in alerts)

    assert "could not be dropped yet" in round_(data_api, lab, minutes=1)
    played.away.clear()
    assert round_(data_api, lab, seconds=1) == ""
    assert round_(data_api, lab, minutes=1) == "withdrew 1 loan"

    assert played.accounts == {}


@pytest.mark.promise("DATA-7")
def test_a_source_is_revoked_though_calls_to_it_hang(
    data_api: Any, lab: Any, played: Played, shop: AllotmentClient
) -> None:
    lend(data_api)
    with ExitStack() as hanging:
        for number in range(OF_ONE):
            turn = data_api.plane.data.outside._turn(f"person-{number}", "source", "shop")
            hanging.enter_context(turn)
        revoked = shop.sources.revoke("shop")

    assert not revoked.enabled
    assert round_(data_api, lab) == "withdrew 1 loan"
    assert played.accounts == {}


def another(shop: AllotmentClient, name: str, host: str) -> None:
    """One more source that vision may use."""
    fields = {"host": host, "password": "registered"}
    shop.sources.create(name, "postgresql", fields, audience=Audience(groups=("vision",)))


@pytest.mark.promise("DATA-7")
def test_a_source_that_does_not_answer_delays_the_withdrawal_from_no_other(
    data_api: Any, lab: Any, played: Played, shop: AllotmentClient
) -> None:
    lend(data_api)
    another(shop, "store", "two")
    data_api.client("bobs-server").sources.credentials("store")
    played.hanging.add("one")

    with ThreadPoolExecutor(1) as aside:
        said = aside.submit(round_, data_api, lab, hours=13)
        answered = played.dropped.wait(20)
        held = list(played.accounts.values())
        played.go.set()

    assert (answered, held) == (True, ["one"])
    assert said.result() == "withdrew 2 loans"


@pytest.mark.promise("DATA-7")
@pytest.mark.usefixtures("shop")
def test_a_source_that_is_away_is_asked_once_in_a_round_and_when_it_is_revoked(
    data_api: Any, lab: Any, played: Played
) -> None:
    for _ in range(3):
        lend(data_api)
    played.away.add("one")

    data_api.client("carl+").sources.revoke("shop")
    assert played.asked == ["one"]
    assert round_(data_api, lab, seconds=1) == "1 account could not be dropped yet"
    assert played.asked == ["one", "one"]

    played.away.clear()
    assert round_(data_api, lab, minutes=1) == "withdrew 3 loans"


@pytest.mark.promise("DATA-7")
def test_many_sources_that_are_away_take_turns_and_leave_room_for_the_others(
    data_api: Any, lab: Any, played: Played, shop: AllotmentClient
) -> None:
    hosts = {f"away-{number}" for number in range(2 * FAILING)}
    for host in hosts:
        another(shop, host, host)
        data_api.client("bobs-server").sources.credentials(host)
    played.away |= hosts
    round_(data_api, lab, hours=13)
    played.asked.clear()

    round_(data_api, lab, minutes=1)
    first = set(played.asked)
    round_(data_api, lab, minutes=1)

    assert len(first) == FAILING
    assert set(played.asked) == hosts


@pytest.mark.promise("DATA-7")
@pytest.mark.usefixtures("shop")
def test_an_account_whose_making_broke_off_is_dropped(data_api: Any, played: Played) -> None:
    def break_off() -> None:
        message = "It broke off."
        raise SourceProblem(message)

    played.on_issue = break_off
    with pytest.raises(Refusal, match="broke off"):
        lend(data_api)

    assert played.accounts == {}


@pytest.mark.promise("DATA-7")
@pytest.mark.usefixtures("shop")
def test_what_is_revoked_while_it_is_being_lent_is_not_lent(data_api: Any, played: Played) -> None:
    played.on_issue = lambda: data_api.client("carl+").sources.revoke("shop") and None

    with pytest.raises(NotPermitted, match="taken back while"):
        lend(data_api)

    assert played.accounts == {}


@pytest.mark.promise("DATA-7")
def test_accounts_of_a_source_that_is_deleted_are_dropped_side_by_side(
    data_api: Any, played: Played, shop: AllotmentClient
) -> None:
    for _ in range(3):
        lend(data_api)
    side_by_side = threading.Barrier(3, timeout=20)
    played.on_withdraw = side_by_side.wait

    shop.sources.delete("shop", revision="any")

    assert played.accounts == {}


@pytest.mark.promise("DATA-7")
def test_a_source_that_is_away_is_deleted_after_one_turn_with_its_accounts_named(
    data_api: Any, played: Played, shop: AllotmentClient
) -> None:
    """Each turn takes as long as a call to it may."""
    for _ in range(AT_ONCE + 2):
        lend(data_api)
    left = sorted(played.accounts)
    played.away.add("one")

    shop.sources.delete("shop", revision="any")

    assert len(played.asked) == AT_ONCE
    events = data_api.client("olga+").events.after(0).items
    told = [one.after or {} for one in events if one.kind == "source.accounts_left"]
    assert [sorted(one["accounts"]) for one in told] == [left]


@pytest.mark.promise("DATA-5")
@pytest.mark.usefixtures("shop")
def test_what_was_lent_ends_by_itself_and_is_kept_nowhere(
    data_api: Any, lab: Any, played: Played
) -> None:
    lent = lend(data_api)
    with data_api.plane.record.reading() as reading:
        [loan] = loans.open_loans(reading)
    assert (loan.account, loan.expires_at) == (lent.fields["user"], lent.expires_at)

    round_(data_api, lab, hours=13)

    assert played.accounts == {}


@pytest.mark.promise("DATA-5")
@pytest.mark.usefixtures("shop")
def test_a_server_holds_so_many_accounts_at_once_and_no_more(data_api: Any) -> None:
    for _ in range(MOST):
        lend(data_api)

    with pytest.raises(Refusal) as refused:
        lend(data_api)

    reason = refused.value.reasons[0]
    assert (reason.limit, reason.used, reason.asked) == (MOST, MOST, 1)


@pytest.mark.promise("DATA-5")
def test_a_secret_is_never_shown_to_another_address_than_it_was_entered_for(
    data_api: Any, shop: AllotmentClient, played: Played
) -> None:
    with pytest.raises(Refusal, match="must be entered again"):
        data_api.client("ann+").sources.edit("shop", revision="any", fields={"host": "of-ann"})

    moved = shop.sources.edit("shop", revision="any", fields={"host": "two", "password": "new"})
    assert (moved.fields or {})["host"] == "two"
    kept = shop.sources.edit("shop", revision="any", fields={"database": "other"})
    assert kept.secrets == ("password",)
    assert played.accounts == {}


@pytest.mark.promise("DATA-5", "USER-4")
def test_a_lead_cannot_have_a_custodians_secret_read_something_else(
    data_api: Any, shop: AllotmentClient
) -> None:
    lead = data_api.client("ann+").sources

    with pytest.raises(Refusal, match="Database changed") as refused:
        lead.edit("shop", revision="any", fields={"database": "payroll"})

    assert "ask a data custodian" in refused.value.reasons[0].remedy
    assert (shop.sources.get("shop").fields or {})["database"] == ""
    own = lead.edit("shop", revision="any", fields={"database": "ours", "password": "anns"})
    assert (own.fields or {})["database"] == "ours"


@pytest.mark.promise("DATA-5", "USER-4")
def test_a_change_of_fields_is_judged_with_the_secret_that_it_leaves_in_place(
    data_api: Any, shop: AllotmentClient, played: Played
) -> None:
    new = {"host": "two", "password": "of-two"}
    moves = iter([lambda: shop.sources.edit("shop", revision="any", fields=new)])
    played.on_validate = lambda: next(moves, lambda: None)() and None

    with pytest.raises(RevisionStale):
        data_api.client("ann+").sources.edit("shop", revision="any", fields={"host": "one"})

    assert (shop.sources.get("shop").fields or {})["host"] == "two"


@pytest.mark.promise("DATA-7")
def test_a_source_that_moves_drops_its_accounts_where_they_are(
    data_api: Any, shop: AllotmentClient, played: Played
) -> None:
    lend(data_api)

    shop.sources.edit("shop", revision="any", fields={"host": "two", "password": "new"})

    assert played.accounts == {}


@pytest.mark.promise("DATA-7")
def test_accounts_that_a_moved_source_leaves_behind_are_named_in_the_record(
    data_api: Any, shop: AllotmentClient, played: Played
) -> None:
    lent = lend(data_api)
    played.away.add("one")

    shop.sources.edit("shop", revision="any", fields={"host": "two", "password": "new"})

    [event] = [
        one
        for one in data_api.client("olga+").events.after(0).items
        if one.kind == "source.accounts_left"
    ]
    assert event.after == {"accounts": [lent.fields["user"]]}


@pytest.mark.promise("DATA-2")
def test_a_source_is_proven_again_each_day_and_a_day_on_which_it_is_away_takes_it_from_nobody(
    data_api: Any, lab: Any, shop: AllotmentClient, played: Played
) -> None:
    proving = data_api.plane.data.proving
    assert proving.round(lab.later(hours=23)) == ""
    played.away.add("one")
    assert "shop: unproven" in proving.round(lab.later(hours=2))
    assert proving.round(lab.later(minutes=5)) == ""
    found = shop.sources.get("shop")
    assert (found.proven, "not answer" in (found.proof.problem if found.proof else "")) == (
        True,
        True,
    )

    played.away.clear()
    played.proofs = [Verdict.WRITABLE]
    assert proving.round(lab.later(minutes=6)) == "shop: writable"

    with pytest.raises(Refusal) as refused:
        lend(data_api)
    assert refused.value.reasons[0].rule is Rule.DATA_PROOF
    alerts = data_api.client("olga+").overview().alerts
    assert any("its users can write: inserting" in one.message for one in alerts)


@pytest.mark.promise("DATA-2")
def test_only_who_manages_all_sources_accepts_one_that_can_be_written_to(
    data_api: Any, shop: AllotmentClient, played: Played
) -> None:
    played.proofs = [Verdict.WRITABLE]
    shop.sources.prove("shop")

    with pytest.raises(NotPermitted):
        data_api.client("ann+").sources.accept("shop")
    accepted = shop.sources.accept("shop")

    assert (accepted.accepted, accepted.accepted_by, accepted.proven) == (True, "carl", False)
    assert data_api.client("bob").sources.get("shop").accepted
    assert lend(data_api).fields["password"] == "lent"


@pytest.mark.promise("DATA-3", "USER-4")
@pytest.mark.parametrize(
    ("change", "refused"),
    [
        ({"title": "Shop"}, None),
        ({"audience": Audience(groups=("vision",), people=("bob",))}, None),
        ({"audience": Audience(everyone=True)}, NotPermitted),
        ({"audience": Audience(people=("zoe",))}, NotPermitted),
        ({"group": None}, NotPermitted),
        ({"fields": {"identity": "platform", "password": "x"}}, NotPermitted),
    ],
)
@pytest.mark.usefixtures("shop")
def test_a_lead_manages_the_groups_sources_within_the_group(
    data_api: Any, change: dict[str, Any], refused: type[Exception] | None
) -> None:
    lead = data_api.client("ann+").sources

    if refused is None:
        assert lead.edit("shop", revision="any", **change).manages
    else:
        with pytest.raises(refused):
            lead.edit("shop", revision="any", **change)


@pytest.mark.promise("DATA-4")
@pytest.mark.usefixtures("shop")
def test_who_may_use_a_new_or_changed_source_is_told_to_test_it(data_api: Any, lab: Any) -> None:
    told = [one for one in data_api.client("bob").me().notices if one.kind == "source"]
    assert [(one.source, "was added" in one.message) for one in told] == [("shop", True)]
    assert not [one for one in data_api.client("zoe").me().notices if one.kind == "source"]

    lab.later(days=1)
    new = {"host": "two", "password": "new"}
    data_api.client("carl+").sources.edit("shop", revision="any", fields=new)

    [again] = [one for one in data_api.client("bob").me().notices if one.kind == "source"]
    assert "was changed" in again.message
    assert again.id != told[0].id


@pytest.mark.promise("DATA-4")
@pytest.mark.usefixtures("shop")
def test_a_test_that_fails_says_what_would_help(data_api: Any, played: Played) -> None:
    played.away.add("one")

    found = data_api.client("bob").sources.check("shop")

    assert (found.reached, found.words, found.remedy) == (
        False,
        "It does not answer.",
        "Start it.",
    )


@pytest.mark.promise("PROFILE-5")
def test_a_disabled_source_stays_with_servers_that_were_promised_it(
    data_api: Any, lab: Any, hub: Any, shop: AllotmentClient
) -> None:
    lab.later(minutes=1)
    promised = "token-of-a-later-server"
    hub.give(promised, "bob")
    lab.granted("bob", "cpu", "later", token_hash=hash_token(promised))
    shop.sources.edit("shop", revision="any", enabled=False)

    later = data_api.client(promised)
    assert later.sources.get("shop").grounds == "promised"
    assert later.sources.credentials("shop").fields["password"] == "lent"
    assert shop.sources.get("shop").held_by == ("bob/later",)
    with pytest.raises(Refusal):
        lend(data_api)

    shop.sources.revoke("shop")
    with pytest.raises(Refusal):
        later.sources.credentials("shop")


@pytest.mark.promise("DATA-1")
def test_deleting_a_source_drops_what_was_lent_of_it(
    data_api: Any, shop: AllotmentClient, played: Played
) -> None:
    lend(data_api)

    shop.sources.delete("shop", revision="any")

    assert played.accounts == {}
    with pytest.raises(NotFound):
        shop.sources.get("shop")


@pytest.mark.promise("DATA-3", "USER-7")
def test_everyone_is_everyone_who_is_on_boarded(
    data_api: Any, hub: Any, shop: AllotmentClient
) -> None:
    shop.sources.edit("shop", revision="any", audience=Audience(everyone=True))
    hub.give("nina", "nina")

    assert [one.name for one in data_api.client("zoe").sources.all().items] == ["shop"]
    assert data_api.client("nina").sources.all().items == ()
    with pytest.raises(NotFound):
        data_api.client("nina").sources.browse("shop")


@pytest.mark.promise("USER-7", "DATA-5")
@pytest.mark.usefixtures("shop")
def test_a_browsers_cookie_reads_what_there_is_and_nothing_that_is_in_it(data_api: Any) -> None:
    cookie = {"Cookie": f"{COOKIE}={data_api.app.state.sessions.seal('bob')}"}

    assert data_api.ask("GET", "/sources/shop", headers=cookie).status_code == 200
    assert data_api.ask("GET", "/sources/shop/browse", headers=cookie).status_code == 403
    assert data_api.ask("POST", "/sources/shop/credentials", headers=cookie).status_code == 403


@pytest.mark.promise("DATA-5")
def test_what_is_remembered_of_a_request_says_nothing_of_its_secrets(
    data_api: Any, shop: AllotmentClient
) -> None:
    assert shop is not None
    key = {"Idempotency-Key": "once"}
    fields = {"host": "two", "password": "first"}
    body = {"name": "second", "kind": "postgresql", "fields": fields}

    made = data_api.ask("POST", "/sources", "carl+", json=body, headers=key)
    again = body | {"fields": fields | {"password": "another"}}
    repeated = data_api.ask("POST", "/sources", "carl+", json=again, headers=key)

    assert (made.status_code, repeated.json()) == (201, made.json())
    assert repeated.headers["Idempotent-Replayed"] == "true"
