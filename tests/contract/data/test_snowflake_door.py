"""Snowflake's connector leads nowhere but where the door lets it: names resolved anew, redirects, probes."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from ipaddress import ip_address, ip_network

import pytest
from snowflake.connector.platform_detection import detect_platforms

from allotment.data.addresses import Address
from allotment.data.door import Door
from allotment.data.forms import fill
from allotment.data.kinds import connections
from allotment.data.kinds.kind import Opened
from allotment.data.kinds.snowflake import Service, Snowflake
from allotment.data.problems import SourceProblem
from bad_servers import never_answering, playing

NAME = "warehouse.example"
LOOPBACK = (ip_network("127.0.0.0/8"),)


def source() -> Opened:
    given = {
        "account": "warehouse",
        "user": "reader",
        "identity": "password",
        "password": "correct-horse",
        "role": "READERS",
        "warehouse": "SMALL",
        "database": "SHOP",
    }
    return Opened("warehouse", fill(Snowflake.fields, given).fields, {"password": "correct-horse"})


def door(*answers: str) -> Door:
    """A door whose resolver answers so, one after the other, the last for ever."""
    left = list(answers)

    def resolver(_host: str, _port: int) -> tuple[Address, ...]:
        return (ip_address(left.pop(0) if len(left) > 1 else left[0]),)

    return Door(networks=LOOPBACK, resolver=resolver)


def service(url: str) -> Service:
    return Service(host=NAME, port=int(url.rpartition(":")[2]), protocol="http")


@pytest.mark.promise("DATA-4")
def test_the_address_that_was_checked_is_the_one_that_is_connected_to() -> None:
    """No name server knows the name, and still it is reached: only the door's answer counts."""
    with (
        playing(lambda _m, _p: (403, {}, b"")) as account,
        pytest.raises(SourceProblem, match=f"Snowflake at {NAME}"),
    ):
        Snowflake(service(account.url)).check(source(), door("127.0.0.1"))

    assert account.asked[0][1].startswith("/session/v1/login-request")


@pytest.mark.promise("DATA-4")
def test_a_name_that_comes_to_mean_another_address_is_refused_there() -> None:
    with (
        playing(lambda _m, _p: (200, {}, b"{}")) as account,
        pytest.raises(SourceProblem, match=r"10\.0\.0\.7.*private network"),
    ):
        Snowflake(service(account.url)).check(source(), door("127.0.0.1", "10.0.0.7"))

    assert account.asked == []


@pytest.mark.promise("DATA-4")
@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(status: int) -> None:
    with playing(lambda _m, _p: (200, {}, b"{}")) as hub:
        leads = {"Location": hub.url}
        with (
            playing(lambda _m, _p: (status, leads, b"")) as account,
            pytest.raises(SourceProblem, match="redirects are not followed"),
        ):
            Snowflake(service(account.url)).check(source(), door("127.0.0.1"))

    assert hub.asked == []


@pytest.mark.promise("DATA-4")
def test_a_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        playing(lambda _m, _p: (200, {}, b"{}")) as proxy,
        playing(lambda _m, _p: (403, {}, b"")) as account,
    ):
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        with pytest.raises(SourceProblem):
            Snowflake(service(account.url)).check(source(), door("127.0.0.1"))

    assert proxy.asked == []
    assert account.asked


@pytest.fixture
def undetected() -> Iterator[None]:
    """Nothing in this process has found out yet where it runs."""
    detect_platforms.cache_clear()
    yield
    detect_platforms.cache_clear()


@pytest.mark.usefixtures("undetected")
@pytest.mark.promise("DATA-5")
def test_nobody_is_told_on_which_cloud_the_control_plane_runs() -> None:
    """The connector would ask metadata services, past the door, and sign in at Amazon to learn that."""
    with (
        playing(lambda _m, _p: (403, {}, b"")) as account,
        pytest.raises(SourceProblem),
    ):
        Snowflake(service(account.url)).check(source(), door("127.0.0.1"))

    assert b'"PLATFORM": ["disabled"]' in gzip.decompress(account.bodies[0])


@pytest.mark.promise("DATA-4")
def test_an_account_whose_answer_drips_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "CALL_SECONDS", 0.3)
    with (
        never_answering(b"x") as url,
        pytest.raises(SourceProblem, match="did not answer in time"),
    ):
        Snowflake(service(url)).check(source(), door("127.0.0.1"))


@pytest.mark.promise("DATA-4")
@pytest.mark.parametrize(
    ("body", "length", "words"),
    [
        (b'{"data": ', "5000", "broke off in mid-answer"),
        (b"[]", "2", "does not answer as Snowflake does"),
        (b'{"success": true, "data": 1}', "28", "does not answer as Snowflake does"),
    ],
)
def test_an_answer_that_breaks_off_or_is_none_is_said_in_words(
    body: bytes, length: str, words: str
) -> None:
    with (
        playing(lambda _m, _p: (200, {"Content-Length": length}, body)) as account,
        pytest.raises(SourceProblem, match=words) as raised,
    ):
        Snowflake(service(account.url)).check(source(), door("127.0.0.1"))

    assert "correct-horse" not in repr(raised.value)
    assert raised.value.__cause__ is None
