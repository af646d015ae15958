"""Which numeric addresses the control plane may connect to for somebody who named one."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_THIS_MACHINE = (ip_network("127.0.0.0/8"), ip_network("::1/128"))
_LINK_LOCAL = (ip_network("169.254.0.0/16"), ip_network("fe80::/10"))
_NEVER = (ip_network("0.0.0.0/8"), ip_network("::/128"), ip_network("240.0.0.0/4"))
"""Addresses of nobody; a connection to 0.0.0.0 reaches this machine."""
# The services that hand a cloud machine its credentials. Amazon: "Instance metadata service" and
# "Task metadata endpoint"; Azure: "What is IP address 168.63.129.16?", which is a public one;
# Alibaba and Oracle: "Instance metadata".
_METADATA = tuple(
    ip_address(one)
    for one in (
        "169.254.169.254",
        "169.254.170.2",
        "169.254.170.23",
        "fd00:ec2::254",
        "fd00:ec2::23",
        "168.63.129.16",
        "100.100.100.200",
        "192.0.0.192",
        "fd20:ce::254",
    )
)
# RFC 6052, RFC 8215 and (long deprecated) RFC 4291: an IPv4 address in the last 32 bits.
_TRANSLATED = tuple(ip_network(one) for one in ("64:ff9b::/96", "64:ff9b:1::/48", "::/96"))
# RFC 3879; Python 3.11 takes them for public.
_SITE_LOCAL = (ip_network("fec0::/10"),)
_LAST = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Forbidden:
    """Why an address may not be opened: ``what`` it is, in words, and how an operator could allow it.

    ``network`` is what to list, empty where nothing allows it.
    """

    what: str
    network: str = ""


def forbidden(address: Address, networks: Iterable[Network]) -> Forbidden | None:
    """Why an address may not be opened, or None. Public ones may, others where ``networks`` hold them.

    This machine, link-local addresses and the metadata services of clouds are not allowed by a wide
    network that happens to hold them: only by one that lies inside their own range.
    """
    listed = tuple(networks)
    for meant in _meant(address):
        found = _forbidden(meant, listed)
        if found is not None:
            return found
    return None


def plain(address: Address) -> Address:
    """An IPv4 address that is written as an IPv6 one (``::ffff:10.0.0.1``) as what it is."""
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def is_own(address: Address) -> bool:
    """Whether an address is one of this machine's: only such can be bound."""
    for meant in _meant(address):
        family = socket.AF_INET if meant.version == 4 else socket.AF_INET6  # noqa: PLR2004 - IPv4
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            try:
                probe.bind((str(meant), 0))
            except OSError:
                continue
        return True
    return False


def _forbidden(address: Address, networks: tuple[Network, ...]) -> Forbidden | None:
    exact = str(ip_network(address))
    if address.is_multicast or _within(address, _NEVER):
        return Forbidden("an address of no single machine")
    if address in _METADATA:
        listed = any(str(one) == exact for one in networks)
        return None if listed else Forbidden("a cloud's metadata service", exact)
    for ranges, what in ((_THIS_MACHINE, "this machine"), (_LINK_LOCAL, "a link-local address")):
        if _within(address, ranges):
            inside = (one for one in networks if _subnet(one, ranges))
            return None if _within(address, inside) else Forbidden(what, exact)
    public = address.is_global and not _within(address, _SITE_LOCAL)
    if public or _within(address, networks):
        return None
    return Forbidden("an address of a private network", exact)


def _meant(address: Address) -> Iterator[Address]:
    """The address, and every IPv4 address that it carries: a gateway or the system would go there."""
    address = plain(address)
    yield address
    if isinstance(address, IPv4Address) or _within(address, (*_THIS_MACHINE, *_NEVER)):
        return
    if address.sixtofour is not None:
        yield address.sixtofour
    if address.teredo is not None:
        yield from address.teredo
    if _within(address, _TRANSLATED):
        yield IPv4Address(int(address) & _LAST)


def _within(address: Address, networks: Iterable[Network]) -> bool:
    return any(address.version == one.version and address in one for one in networks)


def _subnet(network: Network, ranges: Iterable[Network]) -> bool:
    return any(
        (
            isinstance(network, IPv4Network)
            and isinstance(one, IPv4Network)
            and network.subnet_of(one)
        )
        or (
            isinstance(network, IPv6Network)
            and isinstance(one, IPv6Network)
            and network.subnet_of(one)
        )
        for one in ranges
    )
