"""Git over HTTP, through the door: every connection goes to an address that it has checked."""

from __future__ import annotations

from urllib.parse import urlsplit

import urllib3
from dulwich.client import Urllib3HttpGitClient

from allotment.data.door import Door
from allotment.data.kinds.connections import trusting
from allotment.data.outgoing import guarded_pools

_SECONDS = 30.0
"""Within which a server must take a connection, or say something on it."""


def git_client(
    url: str, username: str, token: str, door: Door, authority: str = ""
) -> Urllib3HttpGitClient:
    """A client for the server of one repository. It follows no redirects and retries nothing.

    Args:
        url: of the repository.
        username: for the token.
        token: empty where none is needed.
        door: what may be opened.
        authority: whom to believe about the server's certificate, as PEM; empty: the usual ones.

    Raises:
        SourceProblem: the address may not be opened, or the authority is none.
    """
    door.url(url)
    timeout = urllib3.Timeout(connect=_SECONDS, read=_SECONDS)
    # Without retries a redirect is an answer like others, and no repository.
    pools = urllib3.PoolManager(
        timeout=timeout,
        retries=False,
        headers={"User-Agent": "git/allotment"},
        ssl_context=trusting(authority),
    )
    pools.pool_classes_by_scheme = guarded_pools(dict(pools.pool_classes_by_scheme), door)
    parts = urlsplit(url)
    return Urllib3HttpGitClient(
        f"{parts.scheme}://{parts.netloc}",
        pool_manager=pools,
        username=username if token else None,
        password=token or None,
        quiet=True,
    )
