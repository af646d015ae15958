"""The pods that KubeSpawner watches, with two things mended that matter to whoever holds devices.

KubeSpawner's watch ends for good after half a minute of failures and then shows the last that it
saw for ever; and what a deleted pod said last, which is why it was deleted, is thrown away.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from kubespawner.reflector import ResourceReflector
from kubespawner.spawner import PodReflector

_REMEMBERED = 2000
"""How many deleted pods are remembered, until somebody asks why they were."""


class _Present(dict[str, Any]):
    """The pods that are there; those that go are remembered as they were last."""

    def __init__(self, pods: dict[str, Any], gone: OrderedDict[str, Any]) -> None:
        super().__init__(pods)
        self._gone = gone

    def pop(self, key: str, *default: Any) -> Any:
        """Take a pod away, and remember it."""
        if key in self:
            remember(self._gone, key, self[key])
        return super().pop(key, *default)


def remember(gone: OrderedDict[str, Any], key: str, pod: Any) -> None:
    """Keep the last word of a pod, of so many at most."""
    gone[key] = pod
    gone.move_to_end(key)
    while len(gone) > _REMEMBERED:
        gone.popitem(last=False)


class RememberingPods(PodReflector):
    """KubeSpawner's watch of pods, that knows what those said last that are gone."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.gone: OrderedDict[str, Any] = OrderedDict()

    async def _list_and_update(self, resource_version: str | None = None) -> Any:
        before = self.resources
        version = await super()._list_and_update(resource_version)
        for key in before.keys() - self.resources.keys():
            remember(self.gone, key, before[key])
        self.resources = _Present(self.resources, self.gone)
        return version

    def last_word(self, key: str) -> dict[str, Any] | None:
        """A pod as it is, or as it was last."""
        found: dict[str, Any] | None = self.resources.get(key) or self.gone.get(key)
        return found


def has_given_up(reflector: ResourceReflector | None) -> bool:
    """Whether a watch has ended for good, or never began since its first list failed: what it shows grows old."""
    if reflector is None:
        return False
    if reflector.watch_task is None:
        return bool(reflector.first_load_future.done())
    return bool(reflector.watch_task.done())
