"""Accounts of databases that end while a query runs: it is asked again with another, or told why it cannot be."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from allotment.model.refusals import Refusal
from allotment.model.sources import Audience
from allotment.notebook.querying import query
from allotment.notebook.sessions import Session
from database_shops import MariaDBShop, PostgreSQLShop, Shop
from hubs import until

pytestmark = pytest.mark.parametrize("store", ["sqlite"])

VISION = Audience(groups=("vision",))
SHOPS = {"postgresql": PostgreSQLShop, "mariadb": MariaDBShop}
WAITS = {"postgresql": "pg_sleep", "mariadb": "sleep"}


@pytest.fixture(
    params=[pytest.param(name, marks=pytest.mark.needs(name)) for name in SHOPS],
)
def shop(request: pytest.FixtureRequest, data_api: Any) -> Shop:
    """A shop's database as a source of vision; one of the tables says whether to wait."""
    server = request.getfixturevalue(f"{request.param}_server")
    found = SHOPS[request.param](server)
    found.server.run("CREATE TABLE marks (id int)")
    if isinstance(found, PostgreSQLShop):
        found.server.run(f'GRANT SELECT ON marks TO "{found.readers}"')
    fields = dict(found.source().fields) | dict(found.source().secrets)
    data_api.client("carl+").sources.create("warehouse", request.param, fields, audience=VISION)
    return found


@contextmanager
def meanwhile(shop: Shop, do: Callable[[], object]) -> Iterator[str]:
    """Do something as soon as a query waits in the database; gives that query."""
    wait = WAITS[shop.kind.kind.value]
    asked = (
        f"SELECT s.id FROM sales AS s, (SELECT {wait}(CASE WHEN (SELECT count(*) FROM marks) = 0"  # noqa: S608 - a constant
        " THEN 60 ELSE 0 END) AS waited) AS w WHERE w.waited IS NOT NULL OR w.waited IS NULL"
    )
    seen = {
        "postgresql": "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%waited IS NULL%'"
        " AND state = 'active' AND pid <> pg_backend_pid() AND usename LIKE 'allotment%'",
        "mariadb": "SELECT count(*) FROM information_schema.processlist"
        " WHERE info LIKE '%waited IS NULL%' AND user LIKE 'allotment%'",
    }[shop.kind.kind.value]

    def watch() -> None:
        until(lambda: shop.server.rows(seen) != [(0,)], "the query in the database", 60)
        shop.server.run("INSERT INTO marks VALUES (1)")
        do()

    watcher = threading.Thread(target=watch)
    watcher.start()
    yield asked
    watcher.join()


@pytest.mark.promise("DATA-5", "DATA-6")
def test_a_query_whose_account_ends_is_asked_again_with_another(
    shop: Shop, data_api: Any, lab: Any
) -> None:
    session = Session(data_api.client("bobs-server"))
    lending = data_api.plane.data.lending

    with meanwhile(shop, lambda: lending.round(lab.later(hours=13))) as asked:
        found = query(session, "warehouse", asked, None, "polars")

    assert found.height == 1_000
    assert len(shop.accounts()) == 1


@pytest.mark.promise("DATA-7")
def test_a_query_whose_source_is_revoked_ends_with_words_that_say_so(
    shop: Shop, data_api: Any
) -> None:
    session = Session(data_api.client("bobs-server"))

    def revoke() -> None:
        data_api.client("carl+").sources.revoke("warehouse")

    with (
        meanwhile(shop, revoke) as asked,
        pytest.raises(Refusal, match=r"'warehouse' is disabled\. It was revoked on"),
    ):
        query(session, "warehouse", asked, None, "polars")

    assert shop.accounts() == []
