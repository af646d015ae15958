"""Servers' ids: hub, person and name in one word that fits a path."""

from __future__ import annotations

from typing import NamedTuple

from allotment.model.refusals import NotFound

SEPARATOR = "~"
PATTERN = r"^[^~/\x00-\x1f\x7f]{1,128}~[^/\x00-\x1f\x7f]{1,128}~[^~/\x00-\x1f\x7f]{0,128}$"


class ServerKey(NamedTuple):
    """Which server is meant. ``name`` is empty for the default server."""

    hub: str
    person: str
    name: str


def server_id(hub: str, person: str, name: str) -> str:
    """The id of a server; of a deleted server that is made anew under its name, the same."""
    return SEPARATOR.join((hub, person, name))


def server_key(text: str) -> ServerKey:
    """Read a server's id.

    Raises:
        NotFound: it is none.
    """
    hub, first, rest = text.partition(SEPARATOR)
    person, second, name = rest.rpartition(SEPARATOR)
    if not (first and second and hub and person):
        raise NotFound("server", text)
    return ServerKey(hub, person, name)
