"""Snowflake's connector with every connection of it through the door, wherever an answer leads it."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from allotment.data.door import Door
from allotment.data.kinds.connections import Watch
from allotment.data.outgoing import REDIRECTS, guarded_pools
from allotment.data.problems import SourceProblem
from allotment.model.reasons import Rule

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection

_SHOWN = 200


def connect(door: Door, watch: Watch, **options: Any) -> SnowflakeConnection:
    """A connection as ``snowflake.connector.connect`` makes it, that follows no redirect and uses no proxy.

    Raises:
        SourceProblem: the door refused where it led.
        snowflake.connector.Error: as ever.
    """
    # It would ask the metadata services of clouds where it runs, and Amazon who this machine is.
    os.environ["SNOWFLAKE_DISABLE_PLATFORM_DETECTION"] = "true"

    def adapter(**how: Any) -> Any:
        return _adapter()(door, watch, **how)

    connection: SnowflakeConnection = _connection()(adapter, **options)
    return connection


@cache
def _connection() -> Any:
    from snowflake.connector import SnowflakeConnection

    class Guarded(SnowflakeConnection):
        """Sends by adapters of ours: all of its sessions are made from one configuration."""

        def __init__(self, adapter: Callable[..., Any], **options: Any) -> None:
            self._adapter = adapter
            super().__init__(**options)

        @property
        def _http_config(self) -> Any:
            return self._guarded_config

        @_http_config.setter
        def _http_config(self, config: Any) -> None:
            ours = config and config.copy_with(adapter_factory=self._adapter)
            self._guarded_config = ours

    return Guarded


@cache
def _adapter() -> Any:
    # It brings libraries of its own, whose names only look like those of requests and urllib3.
    from snowflake.connector.vendored.requests.adapters import HTTPAdapter
    from snowflake.connector.vendored.urllib3 import HTTPConnectionPool, HTTPSConnectionPool

    plain: dict[str, Any] = {"http": HTTPConnectionPool, "https": HTTPSConnectionPool}
    base: Any = HTTPAdapter

    class Adapter(base):  # type: ignore[misc]  # it has no types
        """Makes pools of guarded connections."""

        def __init__(self, door: Door, watch: Watch, **options: Any) -> None:
            self._classes = guarded_pools(plain, door, watch)
            super().__init__(**options)

        def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
            super().init_poolmanager(*arguments, **options)
            self.poolmanager.pool_classes_by_scheme = self._classes

        def send(self, request: Any, **options: Any) -> Any:
            answer = super().send(request, **{**options, "proxies": {}})
            if answer.status_code in REDIRECTS:
                raise _redirected(request.url)
            return answer

    return Adapter


def _redirected(url: str) -> SourceProblem:
    host = (urlsplit(url).hostname or "")[:_SHOWN]
    return SourceProblem(
        f"{host} redirects, and redirects are not followed.",
        remedy="Check the account's name.",
        rule=Rule.DATA_ADDRESS,
    )
