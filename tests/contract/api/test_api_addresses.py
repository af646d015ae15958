"""Where people's notices are sent, through the API, the client and the command line."""

from __future__ import annotations

from typing import Any

import pytest
from typer.testing import CliRunner

from allotment.cli import app
from allotment.model.refusals import NotPermitted, Refusal
from allotment.record import events

pytestmark = pytest.mark.parametrize("store", ["sqlite"])


@pytest.mark.promise("OPS-4", "USER-5")
def test_people_change_their_own_address_and_nobody_elses(api: Any) -> None:
    ann = api.client("ann+")

    changed = ann.users.set_email("ann", "ann@example.org")

    assert changed.email == ann.users.email("ann").email == "ann@example.org"
    with pytest.raises(NotPermitted):
        ann.users.set_email("bob", "ann@example.org")
    with pytest.raises(NotPermitted):
        ann.users.email("bob")


@pytest.mark.promise("OPS-4")
def test_what_is_no_address_is_refused_in_words(api: Any) -> None:
    with pytest.raises(Refusal, match="Expected an e-mail address"):
        api.client("ann+").users.set_email("ann", "ann@example.org\nBcc: all@example.org")


@pytest.mark.promise("OPS-4", "OPS-2")
def test_the_record_of_what_happened_never_repeats_an_address(api: Any, lab: Any) -> None:
    api.client("olga+").users.set_email("ann", "ann@example.org")

    with lab.record.reading() as reading:
        (event,) = events.newest(reading, "person.email_changed")
    assert (event.actor, event.person) == ("olga", "ann")
    assert (event.before, event.after) == ({"email": False}, {"email": True})


@pytest.mark.promise("OPS-4")
def test_the_command_shows_changes_and_ends_it(api: Any) -> None:
    environment = {"ALLOTMENT_API_URL": api.url, "ALLOTMENT_TOKEN": "ann+"}

    said = [
        CliRunner().invoke(app, ["address", *words], env=environment).stdout
        for words in ([], ["ann@example.org"], [], ["--none"])
    ]

    assert said == [
        "ann gets no mail.\n",
        "ann: ann@example.org\n",
        "ann: ann@example.org\n",
        "ann gets no mail.\n",
    ]
