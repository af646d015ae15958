"""Sources through the API: registered with proof, lent to servers, taken back; over a real PostgreSQL."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from allotment.client import AllotmentClient
from allotment.model.reasons import Rule
from allotment.model.refusals import NotFound, NotPermitted, Refusal
from allotment.model.sources import Audience, Verdict

pytestmark = pytest.mark.parametrize("store", ["sqlite"])

VISION = Audience(groups=("vision",))


@pytest.fixture
def shop(postgresql_server: Any) -> Any:
    """A database with one table of sales and a role that may read it."""
    database = postgresql_server.new_database()
    database.run(
        "CREATE TABLE sales (id integer, price numeric)",
        "INSERT INTO sales VALUES (1, 9.5), (2, 3)",
        "DO $$ BEGIN CREATE ROLE allotment_readers; EXCEPTION WHEN duplicate_object THEN NULL; END $$",
        "GRANT SELECT ON sales TO allotment_readers",
        "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
        f'REVOKE TEMPORARY, CREATE ON DATABASE "{database.database}" FROM PUBLIC',
    )
    return database


def fields(shop: Any, **more: Any) -> dict[str, Any]:
    return {
        "host": shop.host,
        "port": shop.port,
        "database": shop.database,
        "user": shop.user,
        "password": shop.password,
        "tls": "off",
    } | more


@pytest.fixture
def warehouse(data_api: Any, shop: Any) -> AllotmentClient:
    """A source that vision may use, registered by the custodian; the custodian's client."""
    client: AllotmentClient = data_api.client("carl+")
    made = client.sources.create("warehouse", "postgresql", fields(shop), audience=VISION)
    assert made.proven, made.proof
    return client


def read(credential: Any, query: str = "SELECT count(*) FROM sales") -> Any:
    """The first value of a query, asked with what was lent."""
    url = sa.URL.create(
        "postgresql+psycopg",
        username=credential.fields["user"],
        password=credential.fields["password"],
        host=credential.fields["host"],
        port=credential.fields["port"],
        database=credential.fields["database"],
    )
    with sa.create_engine(url, poolclass=sa.NullPool).connect() as connection:
        return connection.exec_driver_sql(query).scalar()


@pytest.mark.promise("DATA-1", "DATA-2")
def test_a_registered_source_is_proven_at_once_and_its_proof_is_told(
    warehouse: AllotmentClient,
) -> None:
    found = warehouse.sources.get("warehouse")

    assert found.proof is not None
    assert found.proof.verdict is Verdict.READ_ONLY
    assert found.proof.tried
    assert found.secrets == ("password",)


@pytest.mark.promise("DATA-1")
def test_every_field_of_every_form_is_explained(data_api: Any) -> None:
    forms = data_api.client("zoe").sources.forms().items

    assert forms
    assert all(field.help and field.label for form in forms for field in form.fields)


@pytest.mark.promise("DATA-2", "DATA-5")
@pytest.mark.usefixtures("warehouse")
def test_a_server_reads_with_an_account_of_its_own_that_cannot_write(
    data_api: Any, shop: Any
) -> None:
    lent = data_api.client("bobs-server").sources.credentials("warehouse")

    assert read(lent) == 2
    assert lent.fields["user"] != shop.user
    with pytest.raises(sa.exc.ProgrammingError, match="permission denied"):
        read(lent, "SET TRANSACTION READ WRITE; DELETE FROM sales")


@pytest.mark.promise("DATA-3", "USER-7")
@pytest.mark.parametrize("token", ["zoes-server", "zoe", "zoe+"])
@pytest.mark.usefixtures("warehouse")
def test_who_is_not_among_its_audience_learns_nothing_of_a_source(
    data_api: Any, token: str
) -> None:
    stranger = data_api.client(token)
    known, unknown = [], []
    for name, told in (("warehouse", known), ("nowhere", unknown)):
        for ask in (stranger.sources.get, stranger.sources.browse, stranger.sources.check):
            with pytest.raises(NotFound) as refused:
                ask(name)
            told.append(str(refused.value).replace(name, "…"))

    assert known == unknown
    assert stranger.sources.all().items == ()


@pytest.mark.promise("DATA-5")
@pytest.mark.parametrize("token", ["bob", "bob+", "olga+", "carl+", "ann+"])
@pytest.mark.usefixtures("warehouse")
def test_only_servers_own_tokens_are_lent_credentials(data_api: Any, token: str) -> None:
    with pytest.raises(NotPermitted, match="lent to servers only"):
        data_api.client(token).sources.credentials("warehouse")


@pytest.mark.promise("DATA-7", "PROFILE-5")
def test_revoking_a_source_drops_the_accounts_that_servers_were_lent(
    data_api: Any, warehouse: AllotmentClient
) -> None:
    lent = data_api.client("bobs-server").sources.credentials("warehouse")

    warehouse.sources.revoke("warehouse")

    with pytest.raises(sa.exc.OperationalError):
        read(lent)
    with pytest.raises(Refusal) as refused:
        data_api.client("bobs-server").sources.credentials("warehouse")
    assert refused.value.reasons[0].rule is Rule.DATA_ENABLED


@pytest.mark.promise("DATA-7")
@pytest.mark.usefixtures("warehouse")
def test_who_leaves_a_group_loses_what_came_by_it_at_the_next_round(data_api: Any) -> None:
    lent = data_api.client("bobs-server").sources.credentials("warehouse")
    data_api.client("olga+").groups.remove_member("vision", "bob")

    data_api.plane.data.lending.round(data_api.plane.now())

    with pytest.raises(sa.exc.OperationalError):
        read(lent)


@pytest.mark.promise("DATA-7")
@pytest.mark.usefixtures("warehouse")
def test_what_a_server_was_lent_ends_with_it(data_api: Any, lab: Any) -> None:
    lent = data_api.client("bobs-server").sources.credentials("warehouse")
    [server] = data_api.client("bob").me().servers
    lab.end(server.allotment)

    data_api.plane.data.lending.round(data_api.plane.now())

    with pytest.raises(sa.exc.OperationalError):
        read(lent)
