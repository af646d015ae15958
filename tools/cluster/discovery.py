"""What the cluster says it serves: versions, groups, resources, health."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from aiohttp import web

from .kinds import Kind
from .statuses import Document, no_such_path

VERSION = {
    "major": "1",
    "minor": "36",
    "emulationMajor": "1",
    "emulationMinor": "36",
    "minCompatibilityMajor": "1",
    "minCompatibilityMinor": "35",
    "gitVersion": "v1.36.1",
    "gitCommit": "0000000000000000000000000000000000000000",
    "gitTreeState": "clean",
    "buildDate": "2026-05-13T00:00:00Z",
    "goVersion": "go1.25.9",
    "compiler": "gc",
    "platform": "linux/amd64",
}
HEALTH = ("/healthz", "/livez", "/readyz")
REVIEW_PARTS = {
    "eviction": ("policy", "v1", "Eviction", ("create",)),
    "binding": ("", "v1", "Binding", ("create",)),
    "token": ("authentication.k8s.io", "v1", "TokenRequest", ("create",)),
    "log": ("", "", "", ("get",)),
}


def discovered(path: str, catalogue: list[Kind]) -> web.Response:
    """The answer to an address that is of no resource.

    Raises:
        ApiError: 404, it serves nothing.
    """
    path = path.rstrip("/")
    if path in HEALTH or path.startswith(tuple(f"{one}/" for one in HEALTH)):
        return web.Response(text="ok")
    document = describe(path, catalogue)
    if document is None:
        raise no_such_path()
    return web.json_response(document)


def describe(path: str, catalogue: list[Kind]) -> Document | None:
    """The document at an address of discovery, if there is one."""
    if not path:
        return {"paths": ["/api", "/api/v1", "/apis", *HEALTH, "/version"]}
    if path == "/version":
        return VERSION
    if path == "/api":
        return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}
    if path == "/api/v1":
        return resources("v1", [kind for kind in catalogue if not kind.group])
    return describe_group(path.split("/")[1:], catalogue)


def describe_group(parts: list[str], catalogue: list[Kind]) -> Document | None:
    """The groups, one of them, or what is in a version of one."""
    groups = sorted({kind.group for kind in catalogue if kind.group})
    if parts == ["apis"]:
        listed = [group_of(group, catalogue) for group in groups]
        return {"kind": "APIGroupList", "apiVersion": "v1", "groups": listed}
    if parts[0] != "apis" or parts[1] not in groups:
        return None
    if len(parts) == 2:  # noqa: PLR2004 - /apis/GROUP
        return {"kind": "APIGroup", "apiVersion": "v1"} | group_of(parts[1], catalogue)
    served = [kind for kind in catalogue if (kind.group, kind.version) == (parts[1], parts[2])]
    return resources(f"{parts[1]}/{parts[2]}", served) if served else None


def group_of(group: str, catalogue: list[Kind]) -> Document:
    """A group and its versions."""
    versions = sorted({kind.version for kind in catalogue if kind.group == group})
    listed = [{"groupVersion": f"{group}/{version}", "version": version} for version in versions]
    return {"name": group, "versions": listed, "preferredVersion": listed[-1]}


def resources(version: str, served: Iterable[Kind]) -> Document:
    """The resources of a group's version."""
    listed: list[Document] = []
    for kind in served:
        entry: Document = {
            "name": kind.plural,
            "singularName": kind.kind.lower(),
            "namespaced": kind.namespaced,
            "kind": kind.kind,
            "verbs": sorted(kind.verbs),
        }
        if kind.short:
            entry["shortNames"] = list(kind.short)
        listed.append(entry)
        listed += [part_of(kind, part) for part in kind.subresources]
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": version,
        "resources": listed,
    }


def part_of(kind: Kind, part: str) -> Document:
    """A subresource."""
    default = ("", "", kind.kind, ("get", "patch", "update"))
    group, version, name, verbs = REVIEW_PARTS.get(part, default)
    entry: dict[str, Any] = {
        "name": f"{kind.plural}/{part}",
        "singularName": "",
        "namespaced": kind.namespaced,
        "kind": name or kind.kind,
        "verbs": list(verbs),
    }
    if group:
        entry |= {"group": group, "version": version}
    return entry
