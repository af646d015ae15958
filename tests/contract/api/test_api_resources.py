"""Resources: what the API answers, and what it writes, through the Python client."""

from __future__ import annotations

from typing import Any

import pytest

from allotment.client import NewShare
from allotment.model.refusals import NotFound, NotPermitted, Refusal, RevisionStale

pytestmark = pytest.mark.parametrize("store", ["sqlite"])


def test_about_names_the_version_and_who_trusts_whom(api: Any) -> None:
    with api.client("zoe") as zoe:
        about = zoe.about()
    assert (about.version, about.record, about.trust) == (
        about.version,
        "sqlite",
        "one system user",
    )


def test_everything_reads(api: Any) -> None:
    with api.client("olga+") as olga:
        olga.me()
        olga.overview()
        olga.devices.all()
        olga.pools.all()
        olga.groups.all()
        olga.users.all()
        olga.roles.all()
        olga.limits.all()
        olga.profiles.all()
        olga.servers.all()
        olga.events.after(0)
        olga.refusals()
        olga.drift()
        olga.work()
        olga.use()
        olga.metrics()
        olga.explain("ann", "gpu")
        olga.configuration.export()
        olga.health()
        olga.readiness()
        print(olga.configuration.export())
        print(olga.me())
        print(olga.overview())
