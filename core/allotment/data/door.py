"""The one way out: what people enter (paths, hosts, URLs) is opened only if it passes here.

Paths must lie below roots, with symbolic links resolved; addresses must be public or inside networks
that an operator has listed, after their names were resolved. Never the record, the hub, the control
plane, this machine or a cloud's metadata service.
"""

from __future__ import annotations

import os
import re
import socket
import stat
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote, urlsplit

from allotment.data import addresses
from allotment.data.addresses import Address, Network
from allotment.data.problems import SourceProblem
from allotment.model.reasons import Rule

Resolver = Callable[[str, int], tuple[Address, ...]]
"""All addresses of a host; raises OSError where it has none."""

_SYSTEM = tuple(Path(one) for one in ("/proc", "/sys", "/dev", "/run"))
_HOST = re.compile(r"[A-Za-z0-9_.-]{1,253}|[0-9A-Fa-f:.]{2,45}", re.ASCII)
_PORTS = {"http": 80, "https": 443}
_LAST_PORT = 65535
_SHOWN = 200


def resolve(host: str, port: int) -> tuple[Address, ...]:
    """Ask the system for all addresses of a host.

    Raises:
        OSError: it has none.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(ip_address(place[4][0]) for place in found))


@dataclass(frozen=True, slots=True)
class Reached:
    """A URL that may be opened, and the numeric ``address`` that it was checked for.

    Connect to ``address`` with ``host`` as the name for TLS and the Host header: a name that is
    resolved again may have changed its mind.
    """

    url: str
    scheme: str
    host: str
    port: int
    address: str


@dataclass(frozen=True, slots=True)
class Door:
    """What may be opened for people.

    ``roots`` are folders below which paths may lie, ``networks`` those allowed beside public addresses.
    ``forbidden_paths`` are files and folders never opened; a root inside such a folder is open all the
    same. ``closed_paths`` are shared with some, and stay closed for others whatever root lies inside.
    ``forbidden_ports`` are those of hub, proxy and control plane on this machine;
    ``forbidden_endpoints`` hosts that are never reached, at one port or (None) at all.
    """

    roots: tuple[Path, ...] = ()
    networks: tuple[Network, ...] = ()
    forbidden_paths: tuple[Path, ...] = ()
    closed_paths: tuple[Path, ...] = ()
    forbidden_ports: frozenset[int] = frozenset()
    forbidden_endpoints: tuple[tuple[str, int | None], ...] = ()
    resolver: Resolver = resolve

    def path(self, text: str) -> Path:
        """The place that a path or ``file:`` URI names, with symbolic links resolved.

        It need not exist. Open what is returned, not ``text``; a file best by :meth:`open`.

        Raises:
            SourceProblem: it may not be opened.
        """
        place = _resolved(_absolute(text), text)
        inside = [root for root in map(_real, self.roots) if place.is_relative_to(root)]
        if not inside:
            raise _path_refused(text, "lies outside the folders that may be opened", self._opened())
        for kept in map(_real, (*_SYSTEM, *self.forbidden_paths)):
            excepted = any(root != kept and root.is_relative_to(kept) for root in inside)
            within = place.is_relative_to(kept) and not excepted
            if within or kept.is_relative_to(place) or _same_file(place, kept):
                raise _path_refused(text, "holds what the platform keeps for itself", _ANOTHER)
        for shared in map(_real, self.closed_paths):
            if place.is_relative_to(shared) or shared.is_relative_to(place):
                raise _path_refused(text, "belongs to a source or a target", _ASK)
        return place

    def open(self, text: str) -> BinaryIO:
        """Open a regular file to read; one that is exchanged for a link meanwhile is refused.

        Raises:
            SourceProblem: it may not be opened.
            OSError: it is not there, or the system does not let it be read.
        """
        place = self.path(text)
        # Without O_NONBLOCK a pipe under this name would hold the thread for ever.
        number = os.open(place, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        file = os.fdopen(number, "rb")
        try:
            self._expect_same(text, place, os.fstat(number))
        except BaseException:
            file.close()
            raise
        return file

    def _expect_same(self, text: str, place: Path, found: os.stat_result) -> None:
        if not stat.S_ISREG(found.st_mode):
            raise _path_refused(text, "is no regular file", _ANOTHER)
        if self.path(str(place)) != place or not os.path.samestat(found, place.lstat()):
            raise _path_refused(text, "was exchanged while it was opened", "Try again.")

    def host(self, host: str, port: int) -> str:
        """The numeric address to connect to for a host; all of its addresses must be allowed.

        Raises:
            SourceProblem: one may not be opened, or the host has no address.
        """
        if not _HOST.fullmatch(host):
            raise _address_refused(host, "is no name or address of a host", "Check its spelling.")
        if not 0 < port <= _LAST_PORT:
            raise _address_refused(f"{host}:{port}", "names no port", "Ports go from 1 to 65535.")
        try:
            found = tuple(map(addresses.plain, self.resolver(host, port)))
        except (OSError, UnicodeError, ValueError):
            found = ()
        if not found:
            raise _address_refused(host, "has no address", "Check its spelling.")
        for address in found:
            self._allow(host, port, address)
        return str(found[0])

    def address(self, number: str, port: int) -> None:
        """Check a numeric address, such as that of a connection which a library has opened by itself.

        Raises:
            SourceProblem: it may not be opened.
        """
        self._allow(number, port, addresses.plain(ip_address(number)))

    def url(self, url: str, *, schemes: tuple[str, ...] = ("https", "http")) -> Reached:
        """Check a URL: its scheme, and its host as :meth:`host` does. It holds no name or password.

        Check where a redirect leads in the same way, or follow none.

        Raises:
            SourceProblem: it may not be opened.
        """
        if not url.isprintable() or any(one in url for one in " \\"):
            raise _address_refused(url, "is no URL", "Take out spaces and odd characters.")
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise _address_refused(url, "is no URL", "Check its spelling.") from None
        if "@" in parts.netloc:
            # Shown without what may be a password.
            raise _address_refused(
                f"{parts.scheme}://…", "holds a name or password", "Enter them in their own fields."
            )
        if parts.scheme not in schemes or not parts.hostname:
            wanted = " or ".join(f"{one}://" for one in schemes)
            raise _address_refused(url, "cannot be opened", f"It begins with {wanted} and a host.")
        port = _PORTS.get(parts.scheme, 0) if port is None else port
        return Reached(url, parts.scheme, parts.hostname, port, self.host(parts.hostname, port))

    def _allow(self, host: str, port: int, address: Address) -> None:
        whose = f"{address}:{port}" if host == str(address) else f"{host} ({address}:{port})"
        if self._is_platform(address, port):
            raise _address_refused(whose, "belongs to this platform", "Enter another address.")
        found = addresses.forbidden(address, self.networks)
        if found is not None:
            remedy = (
                f"An operator can list {found.network} under data.networks in the settings."
                if found.network
                else "Enter another address."
            )
            raise _address_refused(whose, f"is {found.what}", remedy)

    def _is_platform(self, address: Address, port: int) -> bool:
        if port in self.forbidden_ports and addresses.is_own(address):
            return True
        for host, only in self.forbidden_endpoints:
            if only is not None and only != port:
                continue
            try:
                known = {addresses.plain(one) for one in self.resolver(host, port)}
            except OSError:
                continue
            mine = any(map(addresses.is_own, known))
            if address in known or (mine and addresses.is_own(address)):
                return True
        return False

    def _opened(self) -> str:
        if not self.roots:
            return "An operator can list folders under data.roots in the settings."
        named = ", ".join(map(str, self.roots))
        return f"Choose one below {named}, or ask an operator to list its folder under data.roots."


_ANOTHER = "Choose another."
_ASK = "Name other files, or ask whoever manages sources to share it with you."


def _absolute(text: str) -> Path:
    written = text
    if text.lower().startswith("file:"):
        parts = urlsplit(text)
        if parts.netloc not in {"", "localhost"} or parts.query or parts.fragment:
            raise _path_refused(
                text, "is no file of this machine", "Write it as file:///folder/file."
            )
        written = unquote(parts.path)
    if not written.startswith("/") or "\0" in written:
        raise _path_refused(text, "is no absolute path", "Write it from / on.")
    return Path(written)


def _resolved(path: Path, text: str) -> Path:
    try:
        return path.resolve()
    except (OSError, RuntimeError, ValueError):
        raise _path_refused(text, "leads nowhere", "Check its symbolic links.") from None


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path))


def _same_file(place: Path, kept: Path) -> bool:
    """Whether two names are one file, as hard links are."""
    try:
        found, own = place.stat(), kept.stat()
    except OSError:
        return False
    return stat.S_ISREG(found.st_mode) and os.path.samestat(found, own)


def _path_refused(text: str, why: str, remedy: str) -> SourceProblem:
    shown = text[:_SHOWN].encode("unicode_escape").decode() if not text.isprintable() else text
    return SourceProblem(f"{shown[:_SHOWN]!r} {why}.", remedy=remedy, rule=Rule.DATA_PATH)


def _address_refused(text: str, why: str, remedy: str) -> SourceProblem:
    return SourceProblem(f"{text[:_SHOWN]!r} {why}.", remedy=remedy, rule=Rule.DATA_ADDRESS)
