"""HTTP to object stores: every connection passes the door, and goes to the numeric address that it gave.

Providers' libraries resolve names by themselves, follow redirects and retry. Here the check sits in the
connection itself, so none of that leads anywhere that was not allowed. Proxies are not used: behind
one, nobody could say which address is reached.
"""

from __future__ import annotations

import logging
import re
import socket
import ssl
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import botocore.awsrequest
import botocore.exceptions
import botocore.httpsession
import requests
import requests.adapters
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool

from allotment.data.door import Door
from allotment.data.kinds.connections import Watch
from allotment.data.problems import SourceProblem
from allotment.model.reasons import Rule

# At DEBUG they log what they send and are answered, credentials included; at INFO every request.
for _library in ("azure", "boto3", "botocore", "google", "msal", "requests", "urllib3"):
    logging.getLogger(_library).setLevel(logging.WARNING)

CONNECT_SECONDS = 5.0
READ_SECONDS = 15.0
CONNECTIONS = 32
LARGEST = 32 << 20
"""Bytes of one answer, unpacked: a page of 1,000 entries has about one MiB."""
REDIRECTS = frozenset({301, 302, 303, 307, 308})
_SHOWN = 200

Pools = dict[str, type[HTTPConnectionPool]]


def guarded_pools(plain: Pools, door: Door, watch: Watch | None = None) -> Pools:
    """Classes of connection pools whose connections pass the door.

    Args:
        plain: classes by scheme that a library uses by itself.
        door: says which address a host is reached at, or refuses it.
        watch: ends the connections when their time is up; None for as long as they are used.
    """
    return {scheme: _guarded(pool, door, watch) for scheme, pool in plain.items()}


def _guarded(
    pool: type[HTTPConnectionPool], door: Door, watch: Watch | None
) -> type[HTTPConnectionPool]:
    connection: Any = pool.ConnectionCls

    class Connection(connection):  # type: ignore[misc]  # its base is known only while running
        """Connects to what the door has checked; TLS and the Host header keep the name."""

        def _new_conn(self) -> socket.socket:
            name = self.host
            self._dns_host = door.host(name, self.port or self.default_port)
            try:
                connected: socket.socket = super()._new_conn()
            finally:
                self._dns_host = name
            if watch is not None:
                watch.over(connected.fileno())
            return connected

        def getresponse(self) -> Any:
            answer = super().getresponse()
            if watch is not None:
                answer.stream = bounded(answer.stream)
            return answer

    return type(f"Guarded{pool.__name__}", (pool,), {"ConnectionCls": Connection})


_AwsSession: Any = botocore.httpsession.URLLib3Session
"""Its stubs lack half of it."""


def bounded(stream: Callable[..., Iterator[bytes]]) -> Callable[..., Iterator[bytes]]:
    """A response's ``stream`` that ends when more comes than any answer to the control plane holds."""

    def pieces(*arguments: Any, **options: Any) -> Iterator[bytes]:
        taken = 0
        for piece in stream(*arguments, **options):
            taken += len(piece)
            if taken > LARGEST:
                raise SourceProblem(
                    f"It answers with more than {LARGEST >> 20} MiB.", remedy="Check the endpoint."
                )
            yield piece

    return pieces


class GuardedAwsSession(_AwsSession):  # type: ignore[misc]  # see above
    """What boto3 sends with, by its event ``before-send``."""

    def __init__(self, door: Door, watch: Watch | None = None, authority: str = "") -> None:
        self._authority = authority
        super().__init__(timeout=(CONNECT_SECONDS, READ_SECONDS), max_pool_connections=CONNECTIONS)
        plain = {
            "http": botocore.awsrequest.AWSHTTPConnectionPool,
            "https": botocore.awsrequest.AWSHTTPSConnectionPool,
        }
        self._manager.pool_classes_by_scheme = guarded_pools(plain, door, watch)

    def _get_ssl_context(self) -> ssl.SSLContext:
        context: ssl.SSLContext = super()._get_ssl_context()
        if self._authority:
            context.load_verify_locations(cadata=self._authority)
        return context

    def answer(self, request: Any, **_: Any) -> Any:
        """Send a request; what the door refuses is told as it is.

        Raises:
            SourceProblem: the door refused, or the store redirects. botocore would ask a store that
                redirects where its bucket is, and be redirected again, until Python gives up.
        """
        try:
            found = self.send(request)
        except botocore.exceptions.HTTPClientError as error:
            cause = error.kwargs.get("error")
            if isinstance(cause, SourceProblem):
                raise cause from None
            raise
        if found.status_code in REDIRECTS:
            raise _redirected(request.url, str(found.headers.get("x-amz-bucket-region", "")))
        return found


def _redirected(url: str, region: str) -> SourceProblem:
    host = (urlsplit(url).hostname or "")[:_SHOWN]
    known = re.fullmatch(r"[a-z0-9-]{1,40}", region)
    where = f" The bucket is in the region {region}." if known else ""
    return SourceProblem(
        f"{host} redirects, and redirects are not followed.{where}",
        remedy="Enter the bucket's own region and endpoint.",
        rule=Rule.DATA_ADDRESS,
    )


class _GuardedAdapter(requests.adapters.HTTPAdapter):
    def __init__(self, door: Door, watch: Watch | None, authority: str) -> None:
        self._classes = guarded_pools(
            {"http": HTTPConnectionPool, "https": HTTPSConnectionPool}, door, watch
        )
        self._authority = authority
        super().__init__(pool_connections=CONNECTIONS, pool_maxsize=CONNECTIONS, max_retries=0)

    def init_poolmanager(
        self,
        connections: int,
        maxsize: int,
        block: bool = False,  # noqa: FBT001, FBT002 - the signature is requests' own
        **options: Any,
    ) -> None:
        """Make pools of guarded connections."""
        trusted: dict[str, Any] = {"ca_cert_data": self._authority} if self._authority else {}
        super().init_poolmanager(connections, maxsize, block, **options, **trusted)
        self.poolmanager.pool_classes_by_scheme = self._classes


def guard(
    session: requests.Session, door: Door, watch: Watch | None = None, authority: str = ""
) -> requests.Session:
    """Let a session of requests, as Azure's and Google's libraries use, send through the door only.

    It follows no redirect, and takes nothing from the environment.
    """
    session.trust_env = False
    session.max_redirects = 0
    for scheme in ("https://", "http://"):
        session.mount(scheme, _GuardedAdapter(door, watch, authority))
    return session
