"""Ports of one hub: the one that people asked for, and others that are free."""

import contextlib
import json
import random
import socket
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

import psutil

from allotment_hub.launch.place import LOOPBACK, Ports

# Below the range from which Linux takes the ports of outgoing connections, so that none of those
# sits on a port between our finding it free and the hub's listening there.
FIRST, LAST = 20_000, 32_000
LOWEST, HIGHEST = 1, 65_535


class PortTakenError(Exception):
    """Somebody else listens on the port that was asked for; the message says who."""


def parse_port(text: str) -> int:
    """A port number as written by a person.

    Raises:
        ValueError: not a number between 1 and 65535; the message says so.
    """
    if text.isascii() and text.isdigit() and LOWEST <= int(text) <= HIGHEST:
        return int(text)
    raise ValueError(f"PORT={text}: expected a number between {LOWEST} and {HIGHEST}.")


def is_free(port: int, address: str = LOOPBACK) -> bool:
    """Whether a server could listen on this port of an address of this machine now."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as candidate:
        # As servers do: a port whose last connections are still fading counts as free.
        candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            candidate.bind((address, port))
            candidate.listen(1)
        except OSError:
            return False
    return True


def choose(
    public: int,
    known: Ports | None,
    draw: Callable[[], int] | None = None,
    address: str = LOOPBACK,
) -> Ports:
    """The ports for one start: the public one as asked, the others as last time where free.

    Servers that outlived a crash of the hub know its old port, so it is kept when it can be.

    Args:
        public: what people open.
        known: the ports of the last start.
        draw: gives candidates for ports; by default at random.
        address: where the public port is opened; the others are on loopback.

    Raises:
        PortTakenError: the public port is taken.
    """
    if not is_free(public, address):
        raise PortTakenError(_who_holds(public))
    free = _free_ports(draw or (lambda: random.randint(FIRST, LAST)), taken={public})  # noqa: S311 - no secret
    wishes = (known.hub, known.proxy_api, known.service) if known else (0, 0, 0)
    hub, proxy_api, service = (
        wish if wish and wish != public and is_free(wish) else next(free) for wish in wishes
    )
    return Ports(public=public, hub=hub, proxy_api=proxy_api, service=service)


def _free_ports(draw: Callable[[], int], taken: set[int]) -> Iterator[int]:
    while True:
        port = draw()
        if port not in taken and is_free(port):
            taken.add(port)
            yield port


def read_known(file: Path) -> Ports | None:
    """The ports of the last start, if there was one."""
    try:
        return Ports(**{name: int(port) for name, port in json.loads(file.read_text()).items()})
    except (FileNotFoundError, ValueError, TypeError, AttributeError):
        return None


def remember(file: Path, ports: Ports) -> None:
    """Keep the ports for the next start."""
    file.write_text(json.dumps(asdict(ports)) + "\n")


def _who_holds(port: int) -> str:
    """A sentence that names the port, its holder where the system tells, and the way out."""
    holder = "another program"
    with contextlib.suppress(psutil.Error):
        for connection in psutil.net_connections(kind="tcp"):
            address = connection.laddr
            listens = connection.status == psutil.CONN_LISTEN and address and address.port == port
            if listens and connection.pid:
                words = [Path(word).name for word in psutil.Process(connection.pid).cmdline()]
                holder = f"process {connection.pid} ({' '.join(words)[:60]})"
    return f"Port {port} is taken by {holder}. Choose another: make hub PORT={_next_free(port)}"


def _next_free(port: int) -> int:
    return next((other for other in range(port + 1, HIGHEST + 1) if is_free(other)), port)
