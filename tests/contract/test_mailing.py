"""Mail: what happened is written to whom it concerns, once, by a real mail server's protocol."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from allotment.model.budgets import BudgetScope, BudgetTerms
from allotment.model.endings import Cause
from allotment.model.groups import Origin
from allotment.model.homes import Home
from allotment.model.mail import Notice
from allotment.record import (
    budgets,
    endings,
    homes,
    leases,
    mails,
    memberships,
    people,
    settling,
    spending,
    tickets,
)
from allotment.settings.mail import MailServer
from allotment.work import post_office
from allotment.work.mailing import AGAIN, LATEST, Mailing
from allotment.work.post_office import MailServerAway
from hubs import free_port
from inbox import Inbox, guarded, listening

PASSWORD = "correct horse"


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    """A mail server that encrypts nothing and asks for no password."""
    with listening(Inbox()) as inbox:
        yield inbox


def server(inbox: Inbox, **fields: Any) -> MailServer:
    given = {"host": "localhost", "port": inbox.port, "security": "none"} | fields
    return MailServer.model_validate({"sender": "Allotment <allotment@example.org>"} | given)


@pytest.fixture
def mailing(lab: Any, inbox: Inbox) -> Mailing:
    """The step, which has looked once; ann, bob and olga have addresses, zoe has none."""
    for name in ("ann", "bob", "olga"):
        with lab.write() as writing:
            people.set_email(writing, name, f"{name}@example.org")
    step = Mailing(
        lab.record, lambda: server(inbox), link="https://hub.example.org/home", holder="one"
    )
    step.round(lab.later(seconds=1))
    return step


def announce(lab: Any, person: str = "ann", server: str = "train") -> str:
    allotment = str(lab.granted(person, "gpu", server))
    with lab.write("endings") as writing:
        stop_at = writing.now + timedelta(minutes=15)
        endings.say(writing, allotment, Cause.IDLE, stop_at, "Nothing runs in it.")
    return allotment


@pytest.mark.promise("IDLE-2", "OPS-4")
def test_an_announced_end_is_written_to_its_user_once(
    lab: Any, mailing: Mailing, inbox: Inbox
) -> None:
    announce(lab)

    said = mailing.round(lab.later(seconds=5))
    mailing.round(lab.later(seconds=5))

    assert said == "sent 1"
    (mail,) = inbox.taken
    assert mail["To"] == "ann@example.org"
    assert str(mail["Subject"]).startswith("Your server train stops at ")
    assert mail["Auto-Submitted"] == "auto-generated"
    body = mail.get_content()
    assert "Nothing runs in it. You can put it off on the page of your servers." in body
    assert "https://hub.example.org/home" in body


@pytest.mark.promise("IDLE-2")
def test_an_end_that_was_taken_back_at_once_is_not_written(
    lab: Any, mailing: Mailing, inbox: Inbox
) -> None:
    allotment = announce(lab)
    with lab.write("endings") as writing:
        endings.withdraw(writing, allotment, Cause.IDLE, "It works again.")

    mailing.round(lab.later(seconds=5))

    assert inbox.taken == []


@pytest.mark.promise("QUEUE-2")
def test_who_waited_is_written_that_it_was_refused_and_who_took_it_out(
    lab: Any, mailing: Mailing, inbox: Inbox
) -> None:
    lab.granted("bob", "two-gpu")
    ticket = lab.claim("ann", "gpu", "train", wait=True).ticket
    other = lab.claim("ann", "gpu", "more", wait=True).ticket
    with lab.write("olga") as writing:
        tickets.cancel(writing, ticket.id, "The course begins.")
    with lab.write("ann") as writing:
        tickets.cancel(writing, other.id)

    mailing.round(lab.later(seconds=5))

    assert inbox.subjects == ["ann@example.org: Your server train was taken out of the queue"]
    assert "by olga.\n\nThe course begins." in inbox.taken[0].get_content().replace("\r\n", "\n")


@pytest.mark.promise("MONEY-3", "OPS-4")
def test_a_groups_budget_is_written_to_its_leads_and_without_a_lead_to_operators(
    lab: Any, mailing: Mailing, inbox: Inbox
) -> None:
    def warn(part: int) -> None:
        with lab.write("budgets") as writing:
            (found,) = spending.spendings(writing, writing.now)
            used = replace(found, spent=found.amount * part // 100)
            settling.warn(writing, used, f"{part} of 100 is used.")

    with lab.write() as writing:
        budgets.put(writing, BudgetScope.GROUP, "vision", BudgetTerms(amount=Decimal(100)))
    warn(80)
    mailing.round(lab.later(seconds=5))
    with lab.write() as writing:
        memberships.add(writing, "bob", "vision", Origin.CONSOLE, lead=True)
    warn(95)
    mailing.round(lab.later(seconds=5))

    readers = [str(one["To"]) for one in inbox.taken]
    assert readers == ["olga@example.org", "bob@example.org"]
    assert "80 of 100 is used." in inbox.taken[0].get_content()


@pytest.mark.promise("AUTH-5", "OPS-4")
def test_a_home_that_is_due_is_written_to_its_heir_and_to_operators(
    lab: Any, mailing: Mailing, inbox: Inbox
) -> None:
    with lab.write("homes") as writing:
        homes.due(writing, Home("hub", "claim-bob", "bob", heir="ann"))
    mailing.round(lab.later(seconds=5))

    assert {str(one["To"]) for one in inbox.taken} == {"ann@example.org", "olga@example.org"}
    assert "ann is to get the home claim-bob on hub" in inbox.taken[0].get_content()


@pytest.mark.promise("OPS-4")
def test_nobody_is_written_about_what_happened_before_there_was_a_mail_server(
    lab: Any, inbox: Inbox
) -> None:
    with lab.write() as writing:
        people.set_email(writing, "ann", "ann@example.org")
    announce(lab)
    configured: list[MailServer] = []
    step = Mailing(lab.record, lambda: configured[0] if configured else None, link="", holder="one")
    step.round(lab.later(seconds=1))

    configured.append(server(inbox))
    step.round(lab.later(seconds=5))

    assert inbox.taken == []


@pytest.mark.promise("OPS-4")
def test_mail_that_a_server_cannot_take_now_is_sent_later_and_only_then(
    lab: Any, mailing: Mailing, inbox: Inbox
) -> None:
    announce(lab)
    inbox.answers = ["451 Try again later"]

    mailing.round(lab.later(seconds=5))
    mailing.round(lab.later(seconds=5))
    assert inbox.taken == []
    mailing.round(lab.later(minutes=3))

    assert len(inbox.taken) == 1


@pytest.mark.promise("OPS-4")
def test_mail_that_a_server_refuses_for_good_is_given_up_with_what_it_said(
    lab: Any, mailing: Mailing, inbox: Inbox
) -> None:
    announce(lab)
    inbox.answers = ["550 No such mailbox"]

    mailing.round(lab.later(seconds=5))
    mailing.round(lab.later(hours=2))

    assert inbox.taken == []
    with lab.record.reading() as reading:
        assert mails.due(reading, lab.now, 10) == ()


@pytest.mark.promise("OPS-4")
def test_while_the_mail_server_is_away_mail_waits_and_after_a_day_is_given_up(lab: Any) -> None:
    gone = MailServer(host="127.0.0.1", port=free_port(), security="none", sender="a@example.org")
    step = Mailing(lab.record, lambda: gone, link="", holder="one")
    with lab.write() as writing:
        people.set_email(writing, "ann", "ann@example.org")
    step.round(lab.later(seconds=1))
    announce(lab)

    with pytest.raises(MailServerAway, match="Connection refused"):
        step.round(lab.later(seconds=5))

    with lab.record.reading() as reading:
        (waiting,) = mails.due(reading, lab.now, 10)
    assert waiting.notice.person == "ann"


@pytest.mark.promise("OPS-4")
def test_a_process_that_ends_while_it_sends_leaves_the_mail_to_the_next_under_the_same_id(
    lab: Any, mailing: Mailing, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    announce(lab)

    def cut_off(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(post_office, "send", cut_off)
        with pytest.raises(KeyboardInterrupt):
            mailing.round(lab.later(seconds=5))
    another = Mailing(lab.record, lambda: server(inbox), link="", holder="two")
    another.round(lab.later(seconds=5))
    assert inbox.taken == []
    with lab.write() as writing:  # the time of the lease goes by
        assert leases.take(writing, "mail", "one", timedelta(0))
    another.round(lab.now + AGAIN)

    (mail,) = inbox.taken
    assert str(mail["Message-ID"]).endswith("@example.org>")


@pytest.mark.promise("OPS-4")
def test_two_control_planes_write_everything_once(lab: Any, mailing: Mailing, inbox: Inbox) -> None:
    other = Mailing(lab.record, lambda: server(inbox), link="", holder="two")
    announce(lab)
    announce(lab, "bob", "work")

    now = lab.later(seconds=5)
    for step in (mailing, other, mailing, other):
        step.round(now)

    assert sorted(str(one["To"]) for one in inbox.taken) == ["ann@example.org", "bob@example.org"]


@pytest.mark.promise("OPS-4")
def test_a_person_without_an_address_is_not_written_to_and_one_thing_is_told_once(
    lab: Any,
) -> None:
    notice = Notice("zoe", "thing 1", "test", "A thing", "It happened.")
    with lab.write() as writing:
        assert not mails.notify(writing, notice)
        people.set_email(writing, "zoe", "zoe@example.org")
        assert mails.notify(writing, notice)
        assert not mails.notify(writing, notice)


@pytest.mark.promise("OPS-4")
def test_mail_of_a_month_ago_is_forgotten_and_leaves_with_its_person(lab: Any) -> None:
    with lab.write() as writing:
        people.set_email(writing, "zoe", "zoe@example.org")
        mails.notify(writing, Notice("zoe", "thing 1", "test", "A thing", "It happened."))
    with lab.write() as writing:
        people.delete(writing, ["zoe"])

    with lab.record.reading() as reading:
        assert mails.due(reading, lab.now + LATEST, 10) == ()


@pytest.fixture
def lets_in(tmp_path: Path) -> Iterator[Callable[..., MailServer]]:
    """A mail server that takes mail only after STARTTLS and with a password."""
    inbox = Inbox()
    with guarded(inbox, tmp_path, PASSWORD) as authority:
        usual = {"security": "starttls", "user": "allotment", "certificate_authority": authority}
        yield lambda **fields: server(inbox, **usual | fields)


@pytest.mark.promise("OPS-4")
def test_the_mail_server_is_reached_encrypted_and_with_the_password_of_a_file(
    lets_in: Callable[..., MailServer], tmp_path: Path
) -> None:
    (tmp_path / "password").write_text(f"{PASSWORD}\n")
    with post_office.connected(lets_in(password_file=tmp_path / "password")) as connection:
        assert connection.noop()[0] == 250


@pytest.mark.promise("OPS-4")
@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({}, "535"),
        ({"certificate_authority": None}, "certificate verify failed"),
    ],
)
def test_a_server_that_does_not_let_us_in_is_named_without_the_password(
    lets_in: Callable[..., MailServer], tmp_path: Path, fields: dict[str, Any], word: str
) -> None:
    (tmp_path / "password").write_text("a wrong secret")
    with (
        pytest.raises(MailServerAway) as away,
        post_office.connected(lets_in(password_file=tmp_path / "password", **fields)),
    ):
        pass

    assert word in str(away.value)
    assert "a wrong secret" not in str(away.value)
