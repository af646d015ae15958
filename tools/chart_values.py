"""The keys that Zero to JupyterHub's chart knows, for checking our values without Helm.

Taken down by hand from the chart's configuration reference and its ``values.schema.yaml``, release 4.4.0
(https://z2jh.jupyter.org/en/stable/resources/reference.html): the names of the parts that our values touch,
and what stands behind those that we set. The chart refuses a key that it does not know and a value of another
kind, so either would stop the installation.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kubernetes_types import value_misfits

_POLICY = "allowedIngressPorts egress egressAllowRules enabled ingress interNamespaceAccessLabels"
_EGRESS = (
    "cloudMetadataServer dnsPortsCloudMetadataServer dnsPortsKubeSystemNamespace "
    "dnsPortsPrivateIPs nonPrivateIPs privateIPs"
)
KEYS = {
    "": "cull custom debug enabled fullnameOverride global httpRoute hub imagePullSecret "
    "imagePullSecrets ingress nameOverride prePuller proxy rbac scheduling singleuser",
    "hub": "activeServerLimit allowNamedServers annotations args authenticatePrometheus baseUrl "
    "command concurrentSpawnLimit config consecutiveFailureLimit containerSecurityContext "
    "cookieSecret db deploymentStrategy existingSecret extraConfig extraContainers extraEnv "
    "extraFiles extraPodSpec extraVolumeMounts extraVolumes fsGid image initContainers labels "
    "lifecycle livenessProbe loadRoles namedServerLimitPerUser networkPolicy nodeSelector pdb "
    "podSecurityContext readinessProbe redirectToServer resources revisionHistoryLimit service "
    "serviceAccount services shutdownOnLogout templatePaths templateVars tolerations",
    "hub.image": "name pullPolicy pullSecrets tag",
    "hub.db": "password pvc type upgrade url",
    "hub.networkPolicy": _POLICY,
    "hub.networkPolicy.egressAllowRules": _EGRESS,
    "hub.serviceAccount": "annotations create name",
    "rbac": "create enabled",
    "proxy": "annotations chp deploymentStrategy https labels secretSync secretToken service traefik",
    "proxy.service": "annotations disableHttpPort externalIPs extraPorts ipFamilies ipFamilyPolicy "
    "labels loadBalancerIP loadBalancerSourceRanges nodePorts type",
    "proxy.https": "enabled hosts letsencrypt manual secret type",
    "proxy.https.secret": "crt key name",
    "proxy.chp": "containerSecurityContext defaultTarget errorTarget extraCommandLineFlags "
    "extraEnv extraPodSpec image livenessProbe networkPolicy nodeSelector pdb readinessProbe "
    "resources revisionHistoryLimit tolerations",
    "proxy.chp.networkPolicy": _POLICY,
    "proxy.chp.networkPolicy.egressAllowRules": _EGRESS,
    "singleuser": "allowPrivilegeEscalation cloudMetadata cmd cpu defaultUrl events "
    "extraAnnotations extraContainers extraEnv extraFiles extraLabels extraNodeAffinity "
    "extraPodAffinity extraPodAntiAffinity extraPodConfig extraResource extraTolerations fsGid "
    "image initContainers lifecycleHooks memory networkPolicy networkTools nodeSelector "
    "podNameTemplate profileList serviceAccountName startTimeout storage uid",
    "singleuser.cloudMetadata": "blockWithIptables ip",
    "singleuser.networkPolicy": _POLICY,
    "singleuser.networkPolicy.egressAllowRules": _EGRESS,
    "singleuser.storage": "capacity dynamic extraLabels extraVolumeMounts extraVolumes homeMountPath "
    "static type",
    "scheduling": "corePods podPriority userPlaceholder userPods userScheduler",
    "scheduling.userScheduler": "annotations containerSecurityContext enabled extraPodSpec image "
    "labels logLevel nodeSelector pdb pluginConfig plugins replicas resources "
    "revisionHistoryLimit serviceAccount tolerations",
    "scheduling.userPlaceholder": "annotations containerSecurityContext enabled extraPodSpec image "
    "labels replicas resources revisionHistoryLimit",
    "scheduling.podPriority": "defaultPriority enabled globalDefault imagePullerPriority "
    "userPlaceholderPriority",
    "prePuller": "annotations containerSecurityContext continuous extraImages extraTolerations hook "
    "labels pause pullProfileListImages resources revisionHistoryLimit",
    "prePuller.hook": "containerSecurityContext daemonsetAnnotations enabled image nodeSelector "
    "podSchedulingWaitDuration pullOnlyOnChanges resources serviceAccount "
    "serviceAccountImagePuller tolerations",
    "prePuller.continuous": "daemonsetAnnotations enabled serviceAccount",
    "cull": "adminUsers concurrency enabled every maxAge removeNamedServers timeout users",
}
"""By the path of an object, with dots: the keys that it may have. Objects not named here are Kubernetes' own."""


def unknown_keys(values: dict[str, Any], place: str = "") -> Iterator[str]:
    """The paths of keys that the chart would refuse."""
    known = KEYS[place].split()
    for key, value in values.items():
        path = f"{place}.{key}".lstrip(".")
        if key not in known:
            yield path
        elif isinstance(value, dict) and path in KEYS:
            yield from unknown_keys(value, path)


_SWITCH, _TEXT, _TEXT_OR_NONE = (bool,), (str,), (str, type(None))
KINDS: dict[str, tuple[type, ...] | str | frozenset[str]] = {
    "hub.image.name": _TEXT,
    "hub.image.tag": _TEXT,
    "hub.db.type": frozenset({"sqlite-pvc", "sqlite-memory", "mysql", "postgres", "other"}),
    "hub.db.url": _TEXT_OR_NONE,
    "hub.db.upgrade": (bool, type(None)),
    "hub.existingSecret": _TEXT_OR_NONE,
    "hub.config": (dict,),
    "hub.services": (dict,),
    "hub.extraConfig": (dict,),
    "hub.extraEnv": (dict, list),
    "hub.extraVolumes": "list[V1Volume]",
    "hub.extraVolumeMounts": "list[V1VolumeMount]",
    "hub.serviceAccount.create": _SWITCH,
    "hub.serviceAccount.name": _TEXT_OR_NONE,
    "hub.resources": "V1ResourceRequirements",
    "rbac.create": _SWITCH,
    "proxy.service.type": frozenset({"ClusterIP", "NodePort", "LoadBalancer", "ExternalName"}),
    "proxy.https.enabled": (bool, type(None)),
    "proxy.https.type": frozenset({"", "letsencrypt", "manual", "offload", "secret"}),
    "proxy.https.secret.name": _TEXT_OR_NONE,
    "proxy.chp.resources": "V1ResourceRequirements",
    "singleuser.serviceAccountName": _TEXT_OR_NONE,
    "singleuser.storage.type": frozenset({"none", "dynamic", "static"}),
    "singleuser.cloudMetadata.blockWithIptables": _SWITCH,
    "scheduling.userScheduler.enabled": _SWITCH,
    "scheduling.userPlaceholder.enabled": _SWITCH,
    "scheduling.podPriority.enabled": _SWITCH,
    "prePuller.hook.enabled": _SWITCH,
    "prePuller.continuous.enabled": _SWITCH,
    "cull.enabled": _SWITCH,
}
"""By the path of a value: its types, or what it must be one of, or Kubernetes' own type by its name."""
for _policy in ("hub.networkPolicy", "proxy.chp.networkPolicy", "singleuser.networkPolicy"):
    KINDS[f"{_policy}.egress"] = "list[V1NetworkPolicyEgressRule]"
    KINDS |= {f"{_policy}.egressAllowRules.{name}": _SWITCH for name in _EGRESS.split()}


def wrong_values(values: dict[str, Any], place: str = "") -> Iterator[str]:
    """The paths of values that the chart would refuse, or of which it is not known here what they may be."""
    for key, value in values.items():
        path = f"{place}.{key}".lstrip(".")
        kind = KINDS.get(path)
        if kind is None:
            if isinstance(value, dict) and (path in KEYS or "." not in path):
                yield from wrong_values(value, path)
            else:
                yield f"{path}: not known here"
        elif isinstance(kind, str):
            yield from value_misfits(kind, value, path)
        elif isinstance(kind, frozenset):
            if value not in kind:
                yield f"{path}: expected one of {sorted(kind)}, found {value!r}"
        elif not isinstance(value, kind):
            yield f"{path}: expected {' or '.join(one.__name__ for one in kind)}, found {value!r}"
