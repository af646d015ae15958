"""Azure Blob by a service principal: its signatures, when they end, and what its sign-in leads to."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import jwt
import pytest

from allotment.data.door import Door
from allotment.data.kinds.azure import Azure, reading_client
from allotment.data.kinds.kind import Borrower, Opened
from allotment.data.problems import SourceProblem
from allotment.model.sources import Credential, SourceKind, Verdict
from bad_servers import Played, playing
from inbox import certificate
from object_stores import AzureStore, azurite
from source_forms import opened

KIND = Azure()
FILES = {"sales/us.csv": b"333", "x.csv": b"4"}
MINUTE = timedelta(minutes=1)


def lend(source: Opened, door: Door, at: datetime) -> Credential:
    until = at + timedelta(hours=12)
    return KIND.issue(source, Borrower("ann", "lab", "a1", until, "allotment_0", MINUTE), door, at)


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate that signed itself, and its key."""
    return certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def azure_tls(
    tmp_path_factory: pytest.TempPathFactory, tls: tuple[Path, Path]
) -> Iterator[AzureStore]:
    """Azurite over TLS, as it must be to take a service principal's tokens."""
    with azurite(tmp_path_factory.mktemp("azurite"), tls) as store:
        yield store


@pytest.fixture
def sign_in(tls: tuple[Path, Path]) -> Iterator[Played]:
    """A sign-in service that gives everybody a token."""

    def answer(_method: str, path: str) -> Any:
        if path.endswith("openid-configuration"):
            words = said(played)
        else:
            words = {"token_type": "Bearer", "expires_in": 3600, "access_token": access_token()}
        return 200, {"Content-Type": "application/json"}, json.dumps(words).encode()

    with playing(answer, tls) as played:
        yield played


def said(authority: Played) -> dict[str, Any]:
    """What a sign-in service says of itself."""
    at = f"{authority.url}/tenant/oauth2/v2.0"
    return {
        "issuer": f"{authority.url}/tenant/v2.0",
        "authorization_endpoint": f"{at}/authorize",
        "token_endpoint": f"{at}/token",
    }


def access_token() -> str:
    """What the sign-in service says of the principal."""
    begun = int(time.time()) - 60
    said = {
        "aud": "https://storage.azure.com",
        "iss": "https://sts.windows.net/tenant/",
        "oid": "principal",
        "tid": "tenant",
        "nbf": begun,
        "iat": begun,
        "exp": begun + 3600,
    }
    return jwt.encode(said, "nobody looks at the signature of it", "HS256")


@pytest.fixture
def by_principal(azure_tls: AzureStore, sign_in: Played, tls: tuple[Path, Path]) -> Opened:
    """A source whose signatures a service principal signs."""
    return opened(
        SourceKind.AZURE,
        container=azure_tls.container(FILES),
        identity="principal",
        account=azure_tls.account,
        endpoint=azure_tls.endpoint,
        tenant="tenant",
        client_id="application",
        client_secret="secret-of-the-principal",
        authority=sign_in.url,
        ca=tls[0].read_text(),
    )


@pytest.mark.promise("DATA-2")
def test_a_service_principal_signs_by_user_delegation(by_principal: Opened, loopback: Door) -> None:
    KIND.validate(by_principal)
    lent = lend(by_principal, loopback, datetime.now(UTC))

    assert list(reading_client(lent.fields, loopback).list_blob_names()) == sorted(FILES)
    assert "skoid=" in lent.fields["sas"]
    proof = KIND.prove(by_principal, loopback, datetime.now(UTC))
    assert (proof.verdict, proof.ends_within) == (Verdict.READ_ONLY, 60)
    assert by_principal.secrets["client_secret"] not in str(lent.fields)


@pytest.mark.promise("DATA-4")
def test_a_certificate_that_nobody_vouches_for_is_refused(
    by_principal: Opened, loopback: Door
) -> None:
    unknown = Opened("lake", {**by_principal.fields, "ca": ""}, by_principal.secrets)

    with pytest.raises(SourceProblem):
        KIND.check(unknown, loopback)


@pytest.mark.promise("DATA-7")
@pytest.mark.parametrize("minutes", [-10, 10])
def test_a_principal_signs_by_the_store_s_clock(
    by_principal: Opened, loopback: Door, minutes: int
) -> None:
    at = datetime.now(UTC) + timedelta(minutes=minutes)

    lent = lend(by_principal, loopback, at)

    ends = datetime.fromisoformat(parse_qs(lent.fields["sas"])["se"][0])
    assert lent.expires_at == at + MINUTE
    assert timedelta(0) < ends - datetime.now(UTC) <= MINUTE
    assert list(reading_client(lent.fields, loopback).list_blob_names()) == sorted(FILES)


@pytest.mark.promise("DATA-4", "DATA-5")
@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_sign_in_that_leads_elsewhere_is_not_followed(
    by_principal: Opened, tls: tuple[Path, Path], loopback: Door, status: int
) -> None:
    """The client secret would go along."""

    def answer(_method: str, path: str) -> Any:
        if path.endswith("openid-configuration"):
            return 200, {"Content-Type": "application/json"}, json.dumps(said(authority)).encode()
        return status, {"Location": f"{hub.url}{path}"}, b""

    with playing(lambda _m, _p: (200, {}, b"{}"), tls) as hub, playing(answer, tls) as authority:
        fields = {**by_principal.fields, "authority": authority.url}
        with pytest.raises(SourceProblem):
            KIND.check(Opened("lake", fields, by_principal.secrets), loopback)

    assert by_principal.secrets["client_secret"].encode() in b"".join(authority.bodies)
    assert hub.asked == []
