"""Servers as pods of a cluster: admitted before the pod is made, released when it is proven gone."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
from kubernetes_asyncio.client.exceptions import ApiException
from traitlets import default

from allotment.inventory.kubernetes import pods
from allotment.inventory.kubernetes.identity import ThisCluster
from allotment.model.allotments import Allotment, ServerPod
from allotment.model.homes import FoundHome
from allotment.model.names import CONSOLE_SERVER
from allotment.model.nodes import NodeRule
from allotment.model.pods import LABEL_HUB
from allotment.model.refusals import Refusal
from allotment.record import Record, claims, homes, memberships, platform, pools, starts
from allotment_spawner import console
from allotment_spawner.admitting import AllotmentMixin
from allotment_spawner.environment import pod_environment, promised_profile
from allotment_spawner.kubernetes import claiming, placing, refusals
from allotment_spawner.kubernetes.starting import PodServer
from allotment_spawner.late import HUB

_CONSOLE = ("python3", "-I", "-m", "allotment_server.console_pod")
"""The console's command: an interpreter that reads nothing of a home, and the image's own notebook."""


_THIS_CLUSTER = ThisCluster()
"""Of the hub's process: all of its spawners speak with one."""


class AllotmentKubeSpawner(AllotmentMixin, PodServer):
    """KubeSpawner, whose pods are what the rules admitted.

    What a launch decides (resources, image, node, labels, volumes) goes into KubeSpawner's own
    traits, beside what the deployer gave them; the pod is KubeSpawner's work. ``profile_list`` is
    not used: profiles are the platform's.
    """

    _given: dict[str, Any] | None = None
    """What the deployer gave the traits that a launch changes."""
    _noted: ServerPod | None = None
    """The pod that the record was told of last."""

    @default("delete_stopped_pods")
    def _default_delete_stopped_pods(self) -> bool:
        return False  # whoever proves it gone deletes it: a look at a server ends nothing

    @default("pvc_name_template")
    def _default_pvc_name_template(self) -> str:
        return "claim-{username}" if self.cluster.home.shared else "claim-{user_server}"

    @property
    def _is_console(self) -> bool:
        return str(self.name) == CONSOLE_SERVER

    # Starting.

    async def _start_admitted(self, allotment: Allotment) -> Any:
        if self._given is None:
            self._given = {name: getattr(self, name) for name in placing.CHANGED}
        return await super()._start_admitted(allotment)

    async def prepare(self, allotment: Allotment) -> None:
        """Say what its pod is, and tell the record its name: whoever is killed now leaves one to look for."""
        assert self._given is not None  # noqa: S101 - taken before
        self.pod_cluster = await self._which_cluster()
        if allotment.devices:
            await self._refuse_elsewhere()
        traits = placing.traits_of(
            allotment,
            promised_profile(allotment),
            claims.hash_token(self.api_token),
            self.cluster,
            self._given,
            await self._elastic_nodes(allotment),
        )
        if self._is_console:
            traits |= placing.of_the_console(self.cluster, traits)
            self.cmd = list(_CONSOLE)
        else:
            traits |= placing.with_groups(
                self.cluster.home, await self._groups_of(allotment), traits
            )
        for name, value in traits.items():
            setattr(self, name, value)
        if self.storage_pvc_ensure:
            patience = float(self.k8s_api_request_retry_timeout)
            if not await claiming.is_there(self.api, self.namespace, self.pvc_name, patience):
                # KubeSpawner makes none that it has seen once; a home may have been removed since.
                self._pvc_exists = False
            self.storage_capacity = str(await self._storage(allotment))
            mark = {LABEL_HUB: allotment.hub}
            self.storage_extra_labels = {**self.storage_extra_labels, **mark}
        expanded = self._expand_user_properties(self.pod_name_template)
        self.pod_name = placing.pod_name(expanded, allotment.id)
        self.dns_name = self.dns_name_template.format(namespace=self.namespace, name=self.pod_name)
        began = datetime.now(UTC).timestamp()
        place = ServerPod(self.namespace, self.pod_name, "", began, self.pod_cluster)
        await self._step(claims.placed, allotment.id, place)

    async def _which_cluster(self) -> str:
        """Which cluster the pod is made in; the last known one where nobody answers: what follows will tell."""
        try:
            return await _THIS_CLUSTER.name(self.api)
        except (ApiException, aiohttp.ClientError, OSError, TimeoutError) as error:
            self.log.warning("Which cluster it is is not known: %s", error)
            return self.pod_cluster

    async def _refuse_elsewhere(self) -> None:
        """No pod is bound to a node of another cluster: the record counts the devices of one.

        Raises:
            LaunchRefused: it is not the one that the pod would be made in.
        """

        def counted(record: Record) -> str:
            with record.reading() as reading:
                return platform.cluster_counted(reading)

        known = await self._record.ask(counted)
        if known and self.pod_cluster and known != self.pod_cluster:
            raise refusals.another_cluster(known, self.pod_cluster)

    async def _elastic_nodes(self, allotment: Allotment) -> NodeRule | None:
        """The nodes of the pool of devices that are on no node yet; None where they are on one."""
        pool = allotment.pool
        if pool is None or not allotment.devices or allotment.devices[0].node:
            return None

        def rule(record: Record) -> NodeRule | None:
            with record.reading() as reading:
                return pools.get(reading, pool).nodes

        return await self._record.ask(rule)

    async def _groups_of(self, allotment: Allotment) -> dict[str, bool]:
        """The groups that its person is in now, each with whether they lead it, where groups share folders."""
        if self.cluster.home.groups is None:
            return {}

        def groups(record: Record) -> dict[str, bool]:
            now = datetime.now(UTC)
            with record.reading() as reading:
                rows = memberships.all_memberships(reading, person=allotment.person)
                named = memberships.current_groups(reading, allotment.person, now)
            return {one: any(row.lead for row in rows if row.group == one) for one in named}

        return await self._record.ask(groups)

    async def _storage(self, allotment: Allotment) -> int:
        """How large its claim of storage is, in bytes: all of a person's are within one limit.

        Raises:
            LaunchRefused: the limit leaves too little for another.
        """
        server = None if self.cluster.home.shared else allotment.server
        home = FoundHome(self.pvc_name, allotment.person, self.cluster.home.size, server)

        def claim(record: Record) -> int:
            now = datetime.now(UTC)
            with record.writing(HUB, now, configuration=False) as writing:
                return homes.claimed(writing, allotment.hub, home, allotment.group)

        try:
            return await self._record.ask(claim)
        except Refusal as refusal:
            raise refusals.no_room(refusal) from None

    async def load_user_options(self) -> None:
        """Nothing: admission has read the options. KubeSpawner would look for the profile in its own list."""

    async def note_place(self, allotment: Allotment) -> None:
        """Tell the record which pod of that name it is."""
        pod = self.pod_reflector.pods[self._pod_key]
        began = datetime.fromisoformat(pod["metadata"]["creationTimestamp"]).timestamp()
        uid = pod["metadata"]["uid"]
        place = ServerPod(self.namespace, self.pod_name, uid, began, self.pod_cluster)
        if place != self._noted:
            await self._step(claims.placed, allotment.id, place)
            self._noted = place

    async def note_seen(self) -> None:
        """Tell it the record as soon as it is known: a start that fails has an end that is proven at once."""
        if self._allotment is not None:
            await self._try(self.note_place(self._allotment))

    async def note_wait(self, words: str) -> None:
        """Keep it for whoever looks at the server from elsewhere than its progress."""
        if self._allotment is not None:
            await self._try(self._step(starts.note_wait, self._allotment.id, words))

    def get_env(self) -> dict[str, str]:
        """The environment: no word in it shows a pod devices that are not its own."""
        environment = super().get_env()
        if self._allotment is not None:
            environment = pod_environment(self._allotment, environment)
        if self.storage_pvc_ensure:
            environment["ALLOTMENT_CLAIMED_HOME"] = self.cluster.home.path
        if self._is_console:
            home = Path(self.cluster.home.path)
            return console.isolated(environment, home, home / "console.ipynb")
        return environment

    def get_args(self) -> list[str]:
        """The command's arguments; the console's page is drawn with our template."""
        arguments = list(super().get_args())
        return [*arguments, *console.ARGUMENTS] if self._is_console else arguments

    # Ending.

    async def stop(self, now: bool = False) -> None:  # noqa: FBT001, FBT002 - JupyterHub's signature
        """Stop the server; KubeSpawner's own call in the midst of a start only takes a pod out of its way."""
        if self.within_start:
            await PodServer.stop(self, now)
        else:
            await super().stop(now)

    async def poll(self) -> int | None:
        """Whether the server runs: with nothing admitted, nothing that is its own does."""
        return await super().poll() if self.admitted else 1

    def _own_end(self) -> str:
        return self.end_words or super()._own_end()

    def _unanswered_of(self, allotment: Allotment) -> float | None:
        """When its pod was asked for without an answer; of what another run of the hub asked only the record knows."""
        mine = self._launched_here and allotment.id == self._allotment_id
        return self.unanswered if mine else pods.unanswered_since(allotment)

    async def prove_gone(self, allotment: Allotment) -> str | None:
        """Delete the pod where it is left, and look until the cluster answers that there is none."""
        try:
            return await pods.prove_gone(
                self.api,
                allotment.id,
                allotment.pod,
                self.namespace,
                patience=self.ending_patience,
                unanswered=self._unanswered_of(allotment),
                gone=self.cluster.gone_clusters,
            )
        except (ApiException, aiohttp.ClientError, OSError, TimeoutError) as error:
            self.log.warning("Whether the pod of %s is gone is not known: %s", allotment.id, error)
            return None
