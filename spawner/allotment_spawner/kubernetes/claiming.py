"""The claim of storage that is a server's home, looked at before a pod is to use it."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
from kubernetes_asyncio.client import CoreV1Api
from kubernetes_asyncio.client.exceptions import ApiException

from allotment_spawner.kubernetes import refusals

_LOOK_EVERY = 0.5
"""Seconds between two looks at a claim that is going."""
_NOT_FOUND = 404


async def is_there(api: CoreV1Api, namespace: str, name: str, patience: float) -> bool:
    """Whether there is a claim of that name that stays. One that is being deleted is none: it is waited for.

    What a pod wrote into such a one would go with it. ``patience`` is in seconds.

    Raises:
        LaunchRefused: it is still going then, or the cluster does not say.
    """
    going = False
    try:
        async with asyncio.timeout(patience):
            while (claim := await _read(api, namespace, name)) is not None:
                if claim.metadata.deletion_timestamp is None:
                    return True
                going = True
                await asyncio.sleep(_LOOK_EVERY)
    except TimeoutError as error:
        if going:
            raise refusals.home_going(name) from None
        raise refusals.away(type(error).__name__) from error
    except ApiException as error:
        raise refusals.not_created(error) from error
    except (aiohttp.ClientError, OSError) as error:
        raise refusals.away(type(error).__name__) from error
    return False


async def _read(api: CoreV1Api, namespace: str, name: str) -> Any:
    """The claim; None: there is none."""
    try:
        return await api.read_namespaced_persistent_volume_claim(name, namespace)
    except ApiException as error:
        if error.status == _NOT_FOUND:
            return None
        raise
