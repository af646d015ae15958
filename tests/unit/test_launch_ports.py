"""Ports of a hub: the one asked for, and others that are free and stay the same."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from allotment_hub.launch import ports
from allotment_hub.launch.place import Place, Ports


@pytest.fixture
def taken() -> Iterator[int]:
    """A port on which somebody listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


@pytest.fixture
def free() -> int:
    """A port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_taken_port_is_refused_with_its_holder_and_a_free_one(taken: int) -> None:
    with pytest.raises(ports.PortTakenError) as refusal:
        ports.choose(taken, None)
    message = str(refusal.value)
    assert f"Port {taken} is taken by process {os.getpid()}" in message
    other = int(message.rpartition("PORT=")[2])
    assert ports.is_free(other)


def test_a_port_taken_on_every_address_counts_as_taken(free: int) -> None:
    with socket.socket() as listener:
        listener.bind(("0.0.0.0", free))  # noqa: S104 - what another program may do
        listener.listen()
        assert not ports.is_free(free)


def test_all_other_ports_are_free_and_differ(free: int) -> None:
    chosen = ports.choose(free, None)
    others = [chosen.hub, chosen.proxy_api, chosen.service]
    assert len({free, *others}) == 4
    assert all(ports.is_free(port) for port in others)


def test_a_port_drawn_twice_or_taken_is_not_given(free: int, taken: int) -> None:
    draws = iter([taken, free, 20_001, 20_001, 20_002, 20_003, 20_004, 20_005])
    chosen = ports.choose(free, None, draw=lambda: next(draws))
    others = {chosen.hub, chosen.proxy_api, chosen.service}
    assert len(others) == 3
    assert not others & {taken, free}


def test_the_ports_of_the_last_start_are_kept_so_that_servers_find_the_hub_again(
    free: int, tmp_path: Path
) -> None:
    first = ports.choose(free, None)
    ports.remember(tmp_path / "ports.json", first)
    assert ports.choose(free, ports.read_known(tmp_path / "ports.json")) == first


def test_only_a_known_port_that_is_taken_now_is_chosen_anew(free: int, taken: int) -> None:
    first = ports.choose(free, None)
    known = Ports(free, first.hub, taken, first.service)
    second = ports.choose(free, known)
    assert (second.hub, second.service) == (first.hub, first.service)
    assert second.proxy_api != taken


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"public": 1}', '{"hub": "x"}', "null"])
def test_a_damaged_file_of_ports_is_as_good_as_none(content: str, tmp_path: Path) -> None:
    (tmp_path / "ports.json").write_text(content)
    assert ports.read_known(tmp_path / "ports.json") is None


@pytest.mark.parametrize(
    "text", ["", "abc", "0", "65536", "-1", "80.5", "\uff18\uff10\uff10\uff10", "1 2"]
)
def test_what_is_no_port_is_refused_with_what_was_expected(text: str) -> None:
    with pytest.raises(ValueError, match="expected a number between 1 and 65535"):
        ports.parse_port(text)


def test_a_place_comes_back_from_the_environment_as_it_went_in(tmp_path: Path) -> None:
    place = Place(tmp_path, tmp_path / "settings.yaml", Ports(8000, 20_001, 20_002, 20_003))
    assert Place.from_environment(place.to_environment()) == place


@pytest.mark.parametrize(
    ("bind", "opened"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000"),
        ("0.0.0.0", "http://127.0.0.1:8000"),  # noqa: S104 - every address includes loopback
        ("192.0.2.7", "http://192.0.2.7:8000"),
        ("::1", "http://[::1]:8000"),
    ],
)
def test_the_address_to_open_is_one_that_answers(bind: str, opened: str, tmp_path: Path) -> None:
    place = Place(tmp_path, tmp_path, Ports(8000, 1, 2, 3), bind)
    assert place.public_url == opened
