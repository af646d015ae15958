"""A server that has no control plane: a laptop's own Jupyter, or a hub without one."""

from __future__ import annotations

import json
from typing import Any

import pytest


@pytest.fixture
def server_environment(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    for name in (
        "ALLOTMENT_API_URL",
        "ALLOTMENT_ID",
        "JUPYTERHUB_API_TOKEN",
        "JUPYTERHUB_BASE_URL",
    ):
        monkeypatch.delenv(name, raising=False)
    return {"ALLOTMENT_DEVICES": "", "CUDA_VISIBLE_DEVICES": ""}


@pytest.mark.promise("SERVER-7")
def test_it_answers_and_says_that_there_is_none(fetch: Any) -> None:
    answer = fetch("allotment", "me")
    document = json.loads(answer.body)
    assert answer.code == 200
    assert document["control_plane"]["configured"] is False
    assert document["control_plane"]["reachable"] is False
    assert "ALLOTMENT_API_URL" in document["control_plane"]["why"]
    assert (document["limits"], document["servers"], document["notices"]) == (None, None, [])


@pytest.mark.promise("SERVER-7")
def test_the_page_says_so_too(fetch: Any) -> None:
    page = fetch("allotment").body.decode()
    assert "There is no control plane. You can go on working." in page
    assert "ALLOTMENT_API_URL" in page
    assert "holds nothing of it" in page


def test_nothing_is_reported_to_nobody(run: Any, jp_serverapp: Any) -> None:
    run(jp_serverapp.extension_manager.start_all_extensions())
    (extension,) = jp_serverapp.extension_manager.extension_apps["allotment_server"]
    assert extension._reporter._task is None
