"""Parts of objects with verbs of their own: binding, eviction, logs, tokens."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from aiohttp import web

from . import kinds
from .access import Asked, Token, Tokens, account_user
from .addresses import Address
from .registry import Registry, stamp
from .selectors import selected
from .statuses import (
    ApiError,
    Cause,
    Document,
    bad_request,
    conflict,
    invalid,
    no_such_path,
    whole_number,
)

SHORTEST_TOKEN = 600
TOKEN_SECONDS = 3600
AUDIENCE = "https://kubernetes.default.svc.cluster.local"
CREATED: Document = {
    "kind": "Status",
    "apiVersion": "v1",
    "metadata": {},
    "status": "Success",
    "code": 201,
}


class Subresources:
    """Carries out the verbs of subresources."""

    def __init__(self, registry: Registry, tokens: Tokens) -> None:
        self._registry = registry
        self._tokens = tokens
        # Told by the kubelet: what a pod's container has written.
        self.logs: Callable[[Document, str], str] = lambda _pod, _container: ""

    def done(self, asked: Asked, body: Any) -> tuple[Document, int]:
        """The answer, and its status code.

        Raises:
            ApiError: refused.
        """
        parts = {"binding": self._bind, "eviction": self.evict, "token": self.token}
        if asked.subresource in kinds.STREAMED:
            # Authorized, and no more: streams into containers are not served.
            raise bad_request("Upgrade request required")
        if asked.subresource not in parts:
            raise no_such_path()
        if asked.verb != "create":
            raise ApiError(
                405,
                "MethodNotAllowed",
                "the server does not allow this method on the requested resource",
            )
        return parts[asked.subresource](asked.namespace, asked.name, body or {}), 201

    def _bind(self, namespace: str, name: str, body: Document) -> Document:
        node = (body.get("target") or {}).get("name", "")
        self.bind(namespace, name, node)
        return CREATED

    def bind(self, namespace: str, name: str, node: str) -> None:
        """Give a pod to a node.

        Raises:
            ApiError: 409, it has one, or ends, or waits for a gate.
        """
        pod = self._registry.store.get(kinds.PODS, namespace, name)
        if "deletionTimestamp" in pod["metadata"]:
            raise conflict(
                "",
                "pods/binding",
                name,
                f"pod {name} is being deleted, cannot be assigned to a host",
            )
        if taken := pod["spec"].get("nodeName"):
            raise conflict(
                "", "pods/binding", name, f'pod {name} is already assigned to node "{taken}"'
            )
        if pod["spec"].get("schedulingGates"):
            raise conflict(
                "", "pods/binding", name, f"pod {name} has non-empty .spec.schedulingGates"
            )
        at = stamp(self._registry.clock())
        condition = {
            "type": "PodScheduled",
            "status": "True",
            "lastTransitionTime": at,
            "lastProbeTime": None,
        }
        conditions = [
            one for one in pod["status"].get("conditions") or [] if one["type"] != "PodScheduled"
        ]
        bound = {**pod, "spec": {**pod["spec"], "nodeName": node}}
        bound["status"] = {**pod["status"], "conditions": [*conditions, condition]}
        self._registry.store.replace(kinds.PODS, bound)

    def evict(self, namespace: str, name: str, body: Document) -> Document:
        """End a pod if disruption budgets allow it.

        Raises:
            ApiError: 404; 429, a budget does not allow it now.
        """
        options = body.get("deleteOptions") or {}
        pod = self._registry.store.get(kinds.PODS, namespace, name)
        if pod["status"].get("phase") not in ("Succeeded", "Failed", "Pending"):
            self._spare(pod)
        why = {
            "type": "DisruptionTarget",
            "status": "True",
            "reason": "EvictionByEvictionAPI",
            "message": "Eviction API: evicting",
            "lastTransitionTime": stamp(self._registry.clock()),
        }
        if not options.get("dryRun"):
            self._registry.change(
                kinds.PODS, namespace, name, lambda found: add_condition(found, why), "status"
            )
        self._registry.delete(kinds.PODS, namespace, name, options)
        return CREATED

    def _spare(self, pod: Document) -> None:
        """Refuse what a disruption budget does not allow.

        Raises:
            ApiError: 429.
        """
        labels = pod["metadata"].get("labels") or {}
        for budget in self._registry.store.all(kinds.BUDGETS, pod["metadata"]["namespace"]):
            if not selected(labels, (budget.get("spec") or {}).get("selector")):
                continue
            healthy, needed = self._health(budget)
            if healthy <= needed:
                name = budget["metadata"]["name"]
                why = f"The disruption budget {name} needs {needed} healthy pods and has {healthy} currently"
                causes = [{"reason": "DisruptionBudget", "message": why}]
                message = "Cannot evict pod as it would violate the pod's disruption budget."
                raise ApiError(429, "TooManyRequests", message, {"causes": causes})

    def _health(self, budget: Document) -> tuple[int, int]:
        spec = budget["spec"]
        pods = [
            pod
            for pod in self._registry.store.all(kinds.PODS, budget["metadata"]["namespace"])
            if selected(pod["metadata"].get("labels") or {}, spec.get("selector"))
        ]
        healthy = sum(pod["status"].get("phase") == "Running" for pod in pods)
        if "maxUnavailable" in spec:
            return healthy, len(pods) - portion(spec["maxUnavailable"], len(pods))
        return healthy, portion(spec.get("minAvailable", 0), len(pods))

    def token(self, namespace: str, name: str, body: Document) -> Document:
        """A token of a service account, as a TokenRequest.

        Raises:
            ApiError: 404; 422, it would end too soon.
        """
        account = self._registry.store.get(kinds.SERVICE_ACCOUNTS, namespace, name)
        spec = body.get("spec") or {}
        seconds = spec.get("expirationSeconds") or TOKEN_SECONDS
        if seconds < SHORTEST_TOKEN:
            why = f"Invalid value: {seconds}: may not specify a duration less than 10 minutes"
            cause = Cause("FieldValueInvalid", "spec.expirationSeconds", why)
            raise invalid("authentication.k8s.io", "TokenRequest", "", [cause])
        until = self._registry.clock() + timedelta(seconds=seconds)
        pod, pod_uid = self._bound(namespace, spec.get("boundObjectRef") or {})
        audiences = tuple(spec.get("audiences") or [AUDIENCE])
        uid = account["metadata"]["uid"]
        user = account_user(namespace, name, uid)
        token = self._tokens.give(Token(user, until, namespace, uid, pod, pod_uid, audiences))
        return {
            "kind": "TokenRequest",
            "apiVersion": "authentication.k8s.io/v1",
            "metadata": {
                "name": name,
                "namespace": namespace,
                "creationTimestamp": stamp(self._registry.clock()),
            },
            "spec": {
                "audiences": list(audiences),
                "expirationSeconds": seconds,
                "boundObjectRef": spec.get("boundObjectRef"),
            },
            "status": {"token": token, "expirationTimestamp": stamp(until)},
        }

    def _bound(self, namespace: str, reference: Document) -> tuple[str, str]:
        if not reference:
            return "", ""
        if reference.get("kind") != "Pod":
            raise bad_request(
                f"cannot bind token for serviceaccount to type {reference.get('kind')}"
            )
        pod = self._registry.store.get(kinds.PODS, namespace, reference["name"])
        uid = pod["metadata"]["uid"]
        if reference.get("uid", uid) != uid:
            why = f"the UID in the bound object reference ({reference['uid']}) does not match the UID in record"
            raise conflict("", "pods", reference["name"], why)
        return reference["name"], uid

    async def log(self, request: web.Request, address: Address) -> web.StreamResponse:
        """What a container has written.

        Raises:
            ApiError: 400, the container has not begun, or is not of the pod.
        """
        asked = address.asked
        pod = self._registry.store.get(kinds.PODS, asked.namespace, asked.name)
        names = [one["name"] for one in pod["spec"]["containers"]]
        container = request.query.get("container", names[0])
        if container not in names:
            raise bad_request(f"container {container} is not valid for pod {asked.name}")
        states = {one["name"]: one for one in pod["status"].get("containerStatuses") or []}
        waiting = states.get(container, {}).get("state", {}).get("waiting")
        if waiting is not None:
            why = f'container "{container}" in pod "{asked.name}" is waiting to start: {waiting.get("reason", "")}'
            raise bad_request(why)
        text = self.logs(pod, container)
        if "tailLines" in request.query:
            kept = whole_number(request.query, "tailLines")
            text = "".join(text.splitlines(keepends=True)[-kept:]) if kept else ""
        if "limitBytes" in request.query:
            text = text.encode()[: whole_number(request.query, "limitBytes")].decode(
                errors="replace"
            )
        return web.Response(text=text, content_type="text/plain")


def portion(amount: int | str, whole: int) -> int:
    """A number, or a share of a whole, rounded up."""
    if isinstance(amount, str) and amount.endswith("%"):
        return -(-int(amount[:-1]) * whole // 100)
    return int(amount)


def add_condition(pod: Document, condition: Document) -> None:
    """Put a condition in the place of the one of its type."""
    status = pod.setdefault("status", {})
    kept = [one for one in status.get("conditions") or [] if one["type"] != condition["type"]]
    status["conditions"] = [*kept, condition]
