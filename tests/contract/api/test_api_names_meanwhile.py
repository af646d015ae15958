"""What is judged is what is changed: also where a name is taken by another's thing, or it is revoked, meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from allotment.api import registering, registering_datasets
from allotment.data.kinds import KINDS
from allotment.model.refusals import NotFound, NotPermitted, RevisionStale
from allotment.model.sources import Audience, Proof, SourceKind, Verdict
from played_database import Played

pytestmark = pytest.mark.parametrize("store", ["sqlite"])

VISION = Audience(groups=("vision",))


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    """Below the root: one folder for bob and one for zoe, with a file in each."""
    root = tmp_path / "data"
    for name in ("bob", "zoe"):
        (root / name).mkdir(parents=True, exist_ok=True)
        (root / name / "own.csv").write_text("name,wage\nann,2\n")
    return root


def meanwhile(
    monkeypatch: pytest.MonkeyPatch, module: Any, name: str, happens: Callable[[], object]
) -> None:
    """Have something happen once, before a function of a module is carried out."""
    plain, left = getattr(module, name), [happens]

    def first(*arguments: Any, **named: Any) -> Any:
        if left:
            left.pop()()
        return plain(*arguments, **named)

    monkeypatch.setattr(module, name, first)


@pytest.mark.promise("USER-5", "SET-1")
def test_a_change_does_not_land_on_anothers_dataset_that_took_the_name(
    data_api: Any, folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bob, zoe = data_api.client("bob").datasets, data_api.client("zoe").datasets
    bob.create("pay", [f"{folders}/bob/"])

    def taken() -> None:
        bob.delete("pay", revision="any")
        zoe.create("pay", [f"{folders}/zoe/"])

    meanwhile(monkeypatch, registering_datasets, "with_reading", taken)
    with pytest.raises(NotFound):
        bob.edit("pay", revision="any", uris=[f"{folders}/bob/"])

    found = zoe.get("pay")
    assert (found.uris, found.created_by) == ((f"{folders}/zoe/",), "zoe")


@pytest.mark.promise("USER-5", "SET-1")
def test_a_reading_is_not_kept_of_anothers_dataset_that_took_the_name(
    data_api: Any, folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bob, zoe = data_api.client("bob").datasets, data_api.client("zoe").datasets
    bob.create("pay", [f"{folders}/bob/"])
    (folders / "zoe" / "more.csv").write_text("name,wage\nann,2\n")

    def taken() -> None:
        bob.delete("pay", revision="any")
        zoe.create("pay", [f"{folders}/zoe/"])

    meanwhile(monkeypatch, registering_datasets, "with_reading", taken)
    with pytest.raises(NotFound):
        bob.read("pay")

    assert zoe.get("pay").reading.files == 2


@pytest.mark.promise("DATA-7", "PROFILE-5")
def test_a_change_that_began_before_a_dataset_was_revoked_does_not_undo_that(
    data_api: Any, folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bob, carl = data_api.client("bob").datasets, data_api.client("carl+").datasets
    bob.create("own", [f"{folders}/bob/"])

    meanwhile(monkeypatch, registering_datasets, "with_reading", lambda: carl.revoke("own"))
    with pytest.raises(RevisionStale):
        bob.edit("own", revision="any", uris=[f"{folders}/bob/"])

    assert not carl.get("own").enabled


@pytest.mark.promise("DATA-7", "PROFILE-5")
def test_an_owner_does_not_enable_again_what_others_have_revoked(
    data_api: Any, folders: Path
) -> None:
    bob, carl = data_api.client("bob").datasets, data_api.client("carl+").datasets
    bob.create("own", [f"{folders}/bob/"])
    carl.revoke("own")

    with pytest.raises(NotPermitted, match="revoked by carl"):
        bob.edit("own", revision="any", enabled=True)
    bob.edit("own", revision="any", title="Mine")
    assert carl.edit("own", revision="any", enabled=True).enabled

    bob.revoke("own")
    assert bob.edit("own", revision="any", enabled=True).enabled


@pytest.mark.promise("USER-5", "SET-1")
def test_who_lost_the_right_while_the_files_were_read_changes_nothing(
    data_api: Any, folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    carl = data_api.client("carl+").datasets
    carl.create("wide", [f"{folders}/bob/"], audience=Audience(everyone=True))

    def demoted() -> None:
        data_api.client("olga+").users.set_role("carl", "data-scientist", revision="any")

    meanwhile(monkeypatch, registering_datasets, "with_reading", demoted)
    with pytest.raises(NotPermitted):
        carl.edit("wide", revision="any", uris=[f"{folders}/zoe/"])

    assert data_api.client("olga+").datasets.get("wide").uris == (f"{folders}/bob/",)


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> Played:
    """In the place of PostgreSQL."""
    stand_in = Played()
    monkeypatch.setitem(KINDS, SourceKind.POSTGRESQL, stand_in)  # type: ignore[arg-type]  # a dict behind its type
    return stand_in


def a_source(client: Any, host: str) -> None:
    """A source of vision's."""
    fields = {"host": host, "password": "registered"}
    client.sources.create("shop", "postgresql", fields, audience=VISION, group="vision")


@pytest.mark.promise("DATA-7", "PROFILE-5")
@pytest.mark.usefixtures("played")
def test_a_change_that_began_before_a_source_was_revoked_does_not_undo_that(
    data_api: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    carl = data_api.client("carl+")
    a_source(carl, "one")

    meanwhile(monkeypatch, registering, "_changed", lambda: carl.sources.revoke("shop"))
    with pytest.raises(RevisionStale):
        data_api.client("ann+").sources.edit("shop", revision="any", title="The shop")

    assert not carl.sources.get("shop").enabled


@pytest.mark.promise("DATA-2")
def test_an_old_proof_is_not_kept_for_a_new_source_of_the_name(
    data_api: Any, lab: Any, played: Played, monkeypatch: pytest.MonkeyPatch
) -> None:
    carl = data_api.client("carl+")
    a_source(carl, "one")

    def taken() -> None:
        carl.sources.delete("shop", revision="any")
        lab.later(seconds=1)
        played.away.add("two")
        a_source(carl, "two")

    plain, left = played.prove, [taken]

    def prove(*arguments: Any) -> Proof:
        if left:
            left.pop()()
            return Proof(lab.now, Verdict.READ_ONLY)
        return plain(*arguments)

    monkeypatch.setattr(played, "prove", prove)
    data_api.plane.data.proving.prove("shop", "carl", lab.now)

    found = carl.sources.get("shop")
    assert (found.fields["host"], found.proven, found.usable) == ("two", False, False)
