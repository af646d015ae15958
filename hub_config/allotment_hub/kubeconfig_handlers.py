"""Where the home page gets a kubeconfig for who is signed in."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from jupyterhub.handlers.base import BaseHandler
from tornado import web

from allotment.model.allotments import Allotment, ServerPod, State
from allotment.model.names import CONSOLE_SERVER
from allotment.model.refusals import RecordUnavailable
from allotment.record import Record, allotments
from allotment.settings.kubeconfigs import Kubeconfigs
from allotment_spawner.asking import record_at

_AWAY = "The cluster does not answer, or lets the hub give no kubeconfigs. Try again in a minute; an operator finds the cause in the hub's log."


def handlers() -> list[Any]:
    """Paths below the hub, and who answers there."""
    return [(r"/allotment/kubeconfig", KubeconfigHandler)]


class KubeconfigHandler(BaseHandler):
    """Gives a kubeconfig for one's own pods. A cookie from another page cannot ask: the form's token is needed."""

    @web.authenticated
    async def post(self) -> None:
        """Answer a file for kubectl."""
        settings: Kubeconfigs | None = self.settings["template_vars"].get("kubeconfigs")
        if settings is None:
            raise web.HTTPError(404, "This platform gives no kubeconfigs: its settings name none.")
        # Only where servers are pods: on one machine the client may not be installed.
        from kubernetes_asyncio.client.exceptions import ApiException  # noqa: PLC0415
        from kubespawner.clients import shared_client  # noqa: PLC0415

        from allotment_hub.kubeconfigs import Asked, issue  # noqa: PLC0415

        spawner, person = self.current_user.spawners[""], self.current_user.name
        pods = await self._pods(spawner)
        if not pods:
            raise web.HTTPError(409, "You have no server that runs in a pod. Start one first.")
        names = tuple(sorted(pod.name for pod in pods))
        asked = Asked(spawner.hub_id, person, pods[0].namespace, names)
        try:
            client = shared_client("CoreV1Api").api_client
            document = await issue(client, asked, settings)
        except (ApiException, OSError, TimeoutError) as error:
            # Without the trace: what a cluster answers may hold a token.
            self.log.error("No kubeconfig for %s: %s", person, _words(error))  # noqa: TRY400 - see above
            raise web.HTTPError(503, _AWAY) from error
        self.log.info("Gave %s a kubeconfig for %s", person, ", ".join(names))
        self.set_header("Cache-Control", "no-store")
        self.finish({"kubeconfig": document, "pods": list(names), "ends": _end(settings)})

    async def _pods(self, spawner: Any) -> list[ServerPod]:
        """The pods of the person's running servers, as the record knows them."""
        name = self.current_user.name

        def read(record: Record) -> list[ServerPod]:
            with record.reading() as reading:
                held = allotments.active(reading, hub=spawner.hub_id, person=name)
            return pods_of(held)

        try:
            found: list[ServerPod] = await record_at(spawner.record_url).ask(read)
        except RecordUnavailable as error:
            raise web.HTTPError(503, "The record does not answer.") from error
        return found


def pods_of(held: Iterable[Allotment]) -> list[ServerPod]:
    """The pods that somebody may reach by a kubeconfig: those of running servers.

    Never the console's: who reached into it would hold the platform, not a server.
    """
    return [
        one.place
        for one in held
        if one.state is State.RUNNING
        and one.server != CONSOLE_SERVER
        and isinstance(one.place, ServerPod)
    ]


def _end(settings: Kubeconfigs) -> str:
    return (datetime.now(UTC) + settings.lasts).isoformat(timespec="seconds")


def _words(error: BaseException) -> str:
    """What went wrong, for the log: an answer of the cluster without its headers and body."""
    status = getattr(error, "status", None)
    return f"{status} {getattr(error, 'reason', '')}" if status else re.sub(r"\s+", " ", str(error))
