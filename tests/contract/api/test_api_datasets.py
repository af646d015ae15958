"""Datasets, their versions, and models through the API; over folders."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from allotment.api.identity import hash_token
from allotment.model.datasets import FileFormat, PrivacyLabel
from allotment.model.limits import LimitKind, LimitScope
from allotment.model.reasons import Rule
from allotment.model.refusals import NotFound, NotPermitted, Refusal
from allotment.model.sources import Audience, SourceKind
from allotment.model.versions import VersionState
from kept_histories import keep_history

pytestmark = pytest.mark.parametrize("store", ["sqlite"])

VISION = Audience(groups=("vision",))
COMMIT_SECONDS = 120


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The folder that may be opened."""
    return tmp_path / "data"


def write(place: Path, *ids: int) -> None:
    """A Parquet file of these ids."""
    place.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table({"id": pa.array(ids, pa.int64())}), place)


@pytest.fixture
def sales(data_api: Any, root: Path) -> Any:
    """A dataset of two files that bob registered and shares with vision; bob's client."""
    write(root / "sales" / "1.parquet", 1, 2)
    write(root / "sales" / "2.parquet", 3)
    client = data_api.client("bob")
    client.datasets.create("sales", [f"{root}/sales/"], audience=VISION)
    return client


@pytest.mark.promise("SET-1", "SET-2")
def test_whoever_may_read_the_files_registers_them_and_they_are_read_at_once(sales: Any) -> None:
    found = sales.datasets.get("sales")

    assert found.format is FileFormat.PARQUET
    assert (found.reading.rows, found.reading.rows_exact, found.reading.files) == (3, True, 2)
    assert [(one.name, one.type) for one in found.reading.columns] == [("id", "int64")]
    assert (found.manages, found.usable, found.audience.words) == (True, True, "group vision")


@pytest.mark.promise("SET-2")
def test_a_server_is_told_where_the_files_lie_now(data_api: Any, sales: Any, root: Path) -> None:
    write(root / "sales" / "3.parquet", 4)

    access = data_api.client("bobs-server").datasets.access("sales")

    assert [one.path for one in access.files] == ["1.parquet", "2.parquet", "3.parquet"]
    assert access.files[0].uri == str(root / "sales" / "1.parquet")
    assert (access.storage.kind, access.version) == (SourceKind.FOLDER, None)
    assert sales.datasets.get("sales").reading.files == 2
    assert sales.datasets.read("sales").reading.files == 3


@pytest.mark.promise("SET-1")
@pytest.mark.parametrize("content", [None, b"PAR1 and no more"])
def test_a_file_that_cannot_be_used_is_refused_by_name_and_reason(
    data_api: Any, root: Path, content: bytes | None
) -> None:
    place = root / "broken.parquet"
    if content is not None:
        place.write_bytes(content)

    with pytest.raises(Refusal) as refused:
        data_api.client("bob").datasets.create("broken", [str(place)], format="parquet")

    assert str(place) in str(refused.value)
    assert refused.value.reasons[0].remedy
    with pytest.raises(NotFound):
        data_api.client("bob").datasets.get("broken")


@pytest.mark.promise("SET-1")
def test_files_outside_the_data_folders_are_never_opened(data_api: Any, tmp_path: Path) -> None:
    outside = tmp_path / "outside.parquet"
    write(outside, 1)
    (tmp_path / "data" / "link.parquet").symlink_to(outside)

    for uri in (str(outside), f"{tmp_path}/data/link.parquet", f"file://{outside}"):
        with pytest.raises(Refusal) as refused:
            data_api.client("bob").datasets.create("secret", [uri])
        assert refused.value.reasons[0].rule in {Rule.DATA_PATH, Rule.DATA_SOURCE}


@pytest.mark.promise("SET-1", "DATA-3")
@pytest.mark.parametrize("written", ["pay/1.parquet", "pay", "pay/", "", "*/1.parquet", "link/"])
def test_files_of_a_source_are_reached_through_it_only_however_they_are_written(
    data_api: Any, root: Path, written: str
) -> None:
    write(root / "pay" / "1.parquet", 1)
    (root / "link").symlink_to(root / "pay")
    data_api.client("carl+").sources.create("pay", "folder", {"path": str(root / "pay")})

    with pytest.raises(Refusal, match="No source that you may use"):
        data_api.client("bob").datasets.create("mine", [f"{root}/{written}"])


@pytest.mark.promise("SET-4", "DATA-3")
def test_a_dataset_that_a_source_came_to_hold_is_read_no_more_without_it(
    data_api: Any, sales: Any, root: Path
) -> None:
    data_api.client("carl+").sources.create("all", "folder", {"path": str(root)})

    with pytest.raises(Refusal, match="No source that you may use"):
        sales.datasets.read("sales")


@pytest.mark.promise("SET-1", "USER-7")
def test_a_public_dataset_is_known_to_everybody_and_loaded_by_its_audience_only(
    data_api: Any, sales: Any
) -> None:
    with pytest.raises(NotFound):
        data_api.client("zoe").datasets.get("sales")

    sales.datasets.edit("sales", revision="any", label=PrivacyLabel.PUBLIC.value)

    known = data_api.client("zoe").datasets.get("sales")
    assert known.reading.columns[0].name == "id"
    assert (known.usable, known.uris, known.audience) == (False, (), None)
    with pytest.raises(NotPermitted):
        data_api.client("zoes-server").datasets.access("sales")


@pytest.mark.promise("SET-1")
@pytest.mark.parametrize(
    ("token", "label", "audience", "rule"),
    [
        ("bob", "internal", Audience(everyone=True), Rule.DATA_AUDIENCE),
        ("bob", "internal", Audience(people=("zoe",)), Rule.DATA_AUDIENCE),
        ("carl+", "personal", Audience(everyone=True), Rule.DATA_LABEL),
    ],
)
def test_nobody_shares_further_than_they_may_or_a_label_lets_them(
    data_api: Any, root: Path, token: str, label: str, audience: Audience, rule: Rule
) -> None:
    write(root / "one.parquet", 1)
    client = data_api.client(token)

    with pytest.raises(Refusal) as refused:
        client.datasets.create("one", [f"{root}/one.parquet"], label=label, audience=audience)

    assert refused.value.reasons[0].rule is rule


@pytest.mark.promise("PROFILE-5", "DATA-7")
def test_disabling_a_dataset_takes_it_from_new_servers_and_revoking_from_all(
    data_api: Any, lab: Any, hub: Any, sales: Any
) -> None:
    hub.give("bobs-later-server", "bob")
    token_hash = hash_token("bobs-later-server")
    lab.granted("bob", "cpu", "later", token_hash=token_hash)
    later = data_api.client("bobs-later-server")

    sales.datasets.edit("sales", revision="any", enabled=False)
    promised = later.datasets.get("sales")
    assert (promised.grounds, len(later.datasets.access("sales").files)) == ("promised", 2)
    with pytest.raises(Refusal) as disabled:
        data_api.client("bobs-server").datasets.access("sales")
    assert disabled.value.reasons[0].rule is Rule.DATA_ENABLED

    sales.datasets.revoke("sales")
    with pytest.raises(Refusal) as revoked:
        later.datasets.access("sales")
    assert revoked.value.reasons[0].rule is Rule.DATA_ENABLED


@pytest.mark.promise("SET-1")
def test_an_attachment_whose_file_was_lost_is_missed_in_words(data_api: Any, sales: Any) -> None:
    sales.datasets.attach("sales", "notes.txt", b"notes")
    [kept] = [one for one in data_api.plane.data.attachments.rglob("*") if one.is_file()]
    kept.unlink()

    with pytest.raises(Refusal, match="is not there any more"):
        data_api.client("bob").datasets.attachment("sales", "notes.txt")


@pytest.mark.promise("SET-1")
def test_an_attachment_is_downloaded_as_a_file_and_never_shown(data_api: Any, sales: Any) -> None:
    page = b"<script>alert(1)</script>"

    sales.datasets.attach("sales", "notes & more.html", page)

    path = "/datasets/sales/attachments/notes%20%26%20more.html"
    answer = data_api.ask("GET", path, "bobs-server")
    assert answer.content == page
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"].startswith("attachment;")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert sales.datasets.get("sales").attachments[0].size == len(page)
    sales.datasets.detach("sales", "notes & more.html")
    assert data_api.ask("GET", path, "bobs-server").status_code == 404


@pytest.mark.promise("SET-1")
@pytest.mark.parametrize("name", ["..", "%2e%2e%2f%2e%2e%2fetc%2fpasswd", ".hidden", "a%5cb"])
def test_an_attachments_name_never_becomes_a_path(data_api: Any, sales: Any, name: str) -> None:
    assert sales is not None
    answer = data_api.ask("PUT", f"/datasets/sales/attachments/{name}", "bob", content=b"x")

    assert answer.status_code in {404, 405, 409, 422}


@pytest.fixture
def history(data_api: Any, root: Path) -> Any:
    """A target over folders, set up by the custodian."""
    keep_history(data_api.client("carl+"), root)
    return data_api.plane.data.committing


@pytest.mark.promise("SET-4", "SET-5")
def test_versions_are_committed_compared_tagged_and_opened(
    data_api: Any, lab: Any, hub: Any, sales: Any, history: Any, root: Path
) -> None:
    sales.datasets.edit("sales", revision="any", target="history")

    first = sales.versions.commit("sales", "The beginning")
    history.wait(COMMIT_SECONDS)
    write(root / "sales" / "2.parquet", 3, 4, 5)
    (root / "sales" / "1.parquet").unlink()
    sales.versions.commit("sales", "More")
    history.wait(COMMIT_SECONDS)

    listed = sales.versions.all("sales").items
    assert [(one.number, one.state) for one in listed] == [
        (2, VersionState.COMMITTED),
        (1, VersionState.COMMITTED),
    ], [one.problem for one in listed]
    assert (first.number, first.state) == (1, VersionState.COMMITTING)
    different = sales.versions.difference("sales", 2)
    assert [one.path for one in different.removed] == ["1.parquet"]
    assert [one.path for one in different.changed] == ["2.parquet"]
    assert different.rows == 0

    sales.versions.tag("sales", 1, "first")
    hub.give("bobs-later-server", "bob")
    token_hash = hash_token("bobs-later-server")
    lab.granted("bob", "cpu", "later", token_hash=token_hash)
    server = data_api.client("bobs-later-server")
    opened = {name: server.datasets.access("sales", name) for name in (1, "first", "promised")}
    assert {name: one.version for name, one in opened.items()} == {1: 1, "first": 1, "promised": 2}
    paths = [one.uri for one in opened["first"].files]
    assert sum(pq.read_table(path).num_rows for path in paths) == 3
    assert [one.path for one in opened[1].files] == ["1.parquet", "2.parquet"]


@pytest.mark.promise("MODEL-1")
def test_a_model_is_registered_shared_loaded_and_deleted(
    data_api: Any, history: Any, tmp_path: Path
) -> None:
    assert history is not None
    weights = tmp_path / "churn.onnx"
    weights.write_bytes(b"weights" * 1000)
    owner, other = data_api.client("bob").models, data_api.client("ann").models

    owner.create("churn", "1", target="history", metrics={"auc": 0.9})
    kept = owner.upload("churn", "1", weights)
    assert (kept.file, kept.size) == ("churn.onnx", 7000)
    with pytest.raises(NotFound):
        other.get("churn", "1")

    owner.share("churn", "1", VISION)
    assert [one.name for one in other.all().items] == ["churn"]
    got = other.download("churn", "1", tmp_path / "got")
    assert got.read_bytes() == weights.read_bytes()
    with pytest.raises(NotPermitted):
        other.delete("churn", "1")

    owner.delete("churn", "1")
    with pytest.raises(NotFound):
        owner.get("churn", "1")


@pytest.mark.promise("MODEL-1", "LIMIT-1")
def test_nobody_registers_more_models_than_their_limit(data_api: Any) -> None:
    data_api.client("olga+").limits.put(LimitScope.PERSON, "bob", LimitKind.MODELS, 1)
    models = data_api.client("bob").models
    models.create("churn", "1", uri="s3://models/churn/1")

    with pytest.raises(Refusal) as refused:
        models.create("churn", "2", uri="s3://models/churn/2")

    reason = refused.value.reasons[0]
    assert (reason.rule, reason.limit, reason.used, reason.asked) == (Rule.LIMIT_MODELS, 1, 1, 1)
