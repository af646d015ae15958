"""Lists of a cluster as the documents that it answers with, in pages.

The client would make a value of each field of each pod, at more than a millisecond a pod, and keep
everybody waiting meanwhile: a thousand pods are a second and a half.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import aiohttp

from allotment.inventory.kubernetes.connecting import ClusterAway, ClusterRefused, problem

Listing = Callable[..., Awaitable[Any]]
"""A ``list_…`` function of the client, which answers a response when asked for raw data."""

PAGE = 250
"""How many documents are read at once, with nothing else done meanwhile: about twenty milliseconds."""
_GONE = 410


async def listed_documents(endpoint: Listing, **asked: Any) -> list[Mapping[str, Any]]:
    """All that an endpoint lists, as new as the question.

    Raises:
        ClusterAway, ClusterRefused: it did not answer, or not all of it.
    """
    try:
        return await _in_pages(endpoint, {**asked, "limit": PAGE})
    except ClusterRefused as refused:
        if refused.status != _GONE:
            raise
        # So much has changed meanwhile that the next page is not to be had any more.
        return await _in_pages(endpoint, asked)


async def _in_pages(endpoint: Listing, asked: dict[str, Any]) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = []
    while True:
        response = await endpoint(_preload_content=False, **asked)
        async with response:
            answer = document_of(response, await response.read())
        found += answer.get("items") or ()
        following = str((answer.get("metadata") or {}).get("continue") or "")
        if not following:
            return found
        asked = {**asked, "_continue": following}


def document_of(response: aiohttp.ClientResponse, body: bytes) -> Mapping[str, Any]:
    """The answer as a document.

    Raises:
        ClusterAway, ClusterRefused: it is no success.
    """
    try:
        found = json.loads(body)
    except ValueError:
        found = None
    said: Mapping[str, Any] = found if isinstance(found, dict) else {}
    if not response.ok:
        raise problem(response.status, said, response.reason or "")
    if found is None:
        raise ClusterAway("The cluster's answer was cut off.")
    return said
