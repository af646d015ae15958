"""Mail: addresses, the words of notices, and the mail server in the settings."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allotment.cli.findings import Level, Machine
from allotment.cli.mail_checks import mail
from allotment.model.events import Event
from allotment.model.mail import Mail, Notice, check_address
from allotment.model.refusals import SettingsInvalid
from allotment.rules.telling import Audience, telling
from allotment.settings import load_settings, parse_settings
from allotment.settings.mail import MailServer
from allotment.work.post_office import message_of

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
SERVER = MailServer(host="smtp.example.org", sender="Allotment <allotment@example.org>")


def event(kind: str, subject: str, actor: str = "budgets", **after: Any) -> Event:
    return Event(7, NOW, actor, kind, subject, "ann", "vision", None, after)


@pytest.mark.parametrize("address", ["ann@example.org", " a.b+c@x.example ", "o'neil@example.org"])
def test_an_address_is_taken_as_people_write_it(address: str) -> None:
    assert check_address(address) == address.strip()


@pytest.mark.parametrize(
    "address",
    [
        "ann",
        "@example.org",
        "a b@example.org",
        "ann@exa mple.org",
        "a@b\nBcc: c@d",
        "a,b@c.d",
        "a@-",
    ],
)
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="expected an e-mail address"):
        check_address(address)


@given(st.text(max_size=60))
def test_no_address_that_is_taken_adds_a_line_to_a_mail(text: str) -> None:
    try:
        address = check_address(f"{text}@example.org")
    except ValueError:
        return
    notice = Notice("ann", "x", "x", "Subject", "Body")
    message = message_of(Mail("1", address, notice, NOW, NOW), SERVER, "")
    assert message["To"] == address
    assert message["Bcc"] is None


@given(st.text(max_size=200))
def test_no_word_of_a_stranger_adds_a_header(word: str) -> None:
    notice = Notice("ann", "x", "x", f"Your server {word}", f"{word}\n")
    message = message_of(Mail("1", "ann@example.org", notice, NOW, NOW), SERVER, "")
    assert "Bcc" not in message
    assert message.as_bytes()


@pytest.mark.promise("IDLE-2")
def test_an_end_is_told_in_the_platforms_time_with_its_reason() -> None:
    said = telling(
        event(
            "ending.said",
            "allotment-1",
            cause="reclaim",
            stop_at="2026-03-01T12:30:00+00:00",
            message="Its group wants the devices back.",
            server="train",
        ),
        BERLIN,
    )

    assert said is not None
    assert said.subject == "Your server train stops at 13:30: devices taken back"
    assert "13:30 CET on 01 March 2026" in said.body
    assert said.body.endswith("Its group wants the devices back.")


@pytest.mark.promise("CLUSTER-3")
def test_an_end_on_another_day_is_told_with_its_day() -> None:
    said = telling(
        event(
            "ending.said",
            "allotment-1",
            cause="drain",
            stop_at="2026-03-05T12:30:00+00:00",
            message="Its devices are taken out of use (node n1): dust. Save your work.",
            server="train",
        ),
        BERLIN,
    )

    assert said is not None
    assert said.subject == "Your server train stops at 13:30 on 05 March: taken out of use"


@pytest.mark.promise("MONEY-3")
@pytest.mark.parametrize(
    ("subject", "level", "audience", "words"),
    [
        ("person/ann", 80, Audience.PERSON, "Your budget is used to 80 %"),
        ("group/vision", 95, Audience.LEADS, "The budget of group vision is used to 95 %"),
        ("department/it", 100, Audience.OPERATORS, "The budget of department it is used up"),
    ],
)
def test_a_budget_is_told_to_who_can_act(
    subject: str, level: int, audience: Audience, words: str
) -> None:
    said = telling(event("budget.warned", subject, level=level, message="80 of 100."), UTC)

    assert said is not None
    assert (said.audience, said.subject, said.body) == (audience, words, "80 of 100.")


@pytest.mark.promise("SERVER-10")
@pytest.mark.parametrize(("then", "words"), [("remove", "removed"), ("archive", "packed away")])
def test_the_end_of_a_home_is_told_in_the_platforms_time_with_what_keeps_it(
    then: str, words: str
) -> None:
    at = "2026-03-14T23:30:00+00:00"
    said = telling(event("home.warned", "claim-ann", hub="hub", ends_at=at, then=then), BERLIN)

    assert said is not None
    assert (said.audience, said.whose) == (Audience.PERSON, "ann")
    assert said.subject == f"Your home is {words} on 15 March 2026"
    assert f"Your home is {words} at 00:30 CET on 15 March 2026." in said.body
    assert said.body.endswith(
        "Launch a server before, and it is kept; or ask an operator to keep it longer."
    )


@pytest.mark.promise("QUEUE-2")
def test_a_server_that_waited_is_told_when_it_starts() -> None:
    said = telling(event("ticket.started", "ticket-1", "ann", server=""), UTC)

    assert said is not None
    assert said.subject == "Your server default has started"


@pytest.mark.parametrize("kind", ["ticket.made", "allotment.running", "pool.created"])
def test_what_people_see_coming_is_not_told(kind: str) -> None:
    assert telling(event(kind, "x"), UTC) is None


@pytest.mark.promise("OPS-4")
@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ("host: smtp.example.org", "mail.sender: is missing"),
        (
            "host: smtp.example.org\n  sender: nobody",
            "mail.sender: expected an e-mail address such as ann@example.org",
        ),
        ("host: h\n  sender: a@b.c\n  user: u", "expected password_file or password_variable"),
        ("host: h\n  sender: a@b.c\n  password_variable: P", "a password needs a user"),
        (
            "host: h\n  sender: a@b.c\n  security: none\n  user: u\n  password_variable: P",
            "a password is sent only encrypted",
        ),
        ("host: h\n  sender: a@b.c\n  password: secret", "password: is not a key here"),
    ],
)
def test_what_is_wrong_with_a_mail_server_is_said_without_its_secrets(
    said: str, problem: str
) -> None:
    with pytest.raises(SettingsInvalid) as invalid:
        parse_settings(f"mail:\n  {said}\n")

    assert problem in str(invalid.value)
    assert "secret" not in str(invalid.value)


@pytest.mark.promise("OPS-4")
def test_the_password_is_read_from_its_file_beside_the_settings(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("open sesame\n")
    file = tmp_path / "settings.yaml"
    file.write_text(
        "mail: {host: smtp.example.org, sender: a@example.org, user: u, password_file: password}\n"
    )

    found = load_settings(file).mail

    assert found is not None
    assert (found.port_number, found.password()) == (587, "open sesame")


@pytest.mark.promise("OPS-4")
def test_doctor_says_that_the_mail_server_is_away(tmp_path: Path) -> None:
    file = tmp_path / "settings.yaml"
    file.write_text("mail: {host: 127.0.0.1, port: 1, security: none, sender: a@example.org}\n")

    (found,) = mail(Machine(tmp_path, file, 8000))

    assert found.level is Level.FAIL
    assert found.found == "The mail server 127.0.0.1:1 cannot be used: Connection refused."
