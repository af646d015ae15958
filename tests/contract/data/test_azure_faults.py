"""Azure stores that are away, wrong, slow or lead elsewhere: what is said, and what is never reached."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from allotment.data.door import Door
from allotment.data.kinds import connections
from allotment.data.kinds.azure import Azure
from allotment.data.kinds.kind import Opened
from allotment.data.problems import SourceProblem
from allotment.model.sources import SourceKind
from bad_servers import never_answering, playing
from object_stores import AzureStore
from source_forms import opened

KIND = Azure()

Register = Callable[..., Opened]


@pytest.fixture(scope="module")
def container(azure_store: AzureStore) -> str:
    """A container with one file."""
    return azure_store.container({"x.csv": b"4"})


@pytest.fixture(scope="module")
def register(azure_store: AzureStore, container: str) -> Register:
    """Fill in the form of a source for the container, some fields otherwise."""

    def make(**other: Any) -> Opened:
        return opened(
            SourceKind.AZURE, **{**azure_store.fields(container), **azure_store.secrets, **other}
        )

    return make


@pytest.mark.promise("DATA-4", "DATA-5")
@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"account_key": "d3Jvbmcta2V5LTAxMjM0NTY3ODk="}, "the key is wrong"),
        ({"container": "no-such-container"}, "there is no such container."),
        ({"endpoint": "http://127.0.0.1:1/lakeaccount"}, "cannot be reached."),
        ({"endpoint": "http://169.254.169.254/"}, "metadata service"),
        ({"endpoint": "http://10.0.0.7/lakeaccount"}, "private network"),
    ],
)
def test_what_is_wrong_is_said_in_words_without_secrets(
    register: Register, loopback: Door, wrong: dict[str, str], words: str
) -> None:
    source = register(**wrong)

    with pytest.raises(SourceProblem) as raised:
        KIND.check(source, loopback)

    assert words in str(raised.value)
    assert "sig=" not in repr(raised.value)
    assert not any(secret in repr(raised.value) for secret in source.secrets.values())
    assert raised.value.__cause__ is None


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control plane gives up after a third of a second."""
    monkeypatch.setattr(connections, "CALL_SECONDS", 0.3)


@pytest.mark.usefixtures("impatient")
@pytest.mark.promise("DATA-4")
@pytest.mark.parametrize("drip", [b"", b"x"])
def test_a_store_that_does_not_answer_or_never_ends_is_given_up(
    register: Register, loopback: Door, drip: bytes
) -> None:
    with (
        never_answering(drip) as url,
        pytest.raises(SourceProblem, match="did not answer in time"),
    ):
        KIND.check(register(endpoint=url), loopback)


@pytest.mark.promise("DATA-4")
@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(register: Register, loopback: Door, status: int) -> None:
    with playing(lambda _m, _p: (200, {}, b"")) as hub:
        leads = {"Location": hub.url}
        with (
            playing(lambda _m, _p: (status, leads, b"")) as store,
            pytest.raises(SourceProblem, match="redirects are not followed"),
        ):
            KIND.check(register(endpoint=store.url), loopback)

    assert hub.asked == []


@pytest.mark.promise("DATA-4")
@pytest.mark.parametrize(
    "body", [b"<html>Welcome</html>", b"{}", b"<EnumerationResults><x", b"\xff"]
)
def test_what_is_no_store_at_all_is_said(register: Register, loopback: Door, body: bytes) -> None:
    headers = {"Content-Type": "application/xml"}
    with (
        playing(lambda _m, _p: (200, headers, body)) as site,
        pytest.raises(SourceProblem, match="does not answer as Azure does"),
    ):
        KIND.check(register(endpoint=site.url), loopback)


@pytest.mark.promise("DATA-1")
@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"container": "Sales"}, "Container cannot be"),
        ({"container": "a/b"}, "Container cannot be"),
        ({"prefix": "../x"}, "climbs"),
        ({"account": "evil.com/"}, "Storage account cannot be"),
        ({"endpoint": "ftp://store"}, "no address of a storage account"),
        ({"endpoint": "https://me:secret@store"}, "no address of a storage account"),
        ({"endpoint": "https://store/a/b"}, "no address of a storage account"),
        ({"ca": "no certificate"}, "no PEM certificate"),
        ({"identity": "connection", "connection_string": "AccountName=a"}, "no account with a key"),
        (
            {"identity": "principal", "tenant": "a/b", "client_id": "x", "client_secret": "y"},
            "Tenant cannot be",
        ),
    ],
)
def test_fields_that_cannot_be_right_are_refused_by_name(wrong: dict[str, str], words: str) -> None:
    key = {} if "identity" in wrong else {"account_key": "a2V5"}
    right = {"container": "sales", "account": "lakeaccount", "identity": "key", **key}
    with pytest.raises(SourceProblem, match=words):
        KIND.validate(opened(SourceKind.AZURE, **{**right, **wrong}))


@pytest.mark.promise("DATA-4")
def test_an_answer_that_breaks_off_is_said_to(register: Register, loopback: Door) -> None:
    headers = {"Content-Type": "application/xml", "Content-Length": "5000"}
    with (
        playing(lambda _m, _p: (200, headers, b"<EnumerationResults>")) as store,
        pytest.raises(SourceProblem, match="broke off in mid-answer"),
    ):
        KIND.check(register(endpoint=store.url), loopback)
