"""The pods and events that KubeSpawner watches, kept so that what is asked of them is near at hand.

What a deleted pod said last, which is why it was deleted, KubeSpawner throws away; and for the events
of one pod it sorts those of all.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from typing import Any

from kubespawner.reflector import ResourceReflector
from kubespawner.spawner import EventReflector, PodReflector

from allotment_spawner.kubernetes.following import Document, FollowingReflector

_REMEMBERED = 2000
"""How many deleted pods are remembered, until somebody asks why they were."""


class RememberingPods(FollowingReflector, PodReflector):
    """KubeSpawner's watch of pods, that knows what those said last that are gone."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.gone: OrderedDict[str, Document] = OrderedDict()

    def take_all(self, found: dict[str, Document]) -> None:
        """Everything that there is; what is missing from it went unseen."""
        for key in self.resources.keys() - found.keys():
            self._remember(key, self.resources[key])
        super().take_all(found)

    def drop(self, key: str, document: Document) -> None:
        """One that went, as it was last."""
        self._remember(key, document)
        super().drop(key, document)

    def _remember(self, key: str, pod: Document) -> None:
        """Keep the last word of a pod, of so many at most."""
        self.gone[key] = pod
        self.gone.move_to_end(key)
        while len(self.gone) > _REMEMBERED:
            self.gone.popitem(last=False)

    def last_word(self, key: str) -> Document | None:
        """A pod as it is, or as it was last."""
        found: Document | None = self.resources.get(key) or self.gone.get(key)
        return found


class EventsByPod(FollowingReflector, EventReflector):
    """KubeSpawner's watch of events, that finds those of one pod without reading those of all others."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._of_pods: defaultdict[str, dict[str, Document]] = defaultdict(dict)

    def take_all(self, found: dict[str, Document]) -> None:
        """Everything that there is."""
        super().take_all(found)
        self._of_pods.clear()
        for key, event in found.items():
            self._of_pods[_pod(event)][key] = event

    def take(self, key: str, document: Document) -> None:
        """One that came or changed."""
        super().take(key, document)
        self._of_pods[_pod(document)][key] = document

    def drop(self, key: str, document: Document) -> None:
        """One that went: events are kept for an hour, in most clusters."""
        super().drop(key, document)
        events = self._of_pods[_pod(document)]
        events.pop(key, None)
        if not events:
            del self._of_pods[_pod(document)]

    def of_pod(self, name: str) -> EventsOfOnePod:
        """What happened to one pod."""
        return EventsOfOnePod(self, name)

    def happened_to(self, name: str) -> list[Document]:
        """The events of a pod, oldest first."""
        events = self._of_pods.get(name, {}).values()
        return sorted(events, key=lambda one: one["lastTimestamp"] or one["eventTime"])


class EventsOfOnePod:
    """What KubeSpawner reads of its watch of events, for one of its servers."""

    def __init__(self, events: EventsByPod, name: str) -> None:
        self._all, self._name = events, name

    @property
    def events(self) -> list[Document]:
        """The events of the pod, oldest first."""
        return self._all.happened_to(self._name)


def _pod(event: Document) -> str:
    return str((event.get("involvedObject") or {}).get("name") or "")


def has_given_up(reflector: ResourceReflector | None) -> bool:
    """Whether a watch has ended for good, or never began since its first list failed: what it shows grows old."""
    if reflector is None:
        return False
    if reflector.watch_task is None:
        return bool(reflector.first_load_future.done())
    return bool(reflector.watch_task.done())
