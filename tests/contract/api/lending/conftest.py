"""A source that is played, and that people of vision may use."""

from __future__ import annotations

from typing import Any

import pytest

from allotment.client import AllotmentClient
from allotment.data.kinds import KINDS
from allotment.model.sources import Audience, SourceKind
from played_database import Played


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> Played:
    """In the place of PostgreSQL."""
    stand_in = Played()
    monkeypatch.setitem(KINDS, SourceKind.POSTGRESQL, stand_in)  # type: ignore[arg-type]  # a dict behind its type
    return stand_in


@pytest.fixture
def shop(data_api: Any, played: Played) -> AllotmentClient:
    """A source for vision, registered by the custodian; the custodian's client."""
    assert not played.accounts
    client: AllotmentClient = data_api.client("carl+")
    fields = {"host": "one", "password": "registered"}
    client.sources.create(
        "shop", "postgresql", fields, audience=Audience(groups=("vision",)), group="vision"
    )
    return client
