"""What hubs with very many servers have in their databases at first: the record's, and JupyterHub's own."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from allotment.model.allotments import Allotment
from allotment.model.groups import Share
from allotment.model.limits import LimitKind, LimitScope
from allotment.model.pods import PodMark
from allotment.model.profiles import Profile
from allotment.record import Writing, claims, groups, limits, people, profiles

NAMESPACE = "people"
GROUPS = 10
PROFILE = "gpu"
_SERVER = """
INSERT INTO servers (proto, ip, port, base_url, cookie_name)
SELECT proto, ip, port, ?, cookie_name FROM servers
WHERE id = (SELECT MIN(server_id) FROM spawners)
"""
_SPAWNER = """
INSERT INTO spawners (user_id, server_id, name, state, started, last_activity, user_options)
SELECT users.id, ?, first.name, json_patch(first.state, ?), first.started, first.last_activity, first.user_options
FROM users, spawners AS first
WHERE users.name = ? AND first.server_id = (SELECT MIN(server_id) FROM spawners)
"""


def person(number: int) -> str:
    """The name of a person."""
    return f"p{number:04}"


def add_rows(database: Path, made: list[tuple[str, Allotment | None]]) -> None:
    """Let people from the second on have servers, by their pods' names: each after the first one's."""
    with closing(sqlite3.connect(database)) as opened, opened:
        for number, (pod_name, allotment) in enumerate(made, 1):
            name = person(number)
            server = opened.execute(_SERVER, (f"/user/{name}/",)).lastrowid
            state = {"pod_name": pod_name, "dns_name": f"{pod_name}.{NAMESPACE}"}
            state |= {} if allotment is None else {"allotment": allotment.id}
            opened.execute(_SPAWNER, (server, json.dumps(state), name))


def seed(writing: Writing, devices: int, number: int) -> None:
    """One group a tenth of all people, each of which may use all devices."""
    for group in range(GROUPS):
        share = Share(f"group-{group}", "default", devices // GROUPS, devices)
        groups.create(writing, f"group-{group}", wanted=[share])
        members = [person(one) for one in range(group, number, GROUPS)]
        people.onboard(writing, members, group=f"group-{group}")
    people.onboard(writing, ["olga"], role="operator")
    limits.put(writing, LimitScope.PLATFORM, "", LimitKind.DEVICES, 4)
    profile = Profile.model_validate(
        {"name": PROFILE, "title": "One GPU", "devices": 1, "cpu": 4, "memory": "16GiB"}
    )
    profiles.publish(writing, profile, "gpu.yaml", "0" * 64)


def mark_of(allotment: Allotment) -> PodMark:
    """What the pod of an allotment says about itself."""
    return PodMark(
        allotment=allotment.id,
        hub=allotment.hub,
        person=allotment.person,
        server=allotment.server,
        profile=allotment.profile,
        group=allotment.group,
        pool=allotment.pool,
        devices=tuple(one.id for one in allotment.devices),
        token_hash=claims.hash_token(allotment.person),
    )


def on_node(node: str) -> dict[str, Any]:
    """The affinity of a pod that was counted on a node."""
    fields = [{"key": "metadata.name", "operator": "In", "values": [node]}]
    terms = {"nodeSelectorTerms": [{"matchFields": fields}]}
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}
