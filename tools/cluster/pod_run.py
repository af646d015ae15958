"""One pod on its node: images, containers, restarts, its end."""

from __future__ import annotations

import asyncio
import secrets
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from . import kinds
from .containers import NotConfigured, Place, Process, environment_of, expanded, start
from .pod_status import ContainerState, conditions_of, phase_of, terminated
from .registry import stamp
from .statuses import Document
from .store import clone

if TYPE_CHECKING:
    from .kubelet import Kubelet

MISSING = "does/not-exist"
BACK_OFF_SECONDS = 10.0
LONGEST_BACK_OFF = 300.0
CANNOT_RUN = 128


class PodRun:
    """Follows one pod from its binding to its end."""

    def __init__(self, kubelet: Kubelet, pod: Document) -> None:
        self._kubelet = kubelet
        self.pod = pod
        self.node: str = pod["spec"]["nodeName"]
        self.address = kubelet.machines.new_address()
        self.folder: Path = kubelet.pod_folder(pod)
        self.states = [
            ContainerState(one["name"], one["image"]) for one in pod["spec"]["containers"]
        ]
        inits = pod["spec"].get("initContainers") or []
        self.init_states = [ContainerState(one["name"], one["image"]) for one in inits]
        if inits:
            for state in self.states:
                state.state = {"waiting": {"reason": "PodInitializing"}}
        self._failed_init = False
        self.processes: dict[str, Process] = {}
        self.task: asyncio.Task[None] | None = None
        self.over = False
        self._ending = asyncio.Event()
        self._end_at: float | None = None
        self._ended_by: Document = {}
        self._started = stamp(kubelet.registry.clock())

    def begin(self) -> None:
        """Follow the pod."""
        self.task = asyncio.create_task(self._live())
        self.task.add_done_callback(self._kubelet.note_end)

    def stop(self, grace: float) -> None:
        """End the pod, its processes killed after a grace in seconds; a shorter one wins."""
        at = asyncio.get_running_loop().time() + grace
        if self._end_at is None or at < self._end_at:
            self._end_at = at
        self._ending.set()

    def end_as(self, reason: str, message: str) -> None:
        """End the pod as failed, by the node's own word (Evicted)."""
        self._ended_by = {"reason": reason, "message": message}
        self.stop(0)

    def out_of_memory(self, container: str = "") -> None:
        """Kill a container as the kernel does that has no memory left for it."""
        process = self.processes[container or self.states[0].name]
        process.out_of_memory = True
        process.end()

    async def _live(self) -> None:
        """From the first look to the last container's end."""
        await asyncio.to_thread(self.folder.mkdir, parents=True, exist_ok=True)
        self._report()
        containers = self.pod["spec"]["containers"]
        if await self._initialized():
            lives = [self._container(*pair) for pair in zip(containers, self.states, strict=True)]
            await asyncio.gather(*lives)
        self.over = True
        self.tell()

    def tell(self) -> None:
        """Report where the pod stands; when it is over, a deleted pod is then gone."""
        self._report()
        if not self.over or self.node in self._kubelet.silent:
            return
        self._kubelet.runs.pop(self.pod["metadata"]["uid"], None)
        newest = self._newest()
        if newest is not None and "deletionTimestamp" in newest["metadata"]:
            metadata = newest["metadata"]
            options = {"gracePeriodSeconds": 0, "preconditions": {"uid": metadata["uid"]}}
            registry = self._kubelet.registry
            registry.delete(kinds.PODS, metadata["namespace"], metadata["name"], options)

    def _newest(self) -> Document | None:
        """The pod as the API has it, if it still has this one."""
        metadata = self.pod["metadata"]
        store = self._kubelet.registry.store
        found = store.find(kinds.PODS, metadata["namespace"], metadata["name"])
        same = found is not None and found["metadata"]["uid"] == metadata["uid"]
        return found if same else None

    async def _initialized(self) -> bool:
        """Run the init containers, one after the other; whether all succeeded."""
        never = self.pod["spec"]["restartPolicy"] == "Never"
        pairs = zip(self.pod["spec"].get("initContainers") or [], self.init_states, strict=True)
        for container, state in pairs:
            await self._container(container, state, "Never" if never else "OnFailure")
            if state.state.get("terminated", {}).get("exitCode") != 0:
                self._failed_init = True
                return False
        return True

    async def _container(
        self, container: Document, state: ContainerState, policy: str = ""
    ) -> None:
        """One container, started again as often as the policy says."""
        policy = policy or self.pod["spec"]["restartPolicy"]
        delay = BACK_OFF_SECONDS
        while not self._ending.is_set():
            if not await self._pulled(container, state):
                return
            code = await self._run_once(container, state)
            if code is None or self._ending.is_set() or not again(policy, code):
                return
            state.restarts += 1
            if state.restarts > 1:
                await self._back_off(container, state, delay)
                delay = min(delay * 2, LONGEST_BACK_OFF)
            state.last = state.state

    async def _back_off(self, container: Document, state: ContainerState, delay: float) -> None:
        state.last = state.state
        message = (
            f"back-off {delay:.0f}s restarting failed container={container['name']} "
            f"pod={self._full_name()}"
        )
        state.state = {"waiting": {"reason": "CrashLoopBackOff", "message": message}}
        self._note(
            "Warning",
            "BackOff",
            f"Back-off restarting failed container {container['name']} in pod {self._full_name()}",
            container,
        )
        self._report()
        await self._sleep(delay)

    async def _pulled(self, container: Document, state: ContainerState) -> bool:
        """Have the image; one that does not exist is asked for again and again until the pod ends."""
        image, delay = container["image"], BACK_OFF_SECONDS
        if MISSING not in image:
            message = f'Container image "{image}" already present on machine and can be accessed by the pod'
            self._note("Normal", "Pulled", message, container)
            return True
        why = (
            f'failed to pull and unpack image "{image}": failed to resolve reference "{image}": pull '
            "access denied, repository does not exist or may require authorization: server message: "
            "insufficient_scope: authorization failed"
        )
        while not self._ending.is_set():
            self._note("Normal", "Pulling", f'Pulling image "{image}"', container)
            self._note("Warning", "Failed", f'Failed to pull image "{image}": {why}', container)
            self._note("Warning", "Failed", "Error: ErrImagePull", container)
            state.state = {"waiting": {"reason": "ErrImagePull", "message": why}}
            self._report()
            await self._sleep(min(1.0, delay))
            message = f'Back-off pulling image "{image}"'
            self._note("Normal", "BackOff", message, container)
            self._note("Warning", "Failed", "Error: ImagePullBackOff", container)
            waiting = {"reason": "ImagePullBackOff", "message": f"{message}: ErrImagePull: {why}"}
            state.state = {"waiting": waiting}
            self._report()
            await self._sleep(delay)
            delay = min(delay * 2, LONGEST_BACK_OFF)
        return False

    async def _run_once(self, container: Document, state: ContainerState) -> int | None:
        """Start a container and wait for its end: the exit code, or none if it was not started."""
        state.container_id = f"containerd://{secrets.token_hex(32)}"
        process = await self._started_process(container, state)
        if process is None:
            code: int | None = state.state.get("terminated", {}).get("exitCode")
            return code
        self.processes[container["name"]] = process
        started = stamp(self._kubelet.registry.clock())
        state.state, state.ready = {"running": {"startedAt": started}}, True
        self._note("Normal", "Created", "Container created", container)
        self._note("Normal", "Started", "Container started", container)
        self._report()
        code = await self._ended(process, container)
        finished = stamp(self._kubelet.registry.clock())
        reason = "OOMKilled" if process.out_of_memory else "Error" if code else "Completed"
        state.state = terminated(code, reason, started, finished, state.container_id)
        state.ready = False
        if not self._ending.is_set():
            self._report()
        return code

    async def _started_process(self, container: Document, state: ContainerState) -> Process | None:
        """Start the process; none where it cannot be, told in the state."""
        while not self._ending.is_set():
            try:
                return await self._process(container, state)
            except NotConfigured as problem:
                waiting = {"reason": "CreateContainerConfigError", "message": str(problem)}
                state.state, state.container_id = {"waiting": waiting}, ""
                self._note("Warning", "Failed", f"Error: {problem}", container)
                self._report()
                await self._sleep(BACK_OFF_SECONDS)
            except OSError as problem:
                message = (
                    "failed to create containerd task: failed to create shim task: OCI runtime create "
                    "failed: runc create failed: unable to start container process: error during "
                    f"container init: exec: {problem}"
                )
                at = stamp(self._kubelet.registry.clock())
                state.state = terminated(
                    CANNOT_RUN, "StartError", at, at, state.container_id, message
                )
                self._note("Warning", "Failed", f"Error: {message}", container)
                self._report()
                return None
        return None

    async def _process(self, container: Document, state: ContainerState) -> Process:
        kubelet = self._kubelet
        mounts = kubelet.volumes.mounts(self.pod, container, self.folder)
        place = Place(self.address, self.folder, mounts)
        image = kubelet.machines.image(container["image"])
        host, port = kubelet.machines.api
        service = {"KUBERNETES_SERVICE_HOST": host, "KUBERNETES_SERVICE_PORT": str(port)}
        service |= {"HOSTNAME": self.pod["metadata"]["name"][:63]}
        own = environment_of(kubelet.registry.store, self.pod, container, place)
        command = [*(container.get("command") or image.command), *(container.get("args") or [])]
        command = [place.here(expanded(word, own)) for word in command]
        folder = Path(place.here(container.get("workingDir", "")) or self.folder / "home")
        await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
        log = self.folder / f"{container['name']}.log"
        variables = {**service, **image.environment, **own}
        return start(command, variables, folder, state.container_id, log)

    async def _ended(self, process: Process, container: Document) -> int:
        """Wait for the end of a process, or end it when the pod is to end."""
        over = asyncio.ensure_future(process.ended())
        ending = asyncio.ensure_future(self._ending.wait())
        await asyncio.wait({over, ending}, return_when=asyncio.FIRST_COMPLETED)
        ending.cancel()
        if over.done():
            return over.result()
        self._note("Normal", "Killing", f"Stopping container {container['name']}", container)
        process.ask_to_end()
        loop = asyncio.get_running_loop()
        while not over.done():
            left = (self._end_at or 0) - loop.time()
            if left <= 0:
                process.end()
                return await over
            # A second deletion may have made the grace shorter: look again now and then.
            await asyncio.wait({over}, timeout=min(left, 0.2))
        return over.result()

    async def _sleep(self, seconds: float) -> None:
        """Wait, but not beyond the pod's end."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._ending.wait(), seconds)

    def _full_name(self) -> str:
        metadata = self.pod["metadata"]
        return f"{metadata['name']}_{metadata['namespace']}({metadata['uid']})"

    def _note(self, type_: str, reason: str, message: str, container: Document) -> None:
        field = f"spec.containers{{{container['name']}}}"
        self._kubelet.recorder.note(self.pod, type_, reason, message, self.node, field)

    def _report(self) -> None:
        """Write the pod's status, unless the node is silent or the pod gone."""
        if self.node in self._kubelet.silent:
            return
        metadata = self.pod["metadata"]
        if self._newest() is not None:
            namespace, name = metadata["namespace"], metadata["name"]
            self._kubelet.registry.change(kinds.PODS, namespace, name, self._written, "status")

    def _written(self, pod: Document) -> None:
        status = pod["status"]
        phase = self._phase(pod["spec"]["restartPolicy"])
        at = stamp(self._kubelet.registry.clock())
        status |= self._ended_by
        status["phase"] = phase
        status["conditions"] = conditions_of(phase, self.states, at, status.get("conditions") or [])
        status["containerStatuses"] = [clone(one.document()) for one in self.states]
        if self.init_states:
            status["initContainerStatuses"] = [clone(one.document()) for one in self.init_states]
        host = "127.0.0.1"
        status |= {"hostIP": host, "hostIPs": [{"ip": host}], "startTime": self._started}
        if any(one.container_id for one in self.states):
            status |= {"podIP": self.address, "podIPs": [{"ip": self.address}]}

    def _phase(self, policy: str) -> str:
        """The phase that the pod is in."""
        if self._ended_by or self._failed_init:
            return "Failed"
        codes = [one.state.get("terminated", {}).get("exitCode") for one in self.states]
        if self._ending.is_set() and None not in codes:
            return "Failed" if any(codes) else "Succeeded"
        return phase_of(self.states, policy)


def again(policy: str, code: int) -> bool:
    """Whether a container that ended is started again."""
    return policy == "Always" or (policy == "OnFailure" and code != 0)
