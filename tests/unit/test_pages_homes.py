"""What the home page says of a person's home: what it holds, and that it ends."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from allotment.model.homes import FoundHome, HomeEnd
from allotment.record import homes, open_record, people, storage
from allotment_spawner.pages_home import home_view

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.promise("SERVER-10", "LIMIT-5")
def test_home_says_what_the_home_holds_without_a_limit_too_and_when_it_ends(tmp_path: Path) -> None:
    record = open_record(f"sqlite:///{tmp_path}/record.sqlite", migrate=True)
    with record.writing("operator", NOW) as writing:
        people.onboard(writing, ["ann", "bob"], None, "data-scientist")
        homes.seen(writing, "hub", [FoundHome("ann", "ann"), FoundHome("bob", "bob")])
        storage.measured(writing, "hub", "ann", 5 << 30, complete=True)
        end = NOW + timedelta(days=14)
        homes.warned(writing, homes.get(writing, "hub", "ann"), end, HomeEnd.REMOVE)

    with record.reading() as reading:
        anns = home_view(reading, "hub", "ann", (), NOW)
        bobs = home_view(reading, "hub", "bob", (), NOW)
    record.close()

    assert {each.label: each.words for each in anns.meters}["Your storage, GiB"] == "5, no limit"
    assert [one.ends_at for one in anns.ending] == [end]
    assert "Your storage, GiB" not in {each.label for each in bobs.meters}
    assert bobs.ending == ()
