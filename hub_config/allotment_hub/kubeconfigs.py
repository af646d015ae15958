"""A kubeconfig for one person: it reaches the pods of that person's running servers, and ends soon.

Each person has a service account, in a namespace where there are no others: whoever may make tokens of
an account may make them of every account beside it. Its role, where the servers are, names the person's pods one by one, as they are now: a pod
of a later server has another name, and needs a new kubeconfig. Who holds a kubeconfig may look at those
pods, read their logs, run commands in them and forward ports: what their terminal lets them do anyway.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from kubernetes_asyncio.client import (
    ApiClient,
    AuthenticationV1TokenRequest,
    CoreV1Api,
    RbacAuthorizationV1Api,
    RbacV1Subject,
    V1ObjectMeta,
    V1PolicyRule,
    V1Role,
    V1RoleBinding,
    V1RoleRef,
    V1ServiceAccount,
    V1TokenRequestSpec,
)
from kubernetes_asyncio.client.exceptions import ApiException

from allotment.model.pods import ANNOTATION_PERSON, LABEL_HUB
from allotment.settings.kubeconfigs import Kubeconfigs

ROLES = "rbac.authorization.k8s.io"
_VERBS = {
    "pods": ["get"],
    "pods/log": ["get"],
    # A websocket begins with a GET, what came before it with a POST: the cluster asks for either verb.
    "pods/exec": ["create", "get"],
    "pods/portforward": ["create", "get"],
}


@dataclass(frozen=True, slots=True)
class Asked:
    """Whose kubeconfig it is, on which hub, and which pods it is for, all of one namespace."""

    hub: str
    person: str
    namespace: str
    pods: tuple[str, ...]

    @property
    def account(self) -> str:
        """The name of the person's service account, role and binding; people's own names may not do."""
        digest = hashlib.sha256(f"{self.hub}\0{self.person}".encode()).hexdigest()
        return f"allotment-person-{digest[:20]}"


async def issue(client: ApiClient, asked: Asked, settings: Kubeconfigs) -> dict[str, Any]:
    """Make a kubeconfig that works for ``settings.lasts``.

    Raises:
        ApiException: the cluster refused, or did not answer.
        OSError: the file with the cluster's certificate cannot be read.
    """
    core, roles = CoreV1Api(client), RbacAuthorizationV1Api(client)
    meta, accounts = _meta(asked, asked.namespace), settings.accounts
    account = V1ServiceAccount(metadata=_meta(asked, accounts))
    await _made(core.create_namespaced_service_account(accounts, account))
    role = V1Role(metadata=meta, rules=_rules(asked.pods))
    if not await _made(roles.create_namespaced_role(asked.namespace, role)):
        await roles.replace_namespaced_role(asked.account, asked.namespace, role)
    binding = _binding(asked, meta, accounts)
    await _made(roles.create_namespaced_role_binding(asked.namespace, binding))
    # No audience: the cluster's own.
    wanted = V1TokenRequestSpec(
        audiences=[], expiration_seconds=int(settings.lasts.total_seconds())
    )
    given = await core.create_namespaced_service_account_token(
        asked.account, accounts, AuthenticationV1TokenRequest(spec=wanted)
    )
    return kubeconfig(asked, settings, given.status.token)


def kubeconfig(asked: Asked, settings: Kubeconfigs, token: str) -> dict[str, Any]:
    """The document for ``kubectl``.

    Raises:
        OSError: the file with the cluster's certificate cannot be read.
    """
    cluster = {"server": settings.server}
    if settings.certificate_authority is not None:
        data = settings.certificate_authority.read_bytes()
        cluster["certificate-authority-data"] = base64.b64encode(data).decode()
    context = {"cluster": "allotment", "user": asked.person, "namespace": asked.namespace}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "allotment", "cluster": cluster}],
        "users": [{"name": asked.person, "user": {"token": token}}],
        "contexts": [{"name": "allotment", "context": context}],
        "current-context": "allotment",
    }


def _rules(pods: Sequence[str]) -> list[V1PolicyRule]:
    return [
        V1PolicyRule(api_groups=[""], resources=[what], verbs=verbs, resource_names=list(pods))
        for what, verbs in _VERBS.items()
    ]


def _meta(asked: Asked, namespace: str) -> V1ObjectMeta:
    return V1ObjectMeta(
        name=asked.account,
        namespace=namespace,
        labels={LABEL_HUB: asked.hub},
        annotations={ANNOTATION_PERSON: asked.person},
    )


def _binding(asked: Asked, meta: V1ObjectMeta, accounts: str) -> V1RoleBinding:
    subject = RbacV1Subject(kind="ServiceAccount", name=asked.account, namespace=accounts)
    role = V1RoleRef(api_group=ROLES, kind="Role", name=asked.account)
    return V1RoleBinding(metadata=meta, subjects=[subject], role_ref=role)


async def _made(creating: Awaitable[object]) -> bool:
    """Whether something was made; False where it was there already."""
    try:
        await creating
    except ApiException as error:
        if error.status != HTTPStatus.CONFLICT:
            raise
        return False
    return True
