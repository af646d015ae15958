"""A cluster from start to end, and what a test may do to it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from . import kinds
from .access import ADMINISTRATOR, Roles, Token, Tokens, account_user
from .beginning import begin
from .containers import Image
from .controllers import Controllers
from .endpoint import HOST, Endpoint
from .kubeconfigs import write
from .kubelet import Kubelet, Machines
from .namespaces import add_namespace
from .nodes import apply_labels, node_document
from .outage import Way
from .registry import Registry
from .scheduler import Scheduler
from .serving import Serving
from .statuses import Document
from .store import FIRST_VERSION, Change, Store
from .subresources import AUDIENCE

T = TypeVar("T")
SECONDS = 30.0


class Cluster:
    """A cluster that runs. Its methods may be called from any thread but its own."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="cluster", daemon=True)
        self._store = Store()
        self._registry = Registry(self._store)
        self._tokens = Tokens(self._store)
        self._roles = Roles(self._store)
        self._catalogue = [*kinds.STORED, *kinds.REVIEWS]
        self._serving = Serving(self._registry, self._tokens, self._roles, self._catalogue)
        self._endpoint = Endpoint(folder, self._serving)
        self._registry.authority = self._endpoint.authority
        self._machines = Machines(folder, (HOST, self._endpoint.port))
        self._kubelet = Kubelet(self._registry, self._machines, self._pod_token)
        self._serving.subresources.logs = self._kubelet.log
        self._scheduler = Scheduler(self._registry, self._serving.subresources)
        self._controllers = Controllers(self._registry, self._kubelet)
        self._parts: list[asyncio.Task[None]] = []
        self.url = self._endpoint.url
        self.kubeconfig = folder / "admin.kubeconfig"
        self.authority = folder / "ca.crt"
        self.token = self._tokens.give(Token(ADMINISTRATOR))

    @property
    def images(self) -> dict[str, Image]:
        """What is in the images that pods name; others hold ``jupyterhub-singleuser``."""
        return self._machines.images

    def start(self) -> None:
        """Serve the API on a free port of loopback, and run the cluster's parts."""
        self._thread.start()
        self._run(self._begin())
        write(self.kubeconfig, self.url, self._endpoint.authority, "admin", self.token)

    def stop(self) -> None:
        """End the pods and the API.

        Raises:
            Exception: a part of the cluster broke meanwhile: what was seen since means nothing.
        """
        broken = self._run(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(SECONDS)
        self._loop.close()
        for problem in broken:
            raise problem

    async def _begin(self) -> None:
        for part in (self._scheduler.round, self._kubelet.round, self._controllers.round):
            self._parts.append(asyncio.create_task(self._follow(part)))
        begin(self._registry)
        await self._endpoint.open()

    async def _follow(self, part: Callable[[Sequence[Change]], None]) -> None:
        """Let a part see each change, in order."""
        changed = self._store.listen()
        at = FIRST_VERSION
        while True:
            changed.clear()
            changes, at = list(self._store.since(at)), self._store.version
            part(changes)
            await changed.wait()

    async def _end(self) -> list[BaseException]:
        broken = [task.exception() for task in self._parts if task.done()]
        for task in self._parts:
            task.cancel()
        await asyncio.gather(*self._parts, return_exceptions=True)
        self._controllers.taints.close()
        await self._kubelet.close()
        self._serving.outage.end()
        self._serving.watching.drop()
        await self._endpoint.close()
        return [problem for problem in broken if problem is not None] + self._kubelet.broken

    def _run(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(SECONDS)

    def _do(self, what: Callable[[], T]) -> T:
        """Do something in the cluster's own thread."""

        async def done() -> T:
            return what()

        result: T = self._run(done())
        return result

    def _pod_token(self, pod: Document, audience: str) -> str:
        metadata, name = pod["metadata"], pod["spec"]["serviceAccountName"]
        bound = {"kind": "Pod", "name": metadata["name"], "uid": metadata["uid"]}
        body = {"spec": {"audiences": [audience or AUDIENCE], "boundObjectRef": bound}}
        answered = self._serving.subresources.token(metadata["namespace"], name, body)
        return str(answered["status"]["token"])

    # Nodes

    def add_node(
        self,
        name: str,
        resources: Mapping[str, int] | None = None,
        labels: Mapping[str, str] | None = None,
        cpu: str = "8",
        memory: str = "32Gi",
        taints: Sequence[Document] = (),
    ) -> Document:
        """A node joins. Resources are its devices: ``{"nvidia.com/gpu": 4}``."""
        node = node_document(name, resources or {}, labels or {}, cpu, memory, taints)
        return self._do(lambda: self._registry.create(kinds.NODES, node))

    def change_node(  # noqa: PLR0913 - a test names the one thing that it changes
        self,
        name: str,
        *,
        resources: Mapping[str, int] | None = None,
        allocatable: Mapping[str, int] | None = None,
        labels: Mapping[str, str | None] | None = None,
        taints: Sequence[Document] | None = None,
        unschedulable: bool | None = None,
        ready: bool | None = None,
        conditions: Mapping[str, str] | None = None,
    ) -> Document:
        """A node changes: what it has and can give, labels (none removes), cordon, conditions.

        Not ready, it reports nothing any more: its pods run on unseen, and are deleted after the time
        that they tolerate.
        """

        def wanted(node: Document) -> None:
            apply_labels(node, labels or {})
            if taints is not None:
                node["spec"]["taints"] = list(taints)
            if unschedulable is not None:
                node["spec"]["unschedulable"] = unschedulable
                if not unschedulable:
                    del node["spec"]["unschedulable"]

        def reported(node: Document) -> None:
            status = node["status"]
            texts = {key: str(value) for key, value in (resources or {}).items()}
            status["capacity"] |= texts
            status["allocatable"] |= texts
            status["allocatable"] |= {key: str(value) for key, value in (allocatable or {}).items()}
            for type_, value in (conditions or {}).items():
                self._controllers.set_condition(node, type_, value)

        def done() -> Document:
            self._registry.change(kinds.NODES, "", name, wanted)
            node = self._registry.change(kinds.NODES, "", name, reported, "status")
            if ready is not None:
                self._controllers.set_ready(name, ready=ready)
                node = self._store.get(kinds.NODES, "", name)
            return node

        return self._do(done)

    def remove_node(self, name: str) -> None:
        """A node goes, and the pods that it had with it."""
        self._do(lambda: self._registry.delete(kinds.NODES, "", name))

    # Objects

    def add_namespace(self, name: str) -> None:
        """A namespace, with its default service account."""
        self._do(lambda: add_namespace(self._registry, name))

    def remove_namespace(self, name: str) -> None:
        """A namespace goes, and all that is in it, as soon as its pods have ended."""
        self._do(lambda: self._registry.delete(kinds.NAMESPACES, "", name))

    def pods(self, namespace: str = "") -> list[Document]:
        """The pods there are."""
        return self._do(lambda: self._store.all(kinds.PODS, namespace))

    def pod(self, name: str, namespace: str = "default") -> Document | None:
        """A pod, or none."""
        return self._do(lambda: self._store.find(kinds.PODS, namespace, name))

    def claims(self, namespace: str = "") -> list[Document]:
        """The claims of storage there are."""
        return self._do(lambda: self._store.all(kinds.CLAIMS, namespace))

    def nodes(self) -> list[Document]:
        """The nodes there are."""
        return self._do(lambda: self._store.all(kinds.NODES))

    def apply(self, document: Document, namespace: str = "default") -> Document:
        """Make an object of any kind, as the administrator."""
        kind = next(
            one
            for one in kinds.STORED
            if (one.api_version, one.kind) == (document["apiVersion"], document["kind"])
        )
        return self._do(
            lambda: self._registry.create(kind, document, namespace if kind.namespaced else "")
        )

    def add_pod(
        self,
        name: str,
        namespace: str = "default",
        resources: Mapping[str, int] | None = None,
        command: Sequence[str] = ("sleep", "infinity"),
        **spec: Any,
    ) -> Document:
        """A pod of somebody else: ``resources`` are its devices, ``spec`` more of its spec."""
        limits = {key: str(value) for key, value in (resources or {}).items()}
        container = {
            "name": "main",
            "image": "busybox:1.37",
            "command": list(command),
            "resources": {"limits": limits},
        }
        wanted = {"containers": [container], "terminationGracePeriodSeconds": 1} | spec
        document = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": wanted}
        return self.apply(document, namespace)

    def delete_pod(self, name: str, namespace: str = "default", grace: int | None = None) -> None:
        """Delete a pod by hand."""
        options = {} if grace is None else {"gracePeriodSeconds": grace}
        self._do(lambda: self._registry.delete(kinds.PODS, namespace, name, options))

    def events(self, pod: str, namespace: str = "default") -> list[Document]:
        """What happened to a pod, oldest first."""
        found = self._do(lambda: self._store.all(kinds.EVENTS, namespace))
        about = [event for event in found if event["involvedObject"].get("name") == pod]
        return sorted(about, key=lambda event: int(event["metadata"]["resourceVersion"]))

    def log(self, pod: str, namespace: str = "default", container: str = "") -> str:
        """What a pod has written."""
        found = self._do(lambda: self._store.get(kinds.PODS, namespace, pod))
        return self._kubelet.log(found, container or found["spec"]["containers"][0]["name"])

    # Trouble

    def out_of_memory(self, pod: str, namespace: str = "default") -> None:
        """A pod's container wants more memory than it may have."""
        self._do(lambda: self._controllers.run_of(namespace, pod).out_of_memory())

    def evict(self, pod: str, namespace: str = "default", reason: str = "memory") -> None:
        """A node ends a pod because it runs short (of memory)."""
        message = f"The node was low on resource: {reason}. "
        self._do(lambda: self._controllers.evict(namespace, pod, message))

    def lose_patience(self, node: str) -> None:
        """Let the time be over that pods tolerate their node's trouble (five minutes)."""
        self._do(lambda: self._controllers.taints.lose_patience(node))

    def drain(self, node: str) -> None:
        """Cordon a node and evict its pods by the eviction API, as ``kubectl drain`` does."""
        self.change_node(node, unschedulable=True)
        self._do(lambda: self._controllers.drain(node, self._serving.subresources))

    @contextmanager
    def away(self, way: Way = "refuse") -> Iterator[None]:
        """The API server is away: nobody listens, or it hangs, or answers 503. Watches break."""

        async def gone() -> None:
            self._serving.outage.begin(way)
            self._serving.watching.drop()
            if way == "refuse":
                await self._endpoint.shut()

        async def back() -> None:
            self._serving.outage.end()
            if way == "refuse":
                await self._endpoint.open()

        self._run(gone())
        try:
            yield
        finally:
            self._run(back())

    @contextmanager
    def late(self) -> Iterator[None]:
        """What is to be made is made only when the block is over, and answered then; all else as ever."""
        self._do(lambda: self._serving.outage.begin("late"))
        try:
            yield
        finally:
            self._do(self._serving.outage.end)

    def compact(self, *, as_status: bool = False) -> None:
        """Forget the past: who asks to watch from before gets 410, as an event or as the status."""

        def done() -> None:
            self._serving.watching.gone_as_status = as_status
            self._store.note_nothing()
            self._store.compact()

        self._do(done)

    def drop_watches(self) -> None:
        """Cut the connection of each watch."""
        self._do(self._serving.watching.drop)

    def install_kueue(self) -> None:
        """From now on a pod with a queue's label is gated until ``kueue_admit``."""
        self._catalogue.append(kinds.WORKLOADS)
        self._do(self._controllers.kueue.install)

    def kueue_says(self, pod: str, words: str, namespace: str = "default") -> None:
        """Kueue has looked whether a pod may start, and says why it may not."""
        self._do(lambda: self._controllers.kueue.refuse(namespace, pod, words))

    def kueue_admit(self, pod: str, namespace: str = "default") -> None:
        """It is a pod's turn in its queue."""
        self._do(lambda: self._controllers.kueue.admit(namespace, pod))

    # Access

    def kubeconfig_of(self, account: str, namespace: str = "default") -> Path:
        """A kubeconfig with a token of a service account, made if it is not there."""

        def done() -> str:
            found = self._store.find(kinds.SERVICE_ACCOUNTS, namespace, account)
            if found is None:
                document = {
                    "apiVersion": "v1",
                    "kind": "ServiceAccount",
                    "metadata": {"name": account},
                }
                found = self._registry.create(kinds.SERVICE_ACCOUNTS, document, namespace)
            uid = found["metadata"]["uid"]
            user = account_user(namespace, account, uid)
            return self._tokens.give(Token(user, namespace=namespace, account_uid=uid))

        file = self.folder / f"{namespace}-{account}.kubeconfig"
        write(file, self.url, self._endpoint.authority, account, self._do(done), namespace)
        return file

    def calls_of(self, account: str, namespace: str = "default") -> set[tuple[str, str, str]]:
        """What a service account has asked for: verb, group, resource (with its part)."""
        name = f"system:serviceaccount:{namespace}:{account}"
        calls = self._do(lambda: list(self._roles.calls))
        return {(asked.verb, asked.group, asked.what) for who, asked in calls if who == name}


@contextmanager
def cluster(folder: Path) -> Iterator[Cluster]:
    """A cluster while the block lasts; its files, and those of its pods, are in the folder."""
    running = Cluster(folder)
    running.start()
    try:
        yield running
    finally:
        running.stop()
