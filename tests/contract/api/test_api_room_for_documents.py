"""Documents beside datasets: nobody fills the platform's disk with them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from allotment.data import room
from allotment.data.room import SPARE
from allotment.record import attached

pytestmark = [pytest.mark.parametrize("store", ["sqlite"]), pytest.mark.promise("SET-1")]


@pytest.fixture
def attach(data_api: Any, tmp_path: Path) -> Any:
    """Attaches bytes to datasets: two of bob's and one of zoe's."""
    (tmp_path / "data" / "prices.csv").write_text("id\n1\n")
    for person, name in (("bob", "prices"), ("bob", "costs"), ("zoe", "wages")):
        data_api.client(person).datasets.create(name, [f"{tmp_path}/data/prices.csv"])

    def attach(person: str, dataset: str, name: str, size: int) -> Any:
        path = f"/datasets/{dataset}/attachments/{name}"
        return data_api.ask("PUT", path, person, content=bytes(size))

    return attach


def files(data_api: Any) -> list[int]:
    """The sizes of all that is kept."""
    found = data_api.plane.data.attachments.rglob("*")
    return sorted(one.stat().st_size for one in found if one.is_file())


def test_what_one_person_has_attached_holds_so_many_bytes_beside_all_datasets(
    data_api: Any, attach: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attached, "OF_PERSON", 3000)
    assert attach("bob", "prices", "one.txt", 1000).status_code == 200
    assert attach("bob", "costs", "two.txt", 2000).status_code == 200

    refused = attach("bob", "costs", "three.txt", 1)

    [reason] = refused.json()["reasons"]
    assert (reason["limit"], reason["used"], reason["asked"]) == (3000, 3000, 1)
    assert "Remove some first" in reason["remedy"]
    assert attach("zoe", "wages", "one.txt", 3000).status_code == 200
    # What takes another's place only counts once.
    assert attach("bob", "costs", "two.txt", 1999).status_code == 200
    assert attach("bob", "costs", "three.txt", 1).status_code == 200
    assert files(data_api) == [1, 1000, 1999, 3000]


def test_a_document_for_which_the_disk_has_no_room_is_refused(
    data_api: Any, attach: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "free_below", lambda _place: SPARE + 1000)

    refused = attach("bob", "prices", "one.txt", 1001)

    assert refused.status_code == 409
    assert "The control plane's disk has no room for 1,001 B" in refused.json()["detail"]
    assert files(data_api) == []
    assert attach("bob", "prices", "one.txt", 1000).status_code == 200
