"""Object stores through the API: registered with proof, lent to servers, browsed; over a real S3."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from allotment.client import AllotmentClient
from allotment.model.refusals import NotFound, NotPermitted
from allotment.model.sources import Audience, Verdict

pytestmark = pytest.mark.parametrize("store", ["sqlite"])

VISION = Audience(groups=("vision",))
FILES = {"sales/a.csv": b"1", "sales/eu/b.csv": b"22", "wages/c.csv": b"333"}


@pytest.fixture
def form(s3_store: Any) -> dict[str, Any]:
    """The form of a source for the sales in a bucket that also holds wages."""
    return {**s3_store.fields(s3_store.bucket(FILES), "sales"), **s3_store.secrets}


@pytest.fixture
def lake(data_api: Any, form: dict[str, Any]) -> AllotmentClient:
    """The source, registered by the custodian for vision and managed by its leads; the custodian's client."""
    client: AllotmentClient = data_api.client("carl+")
    client.sources.create("lake", "s3", form, audience=VISION, group="vision")
    return client


@pytest.mark.promise("DATA-1", "DATA-2")
def test_a_bucket_is_proven_when_it_is_registered(lake: AllotmentClient) -> None:
    found = lake.sources.get("lake")

    assert found.proof is not None
    assert found.proof.verdict is Verdict.READ_ONLY
    assert found.secrets == ("secret_access_key",)


@pytest.mark.promise("DATA-2", "DATA-5")
@pytest.mark.usefixtures("lake")
def test_a_server_is_lent_credentials_that_read_the_prefix_only(
    data_api: Any, form: dict[str, Any], s3_store: Any
) -> None:
    lent = data_api.client("bobs-server").sources.credentials("lake")

    client = boto3.client(
        "s3",
        endpoint_url=lent.fields["endpoint"],
        region_name=lent.fields["region"],
        aws_access_key_id=lent.fields["access_key_id"],
        aws_secret_access_key=lent.fields["secret_access_key"],
        aws_session_token=lent.fields["session_token"],
    )
    place = {"Bucket": form["bucket"]}
    assert client.get_object(Key="sales/a.csv", **place)["Body"].read() == b"1"
    with pytest.raises(ClientError, match="AccessDenied"):
        client.get_object(Key="wages/c.csv", **place)
    with pytest.raises(ClientError, match="AccessDenied"):
        client.put_object(Key="sales/a.csv", Body=b"", **place)
    assert lent.expires_at is not None
    assert s3_store.secret_access_key not in str(lent)


@pytest.mark.promise("DATA-3", "DATA-6")
@pytest.mark.usefixtures("lake")
def test_who_may_use_a_bucket_browses_it_and_nobody_else_does(data_api: Any) -> None:
    found = data_api.client("bobs-server").sources.browse("lake", "eu")

    assert [one.path for one in found.entries] == [("eu", "b.csv")]
    with pytest.raises(NotFound):
        data_api.client("zoes-server").sources.browse("lake", "eu")


@pytest.mark.promise("DATA-1", "USER-4")
def test_a_lead_cannot_read_by_the_platforms_own_identity(
    data_api: Any, lake: AllotmentClient, form: dict[str, Any]
) -> None:
    """Neither in a new source, nor by leading one that the custodian has registered so elsewhere."""
    ambient = {**form, "account": "ambient"}
    own = {
        name: ambient[name]
        for name in ambient
        if name not in {"access_key_id", "secret_access_key"}
    }
    lead = data_api.client("ann+").sources
    with pytest.raises(NotPermitted, match="belongs to the platform"):
        lead.create("another", "s3", own, audience=VISION, group="vision")

    lake.sources.edit("lake", revision="any", fields={"account": "ambient"})

    with pytest.raises(NotPermitted, match="belongs to the platform"):
        lead.edit("lake", revision="any", fields={"bucket": "secrets-of-the-platform"})
    assert lead.edit("lake", revision="any", title="The lake").title == "The lake"
