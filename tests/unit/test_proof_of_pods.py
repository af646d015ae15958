"""What counts as the cluster's word that a pod is gone, and when what is watched is not to be believed."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from kubernetes_asyncio.client.exceptions import ApiException

from allotment.inventory.kubernetes.pods import is_not_there
from allotment_spawner.kubernetes.reflecting import RememberingPods, has_given_up

NOT_FOUND = {
    "kind": "Status",
    "apiVersion": "v1",
    "status": "Failure",
    "reason": "NotFound",
    "details": {"name": "jupyter-ada", "kind": "pods"},
    "code": 404,
}


def answered(body: Any, status: int = 404) -> ApiException:
    error = ApiException(status=status, reason="Not Found")
    error.body = (
        None if body is None else (body if isinstance(body, str) else json.dumps(body)).encode()
    )
    return error


@pytest.mark.promise("LIMIT-3")
def test_the_apis_own_word_for_a_pod_of_that_name_proves_that_it_is_gone() -> None:
    assert is_not_there(answered(NOT_FOUND), "jupyter-ada")


@pytest.mark.promise("LIMIT-3")
@pytest.mark.parametrize(
    "error",
    [
        answered("404 page not found\n"),
        answered(None),
        answered([]),
        answered({"message": "no Route matched with those values"}),
        answered({**NOT_FOUND, "details": None}),
        answered({**NOT_FOUND, "details": {"name": "jupyter", "kind": "namespaces"}}),
        answered({**NOT_FOUND, "details": {"name": "jupyter-ben", "kind": "pods"}}),
        answered({**NOT_FOUND, "reason": "Expired"}),
        answered(NOT_FOUND, status=403),
    ],
    ids=[
        "a proxy's page",
        "nothing",
        "a list",
        "a gateway's document",
        "no details",
        "the namespace",
        "another pod",
        "another reason",
        "another status",
    ],
)
def test_a_404_of_anybody_else_proves_nothing(error: ApiException) -> None:
    assert not is_not_there(error, "jupyter-ada")


class _Away(RememberingPods):
    """A watch whose first list may fail, without a cluster."""

    fails = False

    async def _list_and_update(self, resource_version: str | None = None) -> str:  # noqa: ARG002 - KubeSpawner's signature
        if self.fails:
            message = "the API is away"
            raise OSError(message)
        self.first_load_future.set_result(None)
        return "1"

    async def _watch_and_update(self) -> None:
        await asyncio.Event().wait()


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> type[_Away]:
    monkeypatch.setattr("kubespawner.reflector.shared_client", lambda *_: None)
    return _Away


@pytest.mark.promise("SERVER-7")
async def test_a_watch_whose_first_list_failed_is_begun_anew(watch: type[_Away]) -> None:
    failed: Any = watch(namespace="jupyter")
    failed.fails = True
    with pytest.raises(OSError, match="away"):
        await failed.start()
    assert isinstance(failed.first_load_future.exception(), OSError)

    assert has_given_up(failed)


@pytest.mark.promise("SERVER-7")
async def test_a_watch_that_is_listing_or_watching_is_left_alone(watch: type[_Away]) -> None:
    reflector: Any = watch(namespace="jupyter")
    assert not has_given_up(reflector)

    await reflector.start()
    assert not has_given_up(reflector)

    reflector.watch_task.cancel()
    await asyncio.wait({reflector.watch_task})
    assert has_given_up(reflector)
