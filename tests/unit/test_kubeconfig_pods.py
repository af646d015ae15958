"""Which pods a person's kubeconfig reaches."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from allotment.model.allotments import Allotment, ServerPod, State
from allotment_hub.kubeconfig_handlers import pods_of


def held(server: str, state: State = State.RUNNING) -> Allotment:
    return Allotment(
        id=f"a-{server}",
        hub="hub",
        person="olga",
        server=server,
        group=None,
        pool="default",
        profile="small",
        state=state,
        terms={},
        devices=(),
        admitted_at=datetime(2026, 3, 1, tzinfo=UTC),
        place=ServerPod("servers", f"pod-{server}"),
    )


@pytest.mark.promise("SERVER-7")
def test_a_kubeconfig_reaches_running_servers_and_never_the_console() -> None:
    found = pods_of([held(""), held("console"), held("train"), held("old", State.RELEASED)])

    assert [pod.name for pod in found] == ["pod-", "pod-train"]
