"""The keys that Zero to JupyterHub's chart knows, for checking our values without Helm.

Taken down by hand from the chart's configuration reference and its ``values.schema.yaml``, release 4.4.0
(https://z2jh.jupyter.org/en/stable/resources/reference.html): names only, of the parts that our values
touch. The chart refuses a key that it does not know, so a misspelt one would stop the installation.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

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
    "proxy.chp": "command containerSecurityContext defaultTarget errorTarget extraCommandLineFlags "
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
