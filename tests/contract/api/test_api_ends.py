"""What was lent of an object store ends by itself soon after it is revoked, whatever its holder does."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from allotment.api.identity import hash_token
from allotment.client import AllotmentClient
from allotment.data.kinds import KINDS
from allotment.data.versions.committing import commit
from allotment.model.documents import DatasetAccess, SourceCredential
from allotment.model.reasons import Rule
from allotment.model.refusals import NotFound, Refusal
from allotment.model.sources import Audience, Credential, SourceKind
from allotment.record import loans, memberships
from allotment.work import committing
from ending_store import EndingStore

pytestmark = pytest.mark.parametrize("store", ["sqlite"])

VISION = Audience(groups=("vision",))
MINUTE = timedelta(minutes=1)
FILES = {"sales/a.csv": b"n\n1\n", "sales/eu/b.csv": b"n\n22\n", "wages/c.csv": b"n\n333\n"}


@pytest.fixture(scope="module")
def bucket(s3_store: Any) -> str:
    name: str = s3_store.bucket(FILES)
    return name


@pytest.fixture
def lake(data_api: Any, ending: EndingStore, bucket: str) -> AllotmentClient:
    """A source that keeps to ends, for vision; the custodian's client."""
    client: AllotmentClient = data_api.client("carl+")
    form = {**ending.store.fields(bucket), **ending.store.secrets}
    client.sources.create("lake", "s3", form, audience=VISION, group="vision")
    return client


def holder(lent: SourceCredential | DatasetAccess) -> Any:
    """A client that goes on with what it was given once, and asks nobody again."""
    fields = lent.fields if isinstance(lent, SourceCredential) else lent.storage.fields
    make: Any = boto3.client
    return make(
        "s3",
        endpoint_url=fields["endpoint"],
        region_name=fields["region"],
        aws_access_key_id=fields["access_key_id"],
        aws_secret_access_key=fields["secret_access_key"],
        aws_session_token=fields["session_token"],
    )


def reads(client: Any, bucket: str, key: str = "sales/a.csv") -> bool:
    try:
        client.get_object(Bucket=bucket, Key=key)
    except ClientError as error:
        return str(error.response["Error"]["Code"]) != "AccessDenied"
    return True


@pytest.mark.promise("DATA-7", "PROFILE-5")
def test_what_is_revoked_is_read_no_more_a_minute_later_though_its_holder_asks_nobody(
    data_api: Any, lake: AllotmentClient, ending: EndingStore, bucket: str
) -> None:
    held = holder(data_api.client("bobs-server").sources.credentials("lake"))
    proof = lake.sources.get("lake").proof
    assert proof is not None
    assert (proof.ends_within, proof.ending) == (60, "Revoking ends it within a minute.")
    assert reads(held, bucket)

    lake.sources.revoke("lake")
    ending.ahead = MINUTE

    assert not reads(held, bucket)
    with pytest.raises(Refusal, match="revoked"):
        data_api.client("bobs-server").sources.credentials("lake")


@pytest.mark.promise("DATA-7")
@pytest.mark.usefixtures("lake")
def test_who_leaves_a_group_reads_no_more_a_minute_later(
    data_api: Any, lab: Any, ending: EndingStore, bucket: str
) -> None:
    held = holder(data_api.client("bobs-server").sources.credentials("lake"))

    with lab.write() as writing:
        memberships.remove(writing, "bob", "vision")
    ending.ahead = MINUTE

    assert not reads(held, bucket)
    with pytest.raises(NotFound):
        data_api.client("bobs-server").sources.credentials("lake")


@pytest.mark.promise("DATA-7")
@pytest.mark.usefixtures("lake")
def test_being_lent_the_same_again_is_one_loan_and_mostly_writes_nothing(data_api: Any) -> None:
    server = data_api.client("bobs-server")
    server.sources.credentials("lake")
    [first] = open_loans(data_api)

    for _ in range(6):
        server.sources.credentials("lake")

    assert open_loans(data_api) == [first]


@pytest.mark.promise("DATA-7")
@pytest.mark.usefixtures("lake")
def test_a_loan_is_known_until_all_that_was_lent_has_ended(data_api: Any, lab: Any) -> None:
    lent = data_api.client("bobs-server").sources.credentials("lake")

    [loan] = open_loans(data_api)
    assert loan.expires_at >= lent.expires_at
    assert data_api.plane.data.lending.round(lab.later(minutes=5)) == ""
    assert data_api.plane.data.lending.round(lab.later(hours=2)) == "withdrew 1 loan"
    assert open_loans(data_api) == []


def open_loans(api: Any) -> list[loans.Loan]:
    with api.plane.record.reading() as reading:
        return list(loans.open_loans(reading))


@pytest.mark.promise("DATA-2", "SET-2")
def test_who_loads_a_dataset_is_lent_its_files_and_nothing_beside_them(
    data_api: Any, lake: AllotmentClient, bucket: str
) -> None:
    lake.datasets.create("sales", [f"s3://{bucket}/sales/*.csv"], audience=VISION)

    access = data_api.client("bobs-server").datasets.access("sales")

    held = holder(access)
    assert [one.path for one in access.files] == ["a.csv"]
    assert [key for key in FILES if reads(held, bucket, key)] == ["sales/a.csv", "sales/eu/b.csv"]
    with pytest.raises(ClientError, match="AccessDenied"):
        held.list_objects_v2(Bucket=bucket)


@pytest.mark.promise("DATA-7")
def test_what_is_revoked_while_it_is_being_lent_is_not_handed_out(
    data_api: Any, lake: AllotmentClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = KINDS[SourceKind.S3]
    issue = store.issue

    def late(*asked: Any) -> Credential:
        lent = issue(*asked)
        lake.sources.revoke("lake")
        return lent

    monkeypatch.setattr(store, "issue", late)

    with pytest.raises(Refusal, match="taken back while it was being opened"):
        data_api.client("bobs-server").sources.credentials("lake")
    assert open_loans(data_api) == []


@pytest.mark.promise("DATA-2", "DATA-7")
def test_what_leads_somewhere_else_is_lent_by_no_old_promise_before_it_is_proven(
    data_api: Any, hub: Any, lab: Any, lake: AllotmentClient, s3_store: Any
) -> None:
    hub.give("promised", "bob")
    lab.granted("bob", "cpu", "later", token_hash=hash_token("promised"))
    server = data_api.client("promised")
    lab.later(seconds=1)
    other = {"role": "arn:aws:iam::000000000000:role/nobody", **s3_store.secrets}

    moved = lake.sources.edit("lake", revision="any", fields=other)

    assert not moved.proven
    with pytest.raises(Refusal) as refused:
        server.sources.credentials("lake")
    assert refused.value.reasons[0].rule is Rule.DATA_PROOF
    back = {**other, "role": s3_store.role}
    lake.sources.edit("lake", revision="any", fields=back)
    lake.sources.edit("lake", revision="any", enabled=False)
    assert server.sources.credentials("lake").expires_at is not None


@pytest.fixture
def private(data_api: Any, ending: EndingStore, bucket: str) -> AllotmentClient:
    """A source for nobody, and a dataset in it for vision; the custodian's client, who manages both."""
    client: AllotmentClient = data_api.client("carl+")
    form = {**ending.store.fields(bucket), **ending.store.secrets}
    client.sources.create("vault", "s3", form)
    client.datasets.create("sales", [f"s3://{bucket}/sales/"], audience=VISION)
    return client


@pytest.mark.promise("SET-1", "SET-2", "DATA-3")
def test_a_dataset_is_loaded_by_its_audience_where_who_manages_its_source_has_registered_it(
    data_api: Any, private: AllotmentClient, bucket: str
) -> None:
    server = data_api.client("bobs-server")

    held = holder(server.datasets.access("sales"))

    assert [key for key in FILES if reads(held, bucket, key)] == ["sales/a.csv", "sales/eu/b.csv"]
    with pytest.raises(NotFound):
        server.sources.credentials("vault")
    with pytest.raises(NotFound):
        data_api.client("zoes-server").datasets.access("sales")
    assert [one.dataset for one in open_loans(data_api)] == ["sales"]
    assert private.datasets.get("sales").held_by == ("bob/work",)
    assert data_api.plane.data.lending.round(data_api.plane.now()) == ""
    private.datasets.revoke("sales")
    assert data_api.plane.data.lending.round(data_api.plane.now()) == "withdrew 1 loan"


@pytest.mark.promise("DATA-3", "PROFILE-5")
def test_a_dataset_ends_with_its_source_for_those_who_use_it_alone(
    data_api: Any, private: AllotmentClient, ending: EndingStore, bucket: str
) -> None:
    held = holder(data_api.client("bobs-server").datasets.access("sales"))

    private.sources.revoke("vault")
    ending.ahead = MINUTE

    assert not reads(held, bucket)
    with pytest.raises(Refusal, match="The source 'vault' is disabled"):
        data_api.client("bobs-server").datasets.access("sales")


@pytest.mark.promise("DATA-3", "SET-1")
def test_who_only_uses_a_source_opens_it_to_nobody_by_a_dataset(
    data_api: Any, lab: Any, private: AllotmentClient, bucket: str
) -> None:
    private.sources.edit("vault", revision="any", audience=Audience(people=("bob",)))
    uris = [f"s3://{bucket}/sales/a.csv"]
    data_api.client("bob+").datasets.create("mine", uris, audience=VISION)
    data_api.hub.give("anns-server", "ann")
    lab.granted("ann", "cpu", "work", token_hash=hash_token("anns-server"))
    ann = data_api.client("anns-server")

    with pytest.raises(Refusal, match="'vault', which is not shared with you"):
        ann.datasets.access("mine")
    private.datasets.edit("mine", revision="any", title="Bob's")
    with pytest.raises(Refusal, match="'vault', which is not shared with you"):
        ann.datasets.access("mine")

    private.datasets.edit("mine", revision="any", audience=Audience(people=("ann", "bob")))
    assert len(ann.datasets.access("mine").files) == 1


@pytest.mark.promise("DATA-2", "DATA-3")
def test_nobody_is_lent_more_than_a_dataset_because_a_policy_is_too_short_for_it(
    data_api: Any, private: AllotmentClient, bucket: str, s3_store: Any
) -> None:
    long = [f"many/{n:02}-{'x' * 200}.csv" for n in range(12)]
    client = s3_store.client()
    for key in long:
        client.put_object(Bucket=bucket, Key=key, Body=b"n\n1\n")
    private.datasets.create("named", [f"s3://{bucket}/{key}" for key in long], audience=VISION)

    with pytest.raises(Refusal, match="would open more of the source 'vault'"):
        data_api.client("bobs-server").datasets.access("named")

    private.datasets.edit("named", revision="any", uris=[f"s3://{bucket}/many/"])
    assert len(data_api.client("bobs-server").datasets.access("named").files) == len(long)


@pytest.mark.promise("DATA-2", "DATA-3", "SET-1")
@pytest.mark.parametrize("pattern", ["sales/*.csv", "*/a.csv", "sales/a*"])
def test_a_pattern_opens_what_matches_it_and_nothing_that_begins_alike(
    data_api: Any, private: AllotmentClient, bucket: str, pattern: str
) -> None:
    private.datasets.create("matching", [f"s3://{bucket}/{pattern}"], audience=VISION)

    server = data_api.client("bobs-server")
    held = holder(server.datasets.access("matching"))
    renewed = holder(server.datasets.access("matching", files=False))

    for client in (held, renewed):
        assert [key for key in FILES if reads(client, bucket, key)] == ["sales/a.csv"]
        with pytest.raises(ClientError, match="AccessDenied"):
            client.list_objects_v2(Bucket=bucket)


@pytest.mark.promise("DATA-3", "SET-1")
def test_a_folder_is_lent_whole_or_not_at_all_to_who_may_not_use_it(
    data_api: Any, tmp_path: Path
) -> None:
    folder = tmp_path / "data" / "vault"
    (folder / "sales").mkdir(parents=True)
    (folder / "sales" / "a.csv").write_text("n\n1\n")
    carl = data_api.client("carl+")
    carl.sources.create("vault", "folder", {"path": str(folder)})
    carl.sources.accept("vault")
    carl.datasets.create("part", [f"{folder}/sales/"], audience=VISION)
    carl.datasets.create("all", [f"{folder}/"], audience=VISION)

    with pytest.raises(Refusal, match="would open more of the source 'vault'"):
        data_api.client("bobs-server").datasets.access("part")
    assert len(data_api.client("bobs-server").datasets.access("all").files) == 1


@pytest.mark.promise("SET-4", "DATA-7")
def test_a_version_in_a_store_that_keeps_to_ends_is_read_no_more_a_minute_after_it_was_revoked(
    data_api: Any, ending: EndingStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(committing, "commit_apart", commit)
    kept, carl = ending.store.bucket(), data_api.client("carl+")
    carl.targets.create(
        "history",
        metadata_kind="folder",
        metadata={"path": str(tmp_path / "data" / "histories")},
        contents_kind="s3",
        contents=ending.store.fields(kept, "versions") | ending.store.secrets,
    )
    (tmp_path / "data" / "prices.csv").write_text("n\n1\n")
    uris = [f"{tmp_path}/data/prices.csv"]
    carl.datasets.create("prices", uris, target="history", audience=VISION)
    carl.versions.commit("prices", "All")
    data_api.plane.data.committing.wait(60)
    opened = data_api.client("bobs-server").datasets.access("prices", 1)
    held, [file] = holder(opened), opened.files
    key = file.uri.removeprefix(f"s3://{kept}/")
    assert reads(held, kept, key)

    carl.datasets.revoke("prices")
    ending.ahead = MINUTE

    assert not reads(held, kept, key)
    with pytest.raises(Refusal, match="revoked"):
        data_api.client("bobs-server").datasets.access("prices", 1)
