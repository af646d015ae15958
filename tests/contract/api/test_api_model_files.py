"""Files of models and documents beside datasets, sent by several people at the same time."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from allotment.api import receiving
from allotment.api.resources import model_files
from allotment.data.room import SPARE
from allotment.data.versions.kept_files import Keeping
from allotment.model.datasets import MOST_ATTACHMENTS
from allotment.model.reasons import Rule
from allotment.model.refusals import Refusal
from allotment.work.arrivals import AT_ONCE, OF_PERSON
from kept_histories import keep_history

pytestmark = pytest.mark.parametrize("store", ["sqlite"])

WAIT = 20


@pytest.fixture
def root(data_api: Any, tmp_path: Path) -> Path:
    """A target over folders below the folder that may be opened."""
    root = tmp_path / "data"
    keep_history(data_api.client("carl+"), root)
    return root


def kept(root: Path) -> list[bytes]:
    """What the target keeps of models."""
    found = (root / "contents" / "_models").rglob("*")
    return [one.read_bytes() for one in found if one.is_file()]


class Held:
    """Keepings that are held up just before they keep, until they are let go."""

    def __init__(self) -> None:
        self.there = threading.Semaphore(0)
        self.go = threading.Event()

    def keep(self, carried_out: Callable[..., str]) -> Callable[..., str]:
        """Wait for the word before keeping."""

        def held(keeping: Keeping, *named: str) -> str:
            self.there.release()
            assert self.go.wait(WAIT)
            return carried_out(keeping, *named)

        return held


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[Held]:
    """Holds every file up before it is kept."""
    held = Held()
    monkeypatch.setattr(Keeping, "keep", held.keep(Keeping.keep))
    yield held
    held.go.set()


def send(api: Any, person: str, name: str, content: Any) -> Any:
    return api.ask("PUT", f"/models/{name}/1/file?name=weights.bin", person, content=content)


@pytest.mark.promise("MODEL-1")
def test_a_file_that_arrives_late_is_not_given_to_who_took_the_models_name(
    data_api: Any, root: Path, held: Held
) -> None:
    bob, zoe = data_api.client("bob").models, data_api.client("zoe").models
    bob.create("churn", "1", target="history")
    with ThreadPoolExecutor(1) as pool:
        late = pool.submit(send, data_api, "bob", "churn", b"bob's secret")
        assert held.there.acquire(timeout=WAIT)
        bob.delete("churn", "1")
        zoe.create("churn", "1", target="history")
        held.go.set()
        assert late.result().status_code == 404

    assert zoe.get("churn", "1").file == ""
    assert kept(root) == []


@pytest.mark.promise("MODEL-1")
def test_two_files_for_one_model_at_once_leave_the_one_that_is_told(
    data_api: Any, root: Path, held: Held
) -> None:
    data_api.client("bob").models.create("churn", "1", target="history")
    with ThreadPoolExecutor(2) as pool:
        sent = [pool.submit(send, data_api, "bob", "churn", one) for one in (b"one", b"two")]
        assert all(held.there.acquire(timeout=WAIT) for _ in sent)
        held.go.set()
        assert [one.result().status_code for one in sent] == [200, 200]

    told = data_api.client("bob").models.get("churn", "1").sha256
    assert [hashlib.sha256(one).hexdigest() for one in kept(root)] == [told]


@pytest.mark.promise("MODEL-1")
def test_one_person_sends_so_many_files_at_once_and_everybody_together_so_many(
    data_api: Any, root: Path, held: Held
) -> None:
    assert root.is_dir()
    for person in ("bob", "ann", "zoe", "carl"):
        data_api.client(person).models.create(f"{person}s", "1", target="history")
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for person in ("bob", "bob", "ann", "zoe"):
            pool.submit(send, data_api, person, f"{person}s", b"x")
            assert held.there.acquire(timeout=WAIT)
        own = send(data_api, "bob", "bobs", b"x").json()
        second = send(data_api, "ann", "anns", b"x").json()
        other = send(data_api, "carl", "carls", b"x").json()
        held.go.set()

    for refused, used in ((own, OF_PERSON), (second, 1)):
        [reason] = refused["reasons"]
        assert (reason["limit"], reason["used"], reason["asked"]) == (1, used, 1)
    assert "large files are on their way" in other["detail"]
    assert send(data_api, "bob", "bobs", b"x").status_code == 200


@pytest.mark.promise("MODEL-1")
def test_who_sends_a_byte_now_and_then_loses_the_turn(
    data_api: Any, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data_api.client("bob").models.create("churn", "1", target="history")
    monkeypatch.setattr(receiving, "SILENT_FOR", 0.5)

    def trickle() -> Iterator[bytes]:
        for _ in range(100):
            time.sleep(0.1)  # how slow the sender is
            yield b"x"

    answer = send(data_api, "bob", "churn", trickle())

    assert answer.status_code == 422
    assert "less than 64 KiB a second" in answer.json()["detail"]
    assert kept(root) == []


@pytest.mark.promise("MODEL-1")
@pytest.mark.parametrize("long", [True, False], ids=["its length told", "in pieces"])
def test_a_file_for_which_the_disk_has_no_room_is_refused(
    data_api: Any, root: Path, long: bool
) -> None:
    data_api.client("bob").models.create("churn", "1", target="history")
    data_api.plane.data.arrivals.free = lambda _descriptor: SPARE + 1000
    content: Any = b"x" * 1001 if long else iter([b"x" * 500, b"x" * 501])

    answer = send(data_api, "bob", "churn", content)

    assert answer.status_code == 409
    assert "no room" in answer.json()["detail"]
    assert kept(root) == []


@pytest.mark.promise("MODEL-1")
def test_a_file_that_is_said_to_be_too_large_is_refused_before_it_is_sent(
    data_api: Any, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data_api.client("bob").models.create("churn", "1", target="history")
    monkeypatch.setattr(model_files, "LARGEST", 3)

    answer = send(data_api, "bob", "churn", b"1234")

    assert answer.status_code == 422
    assert kept(root) == []


@pytest.mark.promise("MODEL-1")
def test_a_disabled_target_takes_no_models(data_api: Any, root: Path) -> None:
    assert root.is_dir()
    bob = data_api.client("bob").models
    bob.create("churn", "1", target="history")
    data_api.client("carl+").targets.edit("history", revision="any", enabled=False)

    with pytest.raises(Refusal) as refused:
        bob.create("churn", "2", target="history")

    assert refused.value.reasons[0].rule is Rule.DATA_ENABLED
    assert send(data_api, "bob", "churn", b"x").json()["reasons"][0]["rule"] == "data.enabled"


@pytest.mark.promise("MODEL-1", "DATA-5")
def test_a_password_in_the_uri_of_a_model_is_refused_and_not_repeated(data_api: Any) -> None:
    uri = "https://ann:hunter2@models.example/churn"

    answer = data_api.ask("POST", "/models", "bob", json={"name": "c", "version": "1", "uri": uri})

    assert answer.status_code == 422
    assert "hunter2" not in answer.text


@pytest.fixture
def prices(data_api: Any, tmp_path: Path) -> Any:
    """A dataset of bob's; bob's client."""
    (tmp_path / "data" / "prices.csv").write_text("id\n1\n")
    client = data_api.client("bob")
    client.datasets.create("prices", [f"{tmp_path}/data/prices.csv"])
    return client


@pytest.mark.promise("SET-1")
def test_of_many_documents_at_once_no_more_are_attached_than_there_may_be(
    data_api: Any, prices: Any
) -> None:
    def attach(number: int) -> int:
        path = f"/datasets/prices/attachments/{number}.txt"
        status: int = data_api.ask("PUT", path, "bob", content=b"x").status_code
        return status

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(attach, range(MOST_ATTACHMENTS + 6)))

    assert sorted(found) == [200] * MOST_ATTACHMENTS + [409] * 6
    assert len(prices.datasets.get("prices").attachments) == MOST_ATTACHMENTS
    folder = data_api.plane.data.attachments / "prices"
    assert len(list(folder.iterdir())) == MOST_ATTACHMENTS


@pytest.mark.promise("SET-1")
def test_a_document_sent_several_times_at_once_is_the_one_that_is_told(
    data_api: Any, prices: Any
) -> None:
    path = "/datasets/prices/attachments/notes.txt"

    with ThreadPoolExecutor(6) as pool:
        contents = [b"the same", b"another"] * 6
        sent = pool.map(lambda one: data_api.ask("PUT", path, "bob", content=one), contents)
        assert {one.status_code for one in sent} == {200}

    [told] = prices.datasets.get("prices").attachments
    assert hashlib.sha256(data_api.ask("GET", path, "bob").content).hexdigest() == told.sha256
    assert len(list((data_api.plane.data.attachments / "prices").iterdir())) == 1


@pytest.mark.promise("SET-1")
def test_a_document_that_arrives_late_is_not_put_beside_who_took_the_datasets_name(
    data_api: Any, prices: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from allotment.api.resources import attachments  # noqa: PLC0415 - its name is used here alone

    there, go = threading.Event(), threading.Event()
    save = attachments.files.save

    def slow(*given: Any) -> Any:
        there.set()
        assert go.wait(WAIT)
        return save(*given)

    monkeypatch.setattr(attachments.files, "save", slow)
    path = "/datasets/prices/attachments/notes.txt"
    with ThreadPoolExecutor(1) as pool:
        late = pool.submit(data_api.ask, "PUT", path, "bob", content=b"bob's")
        assert there.wait(WAIT)
        prices.datasets.delete("prices", revision="any")
        zoe = data_api.client("zoe")
        (tmp_path / "data" / "zoes.csv").write_text("id\n1\n")
        zoe.datasets.create("prices", [f"{tmp_path}/data/zoes.csv"])
        go.set()
        assert late.result().status_code == 404

    assert zoe.datasets.get("prices").attachments == ()
    assert list((data_api.plane.data.attachments / "prices").iterdir()) == []
