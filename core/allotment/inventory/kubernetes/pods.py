"""Servers' pods, asked of the cluster itself: ending one, and proving that it is gone.

Proof is an answer, never a silence: the API's own 404 for the pod's name, or a pod of somebody else under it.
A 404 of somebody else (a proxy whose route is gone, another cluster at the same address) says nothing
of the pod, nor does that of a cluster which may still carry out that the pod be made. Nothing is ended
at once (a grace of zero): the cluster then forgets a pod whose processes may still run.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Collection
from time import time

from kubernetes_asyncio.client import CoreV1Api, V1DeleteOptions, V1Pod, V1Preconditions
from kubernetes_asyncio.client.exceptions import ApiException

from allotment.inventory.kubernetes.identity import may_be_elsewhere
from allotment.model.allotments import Allotment, ServerPod
from allotment.model.pods import LABEL_ALLOTMENT

_NOT_FOUND, _CONFLICT = 404, 409
_LOOK_AGAIN = 0.3
"""Seconds between two looks at a pod that is ending."""
GRACE = 10
"""Seconds that a pod is given to end by itself: less than is waited for its end (20), or that would prove nothing."""
LANDS_WITHIN = 60.0
"""Seconds after which a call that nobody saw answered is not carried out any more: what an API server gives a call."""


async def prove_gone(
    api: CoreV1Api,
    allotment: str,
    pod: ServerPod | None,
    namespace: str,
    *,
    patience: float,
    unanswered: float | None = None,
    gone: Collection[str] = (),
) -> str | None:
    """End the pod of an allotment where it is left, and say how it is known to be gone; None while it is not.

    ``pod`` is what the record knows of it, None where it never was asked for; ``patience`` is how
    many seconds may be waited for its end. ``unanswered`` is when the cluster was last asked to make
    it and was not heard to answer, in seconds since the epoch: the pod may come yet. ``gone`` are
    clusters that an operator has said to be gone, with their pods.

    Raises:
        ApiException, aiohttp.ClientError, OSError: the cluster did not answer, so nothing is proven.
    """
    if pod is None:
        return await _none_of(api, allotment, namespace, patience)
    loop = asyncio.get_running_loop()
    until = loop.time() + patience
    asked = ""
    while True:
        found = await _read(api, pod)
        if found is None or not _is_of(found, allotment, pod):
            # One that was seen, or ended, may have been made by another of several calls.
            if unanswered is not None and time() < unanswered + LANDS_WITHIN:
                return None
            if await may_be_elsewhere(api, pod.cluster, gone):
                return None
            where = f"{pod.namespace}/{pod.name}"
            return (
                f"The cluster has no pod {where}."
                if found is None
                else f"The pod {where} is another now."
            )
        uid = str(found.metadata.uid)
        if asked != uid:
            await _end(api, pod, uid)
            asked = uid
        elif loop.time() >= until:
            return None
        await asyncio.sleep(_LOOK_AGAIN)


def unanswered_since(allotment: Allotment) -> float | None:
    """When a pod was asked for at the latest of which nobody has seen whether it was made; None: its server ran.

    That one pod was seen says nothing of another call: KubeSpawner makes another in the place of one that
    is in its way. A start that goes on ends before its stop begins. Where that began only now, nobody knows
    yet what was sent a moment ago.
    """
    if allotment.pod is None or (allotment.pod.uid and allotment.running_at is not None):
        return None
    began = allotment.stopping_at
    return time() if began is None else began.timestamp()


async def _none_of(api: CoreV1Api, allotment: str, namespace: str, patience: float) -> str | None:
    """The same for an allotment whose pod the record does not know: it is found by its label."""
    wanted = f"{LABEL_ALLOTMENT}={allotment}"
    for one in await listed(api, namespace, wanted):
        mine = ServerPod(namespace, one.metadata.name, one.metadata.uid)
        if await prove_gone(api, allotment, mine, namespace, patience=patience) is None:
            return None
    return f"The cluster has no pod in {namespace} with the label {wanted}."


def _is_of(found: V1Pod, allotment: str, pod: ServerPod) -> bool:
    """Whether it is the pod that the record knows, or another of the same allotment: both use its devices."""
    if pod.uid and found.metadata.uid == pod.uid:
        return True
    return bool((found.metadata.labels or {}).get(LABEL_ALLOTMENT) == allotment)


async def _end(api: CoreV1Api, pod: ServerPod, uid: str) -> None:
    """Ask for the end of this very pod; where it was asked before, the shorter grace holds."""
    options = V1DeleteOptions(preconditions=V1Preconditions(uid=uid), grace_period_seconds=GRACE)
    try:
        await api.delete_namespaced_pod(pod.name, pod.namespace, body=options)
    except ApiException as error:
        if error.status not in {_NOT_FOUND, _CONFLICT}:
            raise


async def _read(api: CoreV1Api, pod: ServerPod) -> V1Pod | None:
    """The pod as it is now, not as some cache knows it; None where there is none of that name."""
    try:
        return await api.read_namespaced_pod(pod.name, pod.namespace)
    except ApiException as error:
        if is_not_there(error, pod.name):
            return None
        raise


def is_not_there(error: ApiException, name: str) -> bool:
    """Whether this is the API's own answer that there is no pod of that name.

    Any proxy on the way may answer 404; only the API names what it looked for.
    """
    try:
        said = json.loads(error.body or "")
        about = said["details"]
        answer = (said["kind"], said["reason"], about["kind"], about["name"])
    except (KeyError, TypeError, ValueError):
        return False
    return error.status == _NOT_FOUND and answer == ("Status", "NotFound", "pods", name)


async def listed(api: CoreV1Api, namespace: str, labels: str) -> list[V1Pod]:
    """The pods with these labels. The list is as new as the question."""
    found = await api.list_namespaced_pod(namespace, label_selector=labels)
    return list(found.items)
