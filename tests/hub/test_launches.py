"""A launch is admitted before anything runs, and gives its devices back when all of it is gone."""

from __future__ import annotations

import pytest


@pytest.mark.promise("LIMIT-3")
def test_a_launch_holds_a_device_until_its_server_is_stopped(hub) -> None:
    answer = hub.launch("ada", profile="gpu")

    assert answer.status_code in {201, 202}, answer.text
    hub.ready("ada")
    (held,) = hub.held("ada")
    assert (held.state, held.group, held.pool) == ("running", "vision", "a100")
    hub.stop("ada")
    assert hub.held("ada") == ()
    hub.assert_sound()
