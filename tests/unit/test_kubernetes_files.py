"""What is shipped for a cluster: values that the chart takes, manifests that an API server takes, nothing too much."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from ruamel.yaml import YAML

from allotment.settings import Settings, load_settings
from allotment.settings.catalogue import read_profile
from allotment_hub.host_names import host_name
from chart_policies import HUB, PROXY, SERVER, chart_policies
from chart_values import unknown_keys, wrong_values
from kubernetes_types import misfits, value_misfits
from network_policies import End, allows

FILES = Path(__file__).parents[2] / "hub_config" / "kubernetes"
MANIFESTS = ("rbac.yaml", "control-plane.yaml", "network-policies.yaml", "priority-classes.yaml")
OPTIONAL = ("kubeconfigs.yaml", "shell.yaml")
"""Applied by hand: where people are given kubeconfigs, and by whoever looks after the record."""


def documents(name: str) -> list[Any]:
    return list(YAML(typ="safe").load_all((FILES / name).read_text()))


VALUES: dict[str, Any] = documents("values.yaml")[0]
KUSTOMIZATION: dict[str, Any] = documents("kustomization.yaml")[0]
OBJECTS = [(name, one) for name in MANIFESTS for one in documents(name)]


def found(kind: str, name: str) -> Any:
    return next(o for _, o in OBJECTS if (o["kind"], o["metadata"]["name"]) == (kind, name))


DEPLOYMENT = found("Deployment", "allotment")
POD = DEPLOYMENT["spec"]["template"]
CONTAINER = POD["spec"]["containers"][0]


def test_the_chart_knows_every_key_of_the_values() -> None:
    assert list(unknown_keys(VALUES)) == []
    assert list(unknown_keys({"hub": {"servces": {}}})) == ["hub.servces"]


def test_the_chart_takes_what_the_values_say() -> None:
    assert list(wrong_values(VALUES)) == []


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"hub": {"image": {"tag": 0.1}}}, "hub.image.tag: expected str, found 0.1"),
        ({"proxy": {"https": {"type": "own"}}}, "proxy.https.type: expected one of"),
        ({"cull": {"enabled": "no"}}, "cull.enabled: expected bool, found 'no'"),
        ({"hub": {"extraVolumes": [{"nmae": "x"}]}}, "hub.extraVolumes[0].nmae: unknown"),
        ({"hub": {"pdb": {"enabled": True}}}, "hub.pdb: not known here"),
    ],
)
def test_a_wrong_value_would_be_found(wrong: dict[str, Any], said: str) -> None:
    assert any(said in one for one in wrong_values(wrong)), list(wrong_values(wrong))


def test_the_hubs_variables_are_texts_or_taken_from_elsewhere() -> None:
    for name, value in VALUES["hub"]["extraEnv"].items():
        variable = {"name": name, **(value if isinstance(value, dict) else {"value": value})}
        assert list(value_misfits("V1EnvVar", variable, name)) == []


@pytest.mark.parametrize(
    ("file", "number"),
    [(name, n) for name in (*MANIFESTS, *OPTIONAL) for n in range(len(documents(name)))],
)
def test_an_api_server_takes_every_manifest(file: str, number: int) -> None:
    assert list(misfits(documents(file)[number])) == []


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"kind": "Deploiment"}, "Deploiment: no kind"),
        ({"spec": {"replica": 1}}, "spec.replica: unknown"),
        ({"spec": {"replicas": "1"}}, "spec.replicas: expected int"),
        ({"spec": {"replicas": 1}}, "`selector`, must not be `None`"),
    ],
)
def test_a_wrong_manifest_would_be_found(wrong: dict[str, Any], said: str) -> None:
    document = {"apiVersion": "apps/v1", "kind": "Deployment", **wrong}
    assert any(said in one for one in misfits(document)), list(misfits(document))


def test_kustomize_applies_every_manifest_and_every_file_that_it_names() -> None:
    assert tuple(KUSTOMIZATION["resources"]) == MANIFESTS  # OPTIONAL is nobody's by default
    named = [one for each in KUSTOMIZATION["configMapGenerator"] for one in each["files"]]
    profiles = sorted(f"profiles/{one.name}" for one in (FILES / "profiles").iterdir())
    assert sorted(named) == ["allotment.yaml", *profiles]


def test_the_page_renames_for_a_second_hub_whatever_belongs_to_no_namespace() -> None:
    page = (FILES.parents[1] / "docs" / "kubernetes.md").read_text()
    for _, one in OBJECTS:
        if one["kind"] == "ClusterRoleBinding":
            name = one["metadata"]["name"]
            assert f"target: {{kind: ClusterRoleBinding, name: {name}}}" in page
            assert f"value: {name}-south" in page


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """The settings as both pods read them: beside the folder of profiles, each mounted by itself."""
    (tmp_path / "settings").mkdir()
    (tmp_path / "profiles").symlink_to(FILES / "profiles")
    place = tmp_path / "settings" / "allotment.yaml"
    place.write_text((FILES / "allotment.yaml").read_text())
    return load_settings(place, tmp_path)


def test_the_settings_are_valid_and_the_profiles_too(settings: Settings) -> None:
    assert settings.profiles == ((FILES / "profiles").resolve(),)
    assert [read_profile(one).problem for one in sorted((FILES / "profiles").iterdir())] == [""] * 3


def test_settings_values_and_manifests_name_the_same_things(settings: Settings) -> None:
    plane, cluster = settings.control_plane, settings.kubernetes
    assert plane is not None
    assert cluster is not None
    port = found("Service", "allotment")["spec"]["ports"][0]["port"]
    assert plane.url == cluster.public_url == f"http://allotment:{port}"
    assert cluster.namespace == KUSTOMIZATION["namespace"]
    binding = found("ClusterRoleBinding", "allotment-devices")
    assert binding["subjects"][0]["namespace"] == cluster.namespace
    (service,) = VALUES["hub"]["services"]
    key = f"hub.services.{service}.apiToken"
    token = next(one for one in POD["spec"]["volumes"] if one["name"] == "hub-token")["secret"]
    assert [one["key"] for one in token["items"]] == [key]
    mount = next(one for one in CONTAINER["volumeMounts"] if one["name"] == "hub-token")
    assert str(plane.token_file) == f"{mount['mountPath']}/{key}"
    classes = {one["metadata"]["name"] for _, one in OBJECTS if one["kind"] == "PriorityClass"}
    assert set(cluster.priority_classes.values()) == classes


@pytest.mark.parametrize("who", ["hub", "control plane"])
def test_every_variable_that_the_settings_name_is_given_to_both(who: str) -> None:
    text = (FILES / "allotment.yaml").read_text()
    named = set(re.findall(r"_variable: ([A-Z_]+)", text))
    given = VALUES["hub"]["extraEnv"] if who == "hub" else {e["name"] for e in CONTAINER["env"]}
    assert named
    assert named <= set(given)


def test_hub_and_control_plane_know_the_databases_by_their_certificate(settings: Settings) -> None:
    for url in (VALUES["hub"]["db"]["url"], settings.record):
        options = dict(parse_qsl(urlsplit(url).query))
        assert options["sslmode"] == "verify-full"
        folder, _, name = options["sslrootcert"].rpartition("/")
        for volumes, mounts in (
            (VALUES["hub"]["extraVolumes"], VALUES["hub"]["extraVolumeMounts"]),
            (POD["spec"]["volumes"], CONTAINER["volumeMounts"]),
        ):
            volume = next(one["name"] for one in mounts if one["mountPath"] == folder)
            (secret,) = [one["secret"] for one in volumes if one["name"] == volume]
            assert [one["path"] for one in secret["items"]] == [name]


@pytest.mark.promise("USER-7")
def test_peoples_servers_have_host_names_of_their_own(settings: Settings) -> None:
    assert settings.control_plane is not None
    host = VALUES["hub"]["config"]["JupyterHub"]["subdomain_host"]
    assert host == settings.control_plane.public_url
    assert host_name("ann", "jupyter.example.org", "user") == "ann.jupyter.example.org"
    assert host_name("allotment", "jupyter.example.org", "service") == "jupyter.example.org"
    others = host_name("binder", "jupyter.example.org", "service")
    assert others == "binder--service.jupyter.example.org"


def test_no_file_holds_a_secret_and_every_secret_is_named_by_its_place() -> None:
    for file in (one for one in FILES.rglob("*") if one.is_file()):
        text = file.read_text()
        assert not re.search(r"(?i)(password|token|secret)\s*[:=]\s*['\"]?[A-Za-z0-9+/]{16,}", text)
        assert "kind: Secret" not in text
        assert not re.search(r"://[^@/\s]+:[^@/\s]+@", text), file


def test_the_control_plane_runs_without_root_on_a_file_system_that_it_cannot_write() -> None:
    pod, own = POD["spec"]["securityContext"], CONTAINER["securityContext"]
    assert pod["runAsNonRoot"] is True
    assert pod["runAsUser"] >= 1000
    assert pod["seccompProfile"] == {"type": "RuntimeDefault"}
    assert own["allowPrivilegeEscalation"] is False
    assert own["readOnlyRootFilesystem"] is True
    assert own["capabilities"] == {"drop": ["ALL"]}
    assert VALUES["singleuser"]["cloudMetadata"]["blockWithIptables"] is False


def test_the_pod_for_looking_after_the_record_is_the_control_planes_without_its_rights() -> None:
    (shell,) = documents("shell.yaml")
    (own,) = shell["spec"]["containers"]
    assert shell["spec"]["automountServiceAccountToken"] is False
    assert shell["spec"]["securityContext"] == POD["spec"]["securityContext"]
    assert (own["image"], own["securityContext"]) == (
        CONTAINER["image"],
        CONTAINER["securityContext"],
    )
    assert {one["name"] for one in own["env"]} - {"STATE"} <= {
        one["name"] for one in CONTAINER["env"]
    }
    assert {one["name"] for one in own["volumeMounts"]} == {
        one["name"] for one in shell["spec"]["volumes"]
    }
    selector = found("Service", "allotment")["spec"]["selector"]
    assert not selector.items() <= shell["metadata"]["labels"].items()
    assert allows(POLICIES, End("shell", shell["metadata"]["labels"]), RECORD, 5432)


def test_its_service_and_its_disruptions_find_its_pod() -> None:
    for selector in (
        found("Service", "allotment")["spec"]["selector"],
        DEPLOYMENT["spec"]["selector"]["matchLabels"],
    ):
        assert selector.items() <= POD["metadata"]["labels"].items()
    mounted = {one["name"] for one in CONTAINER["volumeMounts"]}
    assert mounted == {one["name"] for one in POD["spec"]["volumes"]}


@pytest.mark.promise("OPS-3")
def test_it_is_in_its_service_while_it_answers_though_hub_or_record_are_away() -> None:
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        asked = CONTAINER[probe]["httpGet"]
        assert asked == {"path": "/services/allotment/api/v1/health", "port": "http"}


@pytest.mark.promise("USER-7")
def test_roles_name_every_verb_and_reach_no_secret_and_no_right() -> None:
    rules = [rule for _, one in OBJECTS if "Role" in one["kind"] for rule in one.get("rules", [])]
    for rule in rules:
        assert "*" not in [*rule["verbs"], *rule["resources"], *rule["apiGroups"]]
        assert rule["apiGroups"] in ([""], ["kueue.x-k8s.io"])
        assert not {"secrets", "pods/exec", "nodes/proxy", "serviceaccounts/token"} & {
            *rule["resources"]
        }
        assert not {"escalate", "bind", "impersonate"} & {*rule["verbs"]}
    of_all = found("ClusterRole", "allotment-devices")["rules"]
    assert {verb for rule in of_all for verb in rule["verbs"]} == {"list", "watch"}
    assert VALUES["rbac"] == {"create": False}


# Who reaches whom. The servers are anybody's code.

POLICIES = [
    *chart_policies(VALUES),
    *(one for _, one in OBJECTS if one["kind"] == "NetworkPolicy"),
]
PLANE = End("control plane", POD["metadata"]["labels"], ports={"http": 8787})
RECORD = End("record", {"app.kubernetes.io/name": "postgresql"})
OTHER = End("other pod", {"app": "other"})
ELSEWHERE = End("another namespace", {"app": "other"}, namespace="others")
PROMETHEUS = End("prometheus", {"app": "prometheus"}, namespace="monitoring")
METADATA = End("the node's credentials", address="169.254.169.254", outside=True)
PROVIDER = End("identity provider", address="203.0.113.9", outside=True)
COMPANY = End("a database of the company", address="10.20.0.5", outside=True)


@pytest.mark.parametrize(
    ("source", "to", "port"),
    [
        (PROXY, HUB, 8081),
        (PROXY, SERVER, 8888),
        (PROXY, PLANE, 8787),
        (HUB, PROXY, 8001),
        (HUB, SERVER, 8888),
        (HUB, PLANE, 8787),
        (HUB, RECORD, 5432),
        (HUB, PROVIDER, 443),
        (SERVER, HUB, 8081),
        (SERVER, PLANE, 8787),
        (PLANE, HUB, 8081),
        (PLANE, RECORD, 5432),
        (PLANE, COMPANY, 5432),
        (PLANE, PROVIDER, 443),
        (PROMETHEUS, PLANE, 8787),
    ],
    ids=lambda one: getattr(one, "name", one),
)
def test_these_reach_each_other(source: End, to: End, port: int) -> None:
    assert allows(POLICIES, source, to, port)


@pytest.mark.promise("USER-7", "DATA-5")
@pytest.mark.parametrize(
    ("source", "to", "port"),
    [
        (SERVER, RECORD, 5432),
        (SERVER, COMPANY, 5432),
        (SERVER, SERVER, 8888),
        (SERVER, PROXY, 8001),
        (SERVER, HUB, 22),
        (SERVER, PLANE, 22),
        (SERVER, METADATA, 80),
        (PROXY, RECORD, 5432),
        (PROXY, METADATA, 80),
        (PROXY, PROVIDER, 443),
        (HUB, METADATA, 80),
        (PLANE, SERVER, 8888),
        (PLANE, PROXY, 8001),
        (PLANE, METADATA, 80),
        (OTHER, PLANE, 8787),
        (OTHER, HUB, 8081),
        (OTHER, RECORD, 5432),
        (OTHER, SERVER, 8888),
        (ELSEWHERE, PLANE, 8787),
        (ELSEWHERE, RECORD, 5432),
    ],
    ids=lambda one: getattr(one, "name", one),
)
def test_these_do_not(source: End, to: End, port: int) -> None:
    assert not allows(POLICIES, source, to, port)


def test_the_images_of_values_manifests_and_settings_are_of_one_version(settings: Settings) -> None:
    image = VALUES["hub"]["image"]
    assert CONTAINER["image"] == f"{image['name']}:{image['tag']}"
    assert settings.kubernetes is not None
    assert settings.kubernetes.image.rpartition(":")[2] == image["tag"]


_WORDS = {
    "claims of storage": "persistentvolumeclaims",
    "workloads of Kueue": "workloads",
    "namespace `kube-system`": "namespaces/kube-system",
}
"""What the page calls resources that it does not call by their own name."""


def rights(kind: str, account: str) -> set[tuple[str, str]]:
    """What the manifests let an account do by roles of a kind: resources, each with a verb."""
    bound = {
        one["roleRef"]["name"]
        for _, one in OBJECTS
        if one["kind"] == f"{kind}Binding"
        and account in [subject["name"] for subject in one["subjects"]]
    }
    return {
        ("/".join([resource, *rule.get("resourceNames", ())]), verb)
        for _, one in OBJECTS
        if one["kind"] == kind and one["metadata"]["name"] in bound
        for rule in one["rules"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def told(cell: str) -> set[tuple[str, str]]:
    """The same, as a cell of the page's table tells it."""
    return {
        (_WORDS.get(name, name), verb)
        for part in cell.split("; ")
        for names, verbs in [part.split(": ")]
        for name in names.split(" and ")
        for verb in verbs.split(", ")
    }


@pytest.mark.parametrize("account", ["hub", "allotment"])
def test_the_page_tells_every_right_of_the_roles_and_no_other(account: str) -> None:
    page = (FILES.parents[1] / "docs" / "kubernetes.md").read_text()
    (row,) = re.findall(rf"^\| [a-z ]+ \| `{account}` \| (.+) \| (.+) \|$", page, re.MULTILINE)
    assert [told(cell) for cell in row] == [rights("Role", account), rights("ClusterRole", account)]


@pytest.mark.promise("SERVER-7")
@pytest.mark.parametrize("lost", ["unreachable", "not-ready"])
def test_the_control_plane_is_made_anew_soon_after_its_node_is_lost(lost: str) -> None:
    (tolerated,) = (
        one for one in POD["spec"]["tolerations"] if one["key"] == f"node.kubernetes.io/{lost}"
    )
    assert (tolerated["effect"], tolerated["tolerationSeconds"]) == ("NoExecute", 15)
