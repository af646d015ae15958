"""What people enter is opened only where it may be: paths below roots, addresses that are allowed."""

from __future__ import annotations

import os
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from allotment.data import addresses
from allotment.data.addresses import Address
from allotment.data.door import Door, Resolver
from allotment.data.problems import SourceProblem
from allotment.model.reasons import Rule

pytestmark = pytest.mark.promise("DATA-2")

PUBLIC = "93.184.215.14"


def _names(**known: tuple[str, ...]) -> Resolver:
    """A resolver of the system's shape that knows these names, below any domain."""

    def resolver(host: str, _port: int) -> tuple[Address, ...]:
        if host.replace(".", "").isdigit() or ":" in host:
            return (ip_address(host),)
        found = known.get(host.partition(".")[0])
        if found is None:
            raise OSError
        return tuple(map(ip_address, found))

    return resolver


@pytest.fixture
def state(tmp_path: Path) -> Path:
    state = tmp_path / "state"
    (state / "data" / "lake").mkdir(parents=True)
    (state / "data" / "lake" / "a.csv").write_text("a\n1\n")
    (state / "record.sqlite").write_text("the record")
    (state / "logs").mkdir()
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret").write_text("secret")
    return state


@pytest.fixture
def door(state: Path) -> Door:
    return Door(
        roots=(state / "data",), forbidden_paths=(state, state / "record.sqlite"), resolver=_names()
    )


def _rule(problem: pytest.ExceptionInfo[SourceProblem]) -> Rule:
    return problem.value.reasons[0].rule


def test_a_file_below_a_root_is_opened(door: Door, state: Path) -> None:
    with door.open(f"{state}/data/lake/a.csv") as file:
        assert file.read() == b"a\n1\n"


def test_a_file_uri_names_the_same_place_as_its_path(door: Door, state: Path) -> None:
    assert door.path(f"file://{state}/data/lake/%61.csv") == state / "data" / "lake" / "a.csv"


def test_a_root_inside_a_forbidden_folder_is_open_itself(door: Door, state: Path) -> None:
    assert door.path(f"{state}/data") == state / "data"


@pytest.mark.parametrize(
    "text",
    [
        "{state}/record.sqlite",
        "{state}/data/../record.sqlite",
        "{state}/data/lake/../../logs",
        "{state}",
        "{state}/data/%2e%2e/../../outside/secret",
        "file://{state}/data/%2e%2e/record.sqlite",
        "file://elsewhere{state}/data/lake",
        "data/lake",
        "~/data",
        "/",
        "/proc/self/environ",
        "{state}/data/lake/\0.csv",
        "",
    ],
)
def test_a_path_that_leads_elsewhere_is_refused(door: Door, state: Path, text: str) -> None:
    with pytest.raises(SourceProblem) as problem:
        door.path(text.format(state=state))
    assert _rule(problem) is Rule.DATA_PATH


@pytest.mark.parametrize("target", ["record.sqlite", "../outside/secret", "logs", "/proc/self"])
def test_a_symbolic_link_below_a_root_leads_nowhere_else(
    door: Door, state: Path, target: str
) -> None:
    (state / "data" / "link").symlink_to(state / target)
    with pytest.raises(SourceProblem):
        door.path(f"{state}/data/link")


def test_a_loop_of_links_is_refused(door: Door, state: Path) -> None:
    (state / "data" / "one").symlink_to(state / "data" / "two")
    (state / "data" / "two").symlink_to(state / "data" / "one")
    with pytest.raises(SourceProblem):
        door.path(f"{state}/data/one")


def test_a_hard_link_to_the_record_is_refused(door: Door, state: Path) -> None:
    os.link(state / "record.sqlite", state / "data" / "innocent")
    with pytest.raises(SourceProblem):
        door.path(f"{state}/data/innocent")


def test_a_folder_that_holds_the_record_is_refused(state: Path) -> None:
    door = Door(roots=(state.parent,), forbidden_paths=(state / "record.sqlite",))
    with pytest.raises(SourceProblem):
        door.path(str(state))


@pytest.mark.parametrize("root", ["/", "/proc", "/proc/self"])
def test_the_systems_own_folders_are_closed_whatever_the_roots(root: str) -> None:
    with pytest.raises(SourceProblem):
        Door(roots=(Path("/"),)).path(root)


def test_a_pipe_is_refused_without_waiting_for_its_writer(door: Door, state: Path) -> None:
    os.mkfifo(state / "data" / "pipe")
    with pytest.raises(SourceProblem, match="no regular file"):
        door.open(f"{state}/data/pipe")


def test_a_refused_path_says_which_folders_are_open(door: Door, state: Path) -> None:
    with pytest.raises(SourceProblem) as problem:
        door.path(f"{state.parent}/outside/secret")
    assert f"{state}/data" in problem.value.reasons[0].remedy


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(
    st.lists(
        st.sampled_from(
            ["..", ".", "data", "lake", "a.csv", "out", "back", "state", "record.sqlite"]
        )
    )
)
def test_whatever_is_opened_lies_below_a_root(door: Door, state: Path, parts: list[str]) -> None:
    for name, target in (("out", state.parent), ("back", state / "data")):
        if not (state / "data" / name).is_symlink():
            (state / "data" / name).symlink_to(target)
    try:
        found = door.path("/".join([str(state / "data"), *parts]))
    except SourceProblem:
        return
    assert os.path.realpath(found).startswith(str(state / "data"))


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.8.8.8",
        "::1",
        "0.0.0.0",  # noqa: S104 - to be refused
        "::",
        "169.254.169.254",
        "169.254.1.1",
        "fe80::1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "100.100.100.200",
        "168.63.129.16",
        "fd00:ec2::254",
        "fc00::1",
        "fec0::1",
        "224.0.0.1",
        "255.255.255.255",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "2002:7f00:1::",
        "::127.0.0.1",
    ],
)
def test_an_address_that_is_not_public_is_refused(address: str) -> None:
    with pytest.raises(SourceProblem) as problem:
        Door(resolver=_names(sneaky=(address,))).host("sneaky.example.com", 443)
    assert _rule(problem) is Rule.DATA_ADDRESS


def test_a_public_address_is_answered_as_the_number_that_was_checked() -> None:
    assert Door(resolver=_names(store=(PUBLIC,))).host("store.example.com", 443) == PUBLIC


def test_a_name_with_one_public_and_one_private_address_is_refused() -> None:
    with pytest.raises(SourceProblem):
        Door(resolver=_names(two=(PUBLIC, "10.0.0.1"))).host("two.example.com", 443)


@pytest.mark.parametrize("number", ["2130706433", "0x7f.1", "127.1", "0177.0.0.1"])
def test_other_ways_to_write_this_machine_are_seen_through(number: str) -> None:
    with pytest.raises(SourceProblem):
        Door().host(number, 80)


@pytest.mark.parametrize(
    ("listed", "address", "allowed"),
    [
        ("10.0.0.0/8", "10.1.2.3", True),
        ("10.0.0.0/8", "192.168.0.1", False),
        ("0.0.0.0/0", "10.1.2.3", True),
        ("0.0.0.0/0", "127.0.0.1", False),
        ("0.0.0.0/0", "169.254.1.1", False),
        ("0.0.0.0/0", "169.254.169.254", False),
        ("0.0.0.0/0", "0.0.0.0", False),  # noqa: S104 - to be refused
        ("127.0.0.0/8", "127.0.0.1", True),
        ("127.0.0.0/8", "::ffff:127.0.0.1", True),
        ("169.254.0.0/16", "169.254.1.1", True),
        ("169.254.0.0/16", "169.254.169.254", False),
        ("169.254.169.254/32", "169.254.169.254", True),
        ("fd00::/8", "fd00::7", True),
        ("fd00::/8", "fd00:ec2::254", False),
        ("::/0", "::1", False),
        ("::1/128", "::1", True),
    ],
)
def test_a_wide_network_does_not_open_this_machine(
    listed: str, address: str, allowed: bool
) -> None:
    found = addresses.forbidden(ip_address(address), (ip_network(listed),))
    assert (found is None) is allowed


def test_the_platforms_own_ports_stay_closed_on_a_machine_that_is_listed() -> None:
    door = Door(networks=(ip_network("127.0.0.0/8"),), forbidden_ports=frozenset({8081}))
    assert door.host("127.0.0.1", 5432) == "127.0.0.1"
    with pytest.raises(SourceProblem, match="belongs to this platform"):
        door.host("127.0.0.1", 8081)


@pytest.mark.parametrize(("port", "refused"), [(5432, True), (5433, False)])
def test_the_records_database_is_never_a_source(port: int, refused: bool) -> None:
    door = Door(
        networks=(ip_network("10.0.0.0/8"),),
        forbidden_endpoints=(("record", 5432),),
        resolver=_names(record=("10.0.0.5",), alias=("10.0.0.5",)),
    )
    try:
        door.host("alias", port)
    except SourceProblem:
        assert refused
    else:
        assert not refused


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://[::1]/",
        "http://[fe80::1%25eth0]/",
        "https://user:pass@store.example.com/",
        "https://store.example.com@127.0.0.1/",
        "https://store.example.com\\@127.0.0.1/",
        "https://store.example.com\t/",
        "https:///bucket",
        "https://store.example.com:99999/",
        "https://store.example.com:0/",
        "ftp://store.example.com/",
        "file:///etc/passwd",
        "gopher://store.example.com/",
        "store.example.com",
        "https://[nonsense/",
        "https://nowhere.example.com/",
    ],
)
def test_a_url_that_is_odd_or_leads_inside_is_refused(url: str) -> None:
    with pytest.raises(SourceProblem) as problem:
        Door(resolver=_names(store=(PUBLIC,))).url(url)
    assert _rule(problem) is Rule.DATA_ADDRESS


def test_a_url_is_answered_with_where_to_connect() -> None:
    reached = Door(resolver=_names(store=(PUBLIC,))).url("https://store.example.com/bucket")
    assert (reached.host, reached.port, reached.address) == ("store.example.com", 443, PUBLIC)


def test_a_refused_url_does_not_repeat_the_password_in_it() -> None:
    with pytest.raises(SourceProblem) as problem:
        Door().url("https://user:hunter2@store.example.com/")
    assert "hunter2" not in str(problem.value)


@given(st.ip_addresses(v=6))
def test_an_ipv6_address_that_is_open_is_no_special_one(address: Address) -> None:
    special = address.is_private or address.is_loopback or address.is_link_local
    assert not special or addresses.forbidden(address, ()) is not None
