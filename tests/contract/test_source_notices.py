"""A source that was added or changed: those who may use it are told once it works, in pages, servers and by mail."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from allotment.model.sources import Audience, Proof, Source, SourceKind, Verdict
from allotment.record import memberships, people, source_news, sources
from allotment.settings.mail import MailServer
from allotment.work.mailing import Mailing
from allotment.work.sources_told import SourcesTold
from allotment_spawner.pages_home import home_view
from inbox import Inbox, listening

VISION = Audience(groups=("vision",))
ON_SQLITE = pytest.mark.parametrize("store", ["sqlite"])
"""What two tests prove of both kinds of record need not be proven of both by all."""


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    with listening(Inbox()) as inbox:
        yield inbox


@pytest.fixture
def mailing(lab: Any, inbox: Inbox) -> Mailing:
    """The step, which has looked once; ann, olga and zoe have addresses, bob has none."""
    for name in ("ann", "olga", "zoe"):
        with lab.write() as writing:
            people.set_email(writing, name, f"{name}@example.org")
    fields = {"host": "localhost", "port": inbox.port, "security": "none"}
    server = MailServer.model_validate({"sender": "Allotment <allotment@example.org>", **fields})
    step = Mailing(lab.record, lambda: server, link="", holder="one")
    step.round(lab.later(seconds=1))
    return step


def add(lab: Any, name: str = "warehouse", audience: Audience = VISION) -> None:
    with lab.write() as writing:
        wanted = Source(name, SourceKind.FOLDER, "The warehouse", audience=audience)
        sources.create(writing, replace(wanted, fields={"path": "/srv"}), {})


def change(lab: Any, name: str = "warehouse", **values: Any) -> None:
    lab.later(minutes=1)
    with lab.write() as writing:
        sources.edit(writing, replace(sources.get(writing, name), **values), {})


def prove(lab: Any, verdict: Verdict = Verdict.READ_ONLY, name: str = "warehouse") -> None:
    with lab.write("proof") as writing:
        sources.proven(writing, name, Proof(writing.now, verdict))


def told(lab: Any, person: str = "ann") -> list[str]:
    with lab.record.reading() as reading:
        return [one.words for one in source_news.of_person(reading, person, lab.now)]


ADDED = "The data source The warehouse was added: test it from your server."
CHANGED = "The data source The warehouse was changed: test it from your server."


@ON_SQLITE
@pytest.mark.promise("DATA-4")
def test_who_may_use_a_source_is_told_once_it_is_proven_and_nobody_else(lab: Any) -> None:
    add(lab)
    before = told(lab)

    prove(lab)

    assert (before, told(lab), told(lab, "bob"), told(lab, "zoe")) == ([], [ADDED], [ADDED], [])


@ON_SQLITE
@pytest.mark.promise("DATA-4")
def test_a_source_that_leads_elsewhere_is_told_again_once_it_is_proven_again(lab: Any) -> None:
    add(lab)
    prove(lab)

    change(lab, fields={"path": "/elsewhere"})
    between = told(lab)
    prove(lab)

    assert (between, told(lab)) == ([], [CHANGED])


@ON_SQLITE
@pytest.mark.promise("DATA-4", "DATA-7")
@pytest.mark.parametrize(
    "values", [{"enabled": False}, {"audience": Audience(people=("zoe",))}], ids=["off", "others"]
)
def test_who_may_use_it_no_more_is_told_no_more(lab: Any, values: dict[str, Any]) -> None:
    add(lab)
    prove(lab)

    change(lab, **values)

    assert told(lab) == []


@ON_SQLITE
@pytest.mark.promise("DATA-4")
def test_what_was_told_for_a_week_is_told_no_more(lab: Any) -> None:
    add(lab)
    prove(lab)

    lab.later(days=7)

    assert told(lab) == []


@pytest.mark.promise("DATA-4")
def test_servers_are_told_with_their_reports_from_memory(lab: Any) -> None:
    news = SourcesTold(lab.record)
    news.look(lab.now)
    add(lab)
    add(lab, "files", Audience(everyone=True))
    prove(lab)
    prove(lab, name="files")

    news.look(lab.now)

    assert [one.name for one in news.of("ann")] == ["files", "warehouse"]
    assert [one.name for one in news.of("zoe")] == ["files"]


@ON_SQLITE
@pytest.mark.promise("DATA-7")
def test_a_server_whose_person_left_the_group_is_told_nothing_any_more(lab: Any) -> None:
    news = SourcesTold(lab.record)
    add(lab)
    prove(lab)
    news.look(lab.now)

    with lab.write() as writing:
        memberships.remove(writing, "ann", "vision")
    news.look(lab.later(seconds=5))

    assert (news.of("ann"), len(news.of("bob"))) == ((), 1)


@ON_SQLITE
@pytest.mark.promise("DATA-4")
def test_the_home_page_tells_it(lab: Any) -> None:
    add(lab)
    prove(lab)

    with lab.record.reading() as reading:
        view = home_view(reading, "hub", "ann", [], lab.now)

    assert [one.words for one in view.news] == [ADDED]


@pytest.mark.promise("DATA-4", "OPS-4")
def test_it_is_written_to_those_who_have_an_address_once_for_each_change(
    lab: Any, mailing: Mailing, inbox: Inbox
) -> None:
    add(lab)
    mailing.round(lab.later(seconds=5))
    nobody = list(inbox.subjects)
    prove(lab, Verdict.WRITABLE)
    mailing.round(lab.later(seconds=5))
    prove(lab)
    mailing.round(lab.later(seconds=5))
    prove(lab, Verdict.WRITABLE)
    prove(lab)
    mailing.round(lab.later(seconds=5))

    assert nobody == []
    assert inbox.subjects == ["ann@example.org: The data source The warehouse was added"]
    assert 'allotment.test("warehouse")' in inbox.taken[0].get_content()


@ON_SQLITE
@pytest.mark.promise("DATA-4", "OPS-4")
def test_who_comes_to_its_audience_later_is_written_to_then(
    lab: Any, mailing: Mailing, inbox: Inbox
) -> None:
    add(lab)
    prove(lab)
    mailing.round(lab.later(seconds=5))

    change(lab, audience=Audience(everyone=True))
    mailing.round(lab.later(seconds=5))

    assert sorted(inbox.subjects) == [
        f"{name}@example.org: The data source The warehouse was added"
        for name in ("ann", "olga", "zoe")
    ]


@ON_SQLITE
@pytest.mark.promise("DATA-2", "OPS-4")
def test_nobody_is_written_about_a_source_to_which_users_could_write_until_that_is_accepted(
    lab: Any, mailing: Mailing, inbox: Inbox
) -> None:
    add(lab)
    prove(lab, Verdict.WRITABLE)
    mailing.round(lab.later(seconds=5))
    before = list(inbox.subjects)

    with lab.write("olga") as writing:
        sources.accept(writing, "warehouse", "olga")
    mailing.round(lab.later(seconds=5))

    assert (before, len(inbox.subjects)) == ([], 1)
