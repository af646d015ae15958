"""What a look at a cluster writes down is fresh, and a watch that only begins is no proof that it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from allotment.inventory.kubernetes.connecting import ClusterAway
from allotment.inventory.kubernetes.inventory import STALE, KubernetesInventory
from allotment.inventory.kubernetes.watching import Seen, Watched
from allotment.model.nodes import PodUse

OTHERS = PodUse("vision", "training-0", "n1", "Running", {"nvidia.com/gpu": 1}, "")


class _Access:
    kubeconfig = Path("/nowhere")
    context = None


class _Known:
    """What was seen last, with its age."""

    def __init__(self, seen: Seen[Any]) -> None:
        self._seen = seen

    def begin(self) -> None:
        pass

    def seen(self, _patience: float) -> Seen[Any]:
        return self._seen


class _Answers:
    """A cluster that says which it is, or does not."""

    def __init__(self, uid: str | None) -> None:
        self._uid = uid

    def call(self, _question: object, _patience: float) -> str:
        if self._uid is None:
            raise ClusterAway("nobody answers")
        return self._uid


@pytest.mark.promise("POOL-6")
@pytest.mark.parametrize("uid", ["its uid", None], ids=["answered", "silent"])
def test_from_a_cluster_that_does_not_answer_which_it_is_nothing_follows(
    monkeypatch: pytest.MonkeyPatch, uid: str | None
) -> None:
    looking = KubernetesInventory(_Access())
    seen = _Known(Seen((), listed=True, problem="", age=0.0))
    for part, said in (("_nodes", seen), ("_pods", seen), ("_cluster", _Answers(uid))):
        monkeypatch.setattr(looking, part, said)

    found = looking.observe()

    assert found.cluster is not None
    assert (found.complete, found.cluster.cluster) == (uid is not None, uid or "")


@pytest.mark.promise("POOL-6")
@pytest.mark.parametrize(
    ("age", "known"), [(STALE - 1, (OTHERS,)), (STALE, None)], ids=["fresh", "old"]
)
def test_what_pods_used_long_ago_is_not_written_down_as_known(
    monkeypatch: pytest.MonkeyPatch, age: float, known: tuple[PodUse, ...] | None
) -> None:
    looking = KubernetesInventory(_Access())
    monkeypatch.setattr(looking, "_nodes", _Known(Seen((), listed=True, problem="", age=0.0)))
    old = Seen((OTHERS,), listed=True, problem="pods is forbidden", age=age)
    monkeypatch.setattr(looking, "_pods", _Known(old))
    monkeypatch.setattr(looking, "_cluster", _Answers("its uid"))

    found = looking.observe()

    assert found.complete
    assert found.cluster is not None
    assert found.cluster.pods == known
    assert ("is not known, since 60 seconds: pods is forbidden." in found.note) is (known is None)


class _Response:
    """An answer to a watch: these lines, then its end."""

    ok = True

    def __init__(self, said: list[bytes]) -> None:
        self._said = iter(said)
        self.content = self

    async def __aenter__(self) -> None:
        pass

    async def __aexit__(self, *_: object) -> None:
        pass

    async def readline(self) -> bytes:
        return next(self._said, b"")


class _Cluster:
    """What a watch asks: it always begins well."""

    def __init__(self, *said: bytes) -> None:
        self._said = list(said)

    async def ask(self, _question: object) -> _Response:
        return _Response(self._said)


def watched(*said: bytes) -> Watched[Any]:
    return Watched(_Cluster(*said), lambda _: None, lambda each: each)  # type: ignore[arg-type, return-value]  # all that is asked of them


@pytest.mark.promise("POOL-6")
async def test_a_watch_that_begins_and_breaks_off_is_not_up_to_date() -> None:
    watch = watched(b"{broken")

    with pytest.raises(ClusterAway):
        await watch._watch("1")

    assert watch.seen().problem != ""


@pytest.mark.promise("POOL-6")
@pytest.mark.parametrize(
    "said", [(), (b'{"type": "BOOKMARK", "object": {}}',)], ids=["its end", "an event"]
)
async def test_a_watch_is_up_to_date_with_an_event_or_its_proper_end(
    said: tuple[bytes, ...],
) -> None:
    watch = watched(*said)

    await watch._watch("1")

    assert watch.seen().problem == ""
