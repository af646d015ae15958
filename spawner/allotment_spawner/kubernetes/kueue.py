"""What Kueue says of a pod that waits for its admission: read from the workload that it made for the pod."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import aiohttp
from kubernetes_asyncio.client import ApiClient, CustomObjectsApi
from kubernetes_asyncio.client.exceptions import ApiException

from allotment.model.pods import KUEUE_QUEUE

Document = Mapping[str, Any]

_GROUP, _PLURAL = "kueue.x-k8s.io", "workloads"
_VERSIONS = ("v1beta2", "v1beta1")
"""Of the API, the newest first: an installation serves one of them, or both."""
_OF_POD = "kueue.x-k8s.io/job-uid"
"""The label of a workload that says which pod it is for."""
_SHORTEST, _LONGEST = 1.0, 10.0
"""Seconds between two questions: it is asked soon at first, and then no more often than this."""


class KueueWord:
    """What Kueue said last of one pod; asked anew from time to time."""

    def __init__(self) -> None:
        self._said = ""
        self._next = 0.0
        self._pause = _SHORTEST

    async def about(self, client: ApiClient, pod: Document, now: float) -> str:
        """What the pod waits for, in sentences. ``now`` is in seconds, of the loop's clock."""
        if now >= self._next:
            self._next, self._pause = now + self._pause, min(_LONGEST, self._pause * 2)
            self._said = await _asked(client, pod) or self._said
        queue = str(pod["metadata"].get("labels", {}).get(KUEUE_QUEUE) or "")
        awaited = f"It waits for Kueue's admission in the queue {queue}."
        return f"{awaited} Kueue: {self._said}" if self._said else awaited


async def _asked(client: ApiClient, pod: Document) -> str:
    """Kueue's own word; empty where it has said nothing, may not be asked, or does not answer."""
    metadata = pod["metadata"]
    for version in _VERSIONS:
        try:
            found: Any = await CustomObjectsApi(client).list_namespaced_custom_object(
                _GROUP,
                version,
                metadata["namespace"],
                _PLURAL,
                label_selector=f"{_OF_POD}={metadata['uid']}",
                _request_timeout=_LONGEST,
            )
        except ApiException:
            continue
        except (aiohttp.ClientError, OSError, TimeoutError):
            return ""
        return " ".join(" ".join(said(one) for one in found.get("items") or ()).split())
    return ""


def said(workload: Document) -> str:
    """Why a workload is not admitted; empty where Kueue has not said, or has admitted it."""
    status = workload.get("status") or {}
    conditions = {one.get("type"): one for one in status.get("conditions") or ()}
    reserved = conditions.get("QuotaReserved") or {}
    if (conditions.get("Admitted") or {}).get("status") == "True":
        return ""
    if reserved.get("status") != "True":
        return _sentence(str(reserved.get("message") or ""))
    waits = "; ".join(_checks(status)) or "its checks are not over"
    return _sentence(f"its quota is reserved, {waits}")


def _checks(status: Document) -> Iterator[str]:
    """The admission checks that are not ready, each with its own word."""
    for check in status.get("admissionChecks") or ():
        if check.get("state") != "Ready":
            message = f": {check['message']}" if check.get("message") else ""
            yield f"{check.get('name')} is {str(check.get('state')).lower()}{message}"


def _sentence(words: str) -> str:
    return f"{words.rstrip('.')}." if words else ""
