"""Events: kept in the core group's form, shown in both, written by the cluster's own parts."""

from __future__ import annotations

from datetime import datetime

from . import kinds
from .registry import Registry, stamp
from .statuses import ApiError, Document

RENAMED = {
    "involvedObject": "regarding",
    "message": "note",
    "reportingComponent": "reportingController",
    "source": "deprecatedSource",
    "firstTimestamp": "deprecatedFirstTimestamp",
    "lastTimestamp": "deprecatedLastTimestamp",
    "count": "deprecatedCount",
}
OLD_NAMES = {new: old for old, new in RENAMED.items()}


def as_new_event(event: Document) -> Document:
    """An event in the form of events.k8s.io."""
    shown = {RENAMED.get(key, key): value for key, value in event.items()}
    return shown | {"apiVersion": "events.k8s.io/v1"}


def as_old_event(event: Document) -> Document:
    """An event in the form of the core group."""
    kept = {OLD_NAMES.get(key, key): value for key, value in event.items()}
    return kept | {"apiVersion": "v1"}


class Recorder:
    """Writes what happens to objects as events; the same again is counted."""

    def __init__(self, registry: Registry, component: str) -> None:
        self._registry = registry
        self._component = component
        self._written: dict[tuple[str, str, str], str] = {}

    def note(
        self,
        about: Document,
        type_: str,
        reason: str,
        message: str,
        host: str = "",
        field: str = "",
    ) -> None:
        """An event as the kubelet and the controllers write them."""
        metadata = about["metadata"]
        at = stamp(self._registry.clock())
        if self._counted(about, reason, message, at):
            return
        source = {"component": self._component} | ({"host": host} if host else {})
        event = self._event(about, type_, reason, message, field)
        event |= {
            "source": source,
            "firstTimestamp": at,
            "lastTimestamp": at,
            "count": 1,
            "eventTime": None,
            "reportingComponent": self._component,
            "reportingInstance": host,
        }
        self._written[metadata["uid"], reason, message] = event["metadata"]["name"]
        self._keep(event, metadata.get("namespace") or "default")

    def note_new(self, about: Document, type_: str, reason: str, message: str, action: str) -> None:
        """An event as the scheduler writes them, by events.k8s.io."""
        now: datetime = self._registry.clock()
        event = self._event(about, type_, reason, message, "")
        event |= {
            "source": {},
            "firstTimestamp": None,
            "lastTimestamp": None,
            "eventTime": now.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "action": action,
            "reportingComponent": self._component,
            "reportingInstance": f"{self._component}-control-plane",
        }
        self._keep(event, about["metadata"].get("namespace") or "default")

    def _event(
        self, about: Document, type_: str, reason: str, message: str, field: str
    ) -> Document:
        metadata = about["metadata"]
        instant = self._registry.clock().timestamp()
        return {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": f"{metadata['name'][:230]}.{int(instant * 1e9):x}"},
            "involvedObject": {
                "kind": about["kind"],
                "apiVersion": about["apiVersion"],
                "name": metadata["name"],
                "uid": metadata["uid"],
                "resourceVersion": metadata["resourceVersion"],
            }
            | ({"namespace": metadata["namespace"]} if metadata.get("namespace") else {})
            | ({"fieldPath": field} if field else {}),
            "reason": reason,
            "message": message,
            "type": type_,
        }

    def _counted(self, about: Document, reason: str, message: str, at: str) -> bool:
        metadata = about["metadata"]
        namespace = metadata.get("namespace") or "default"
        name = self._written.get((metadata["uid"], reason, message), "")
        if self._registry.store.find(kinds.EVENTS, namespace, name) is None:
            return False
        self._registry.change(
            kinds.EVENTS,
            namespace,
            name,
            lambda found: found.update(count=found["count"] + 1, lastTimestamp=at),
        )
        return True

    def _keep(self, event: Document, namespace: str) -> None:
        try:
            self._registry.create(kinds.EVENTS, event, namespace)
        except ApiError as refusal:
            # The namespace ends, or has ended: so have its events.
            if refusal.code not in (403, 404):
                raise
