"""``abfs://container@account…``: the account that a URI names is the one that is opened, or nothing is."""

from __future__ import annotations

import pytest

from allotment.data.datasets.stores.store import check_within
from allotment.data.datasets.uris import covers, parse
from allotment.data.problems import SourceProblem
from allotment.model.sources import SourceKind

PUBLIC = {"container": "lake", "account": "company", "endpoint": ""}
PRIVATE = {**PUBLIC, "endpoint": "https://blobs.company.example"}
STACK = {**PUBLIC, "endpoint": "https://company.blob.east.stack.example"}
EMULATOR = {**PUBLIC, "endpoint": "http://127.0.0.1:10000/company"}


@pytest.mark.promise("SET-1", "DATA-5")
@pytest.mark.parametrize(
    ("host", "fields", "same"),
    [
        ("company", PUBLIC, True),
        ("company.dfs.core.windows.net", PUBLIC, True),
        ("COMPANY.blob.core.windows.net", PUBLIC, True),
        ("other.dfs.core.windows.net", PUBLIC, False),
        ("company.dfs.core.windows.net.evil.example", PUBLIC, False),
        ("company.evil.example", PUBLIC, False),
        ("companyx.dfs.core.windows.net", PUBLIC, False),
        ("company.dfs.core.windows.net", PRIVATE, True),
        ("blobs.company.example", PRIVATE, True),
        ("other.company.example", PRIVATE, False),
        ("company.dfs.east.stack.example", STACK, True),
        ("company.dfs.west.stack.example", STACK, False),
        ("127.0.0.1:10000", EMULATOR, True),
        ("127.0.0.1:10001", EMULATOR, False),
        ("company", EMULATOR, True),
    ],
)
def test_a_uri_is_of_a_source_only_where_its_host_is_the_source_s_account(
    host: str, fields: dict[str, str], same: bool
) -> None:
    assert covers(SourceKind.AZURE, fields, parse(f"abfss://lake@{host}/sales/a.csv")) is same


@pytest.mark.promise("SET-1", "DATA-5")
def test_the_account_that_a_connection_string_keeps_is_compared_when_it_is_opened() -> None:
    uri = parse("abfs://lake@other.dfs.core.windows.net/a.csv")

    assert covers(SourceKind.AZURE, {**PUBLIC, "account": ""}, uri)
    with pytest.raises(SourceProblem, match="another storage account than the source's, company"):
        check_within(SourceKind.AZURE, PUBLIC, uri)


@pytest.mark.promise("SET-1")
@pytest.mark.parametrize("host", ["", "a b", "a@b", "a:port", "ä.example"])
def test_a_host_that_is_none_is_refused(host: str) -> None:
    with pytest.raises(SourceProblem, match=r"no storage account|names no"):
        parse(f"abfs://lake@{host}/a.csv")
