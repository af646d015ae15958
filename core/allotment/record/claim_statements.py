"""The statements that write an admission, a step and a release, for each database.

SQLite runs small statements fastest; PostgreSQL pays per round trip, so it gets one statement each,
whose parts depend on one another to take row locks in a fixed order (share, node, devices, counter).
The lock of configuration is a statement before it: one that waits sees only what was there when it began.
"""

from __future__ import annotations

from typing import Any

from allotment.model.allotments import Allotment, HeldDevice, State
from allotment.model.claims import Claim
from allotment.model.profiles import Priority
from allotment.model.sharing import HALF_LIFE
from allotment.record import locking
from allotment.record.columns import dumps, to_stored
from allotment.record.engine import Writing
from allotment.record.postgresql import RETURNING_WRITTEN

_RETURNING = "RETURNING person, group_name, server, hub"

_STEPS = {
    State.RUNNING: (
        f"UPDATE allotments SET state = 'running', running_at = :now WHERE id = :id AND state = 'starting' {_RETURNING}"
    ),
    State.STOPPING: (
        "UPDATE allotments SET state = 'stopping', stopping_at = :now, stop_reason = :reason, stopped_by = :actor, stop_cause = :cause "
        f"WHERE id = :id AND state IN ('starting', 'running') {_RETURNING}"
    ),
}

_POSTGRESQL_STEP = f"""
WITH step AS ({{step}}), counter AS (
    UPDATE counters SET value = value + 1 FROM step WHERE counters.name = 'event' RETURNING value
)
INSERT INTO events (sequence, "at", actor, kind, subject, person, group_name, "after")
SELECT counter.value, :now, :actor, CAST(:kind AS text), :id, step.person, step.group_name,
    json_strip_nulls(json_build_object('state', CAST(:state AS text), 'server', step.server, 'hub', step.hub,
        'reason', NULLIF(CAST(:reason AS text), ''), 'cause', NULLIF(CAST(:cause AS text), '')))::text
FROM counter, step {RETURNING_WRITTEN}
"""


def step(writing: Writing, allotment_id: str, state: State, reason: str, cause: str = "") -> bool:
    """Write a step to *running* or *stopping*. Returns False where the allotment could not take it."""
    parameters = {
        "id": allotment_id,
        "now": to_stored(writing.now),
        "reason": reason,
        "cause": cause,
        "actor": writing.actor,
        "kind": f"allotment.{state}",
        "state": str(state),
    }
    if writing.dialect == "postgresql":
        statement = _POSTGRESQL_STEP.format(step=_STEPS[state])
        return writing.has_written(writing.driver(statement, parameters))
    row = writing.driver(_STEPS[state], parameters).first()
    if row is None:
        return False
    after = {"state": str(state), "server": row.server, "hub": row.hub}
    after |= {key: said for key, said in (("reason", reason), ("cause", cause)) if said}
    writing.event(
        f"allotment.{state}", allotment_id, person=row.person, group=row.group_name, after=after
    )
    return True


_LOCK = """
WITH person AS MATERIALIZED (
    SELECT 1 FROM people WHERE name = :person FOR UPDATE
), pool AS MATERIALIZED (
    SELECT 1 FROM pools WHERE (SELECT device_count FROM profiles WHERE name = :profile) > 0
    AND name IN (SELECT s.pool FROM shares s JOIN memberships m ON m.group_name = s.group_name
        WHERE m.person = :person UNION SELECT 'default')
    ORDER BY name FOR UPDATE
)
SELECT (SELECT COUNT(*) FROM person), (SELECT COUNT(*) FROM pool)
"""


def lock(writing: Writing, claim: Claim) -> None:
    """Lock what a claim's decision rests on: configuration, then person, then pools in order."""
    if writing.dialect == "postgresql":
        # Before, not within: a statement sees what was there when it began, and this one may wait.
        locking.lock_configuration(writing)
        writing.driver(_LOCK, {"person": claim.person, "profile": claim.profile})


_INSERT_ALLOTMENT = """
INSERT INTO allotments (id, hub, person, server, group_name, pool, profile, state, device_count, priority, terms, devices, token_hash, admitted_at, instance_type)
VALUES (:id, :hub, :person, :server, :group_name, :pool, :profile, :state, :device_count, :priority, :terms, :devices, :token_hash, :now, :instance_type)
"""
_INSERT_SERVER = """
INSERT INTO servers (person, hub, name, display_name, note, profile, allotment, created_at)
VALUES (:person, :hub, :server, :display_name, :note, :profile, :id, :now)
ON CONFLICT (person, hub, name) DO UPDATE SET profile = excluded.profile, allotment = excluded.allotment,
    display_name = CASE WHEN excluded.display_name = '' THEN servers.display_name ELSE excluded.display_name END,
    note = CASE WHEN excluded.note = '' THEN servers.note ELSE excluded.note END
"""
_SQLITE_HOLD = (
    "INSERT INTO holdings (device, allotment) SELECT value, :id FROM json_each(:device_ids)",
    "UPDATE devices SET free = FALSE WHERE id IN (SELECT value FROM json_each(:device_ids))",
    "UPDATE pool_nodes SET free = free - :device_count WHERE pool = :pool AND node = :node AND model = :model",
)
_SQLITE_SHARE = (
    "UPDATE shares SET held = held + :device_count WHERE group_name = :group_name AND pool = :pool"
)

_POSTGRESQL_HOLD = f"""
WITH allotment AS ({_INSERT_ALLOTMENT} RETURNING id),
server AS ({_INSERT_SERVER} RETURNING 1),
share AS (
    UPDATE shares SET held = held + :device_count
    WHERE group_name = :group_name AND pool = :pool AND :device_count > 0 RETURNING 1
), node AS (
    UPDATE pool_nodes SET free = free - :device_count
    WHERE pool = :pool AND node = :node AND model = :model AND (SELECT COUNT(*) FROM share) >= 0 RETURNING 1
), device AS (
    UPDATE devices SET free = FALSE
    WHERE id = ANY (ARRAY(SELECT json_array_elements_text(CAST(:device_ids AS json)))) AND (SELECT COUNT(*) FROM node) >= 0 RETURNING id
), holding AS (
    INSERT INTO holdings (device, allotment) SELECT device.id, allotment.id FROM device, allotment RETURNING 1
)
"""
_POSTGRESQL_OFFER = f"{_POSTGRESQL_HOLD} SELECT 1"
"""Without the event: offers of one transaction share the counter, whose lock is the last that it takes."""
_POSTGRESQL_INSERT = f"""
{_POSTGRESQL_HOLD}, counter AS (
    UPDATE counters SET value = value + 1
    WHERE name = 'event' AND (SELECT COUNT(*) FROM holding) + (SELECT COUNT(*) FROM server) >= 0 RETURNING value
)
INSERT INTO events (sequence, "at", actor, kind, subject, person, group_name, "after")
SELECT value, :now, :actor, CAST(:kind AS text), :id, :person, :group_name, :after FROM counter
{RETURNING_WRITTEN}
"""


def insert(writing: Writing, allotment: Allotment, claim: Claim) -> None:
    """Write an admission or an offer: allotment, server, holdings, counters and event."""
    parameters = _parameters(allotment, claim, to_stored(writing.now)) | {"actor": writing.actor}
    if writing.dialect == "postgresql" and allotment.state is not State.OFFERED:
        writing.has_written(writing.driver(_POSTGRESQL_INSERT, parameters))
        return
    if writing.dialect == "postgresql":
        writing.driver(_POSTGRESQL_OFFER, parameters)
    else:
        _insert_sqlite(writing, allotment, parameters)
    writing.event(
        parameters["kind"],
        allotment.id,
        person=allotment.person,
        group=allotment.group,
        after=_after(allotment),
    )


def _insert_sqlite(writing: Writing, allotment: Allotment, parameters: dict[str, Any]) -> None:
    writing.driver(_INSERT_ALLOTMENT, parameters)
    writing.driver(_INSERT_SERVER, parameters)
    if allotment.devices:
        for statement in _SQLITE_HOLD:
            writing.driver(statement, parameters)
        if allotment.group:
            writing.driver(_SQLITE_SHARE, parameters)


def _after(allotment: Allotment) -> dict[str, Any]:
    return {
        "server": allotment.server,
        "hub": allotment.hub,
        "profile": allotment.profile,
        "pool": allotment.pool,
        "devices": [device.id for device in allotment.devices],
    }


def _parameters(allotment: Allotment, claim: Claim, now: int) -> dict[str, Any]:
    first = allotment.devices[0] if allotment.devices else None
    return {
        "id": allotment.id,
        "hub": allotment.hub,
        "person": allotment.person,
        "server": allotment.server,
        "group_name": allotment.group,
        "pool": allotment.pool,
        "profile": allotment.profile,
        "state": str(allotment.state),
        "kind": f"allotment.{'offered' if allotment.state is State.OFFERED else 'admitted'}",
        "device_count": len(allotment.devices),
        "priority": allotment.terms["profile"].get("priority", Priority.DEDICATED),
        "instance_type": allotment.terms["profile"].get("instance_type"),
        "terms": dumps(allotment.terms),
        "devices": held_document(allotment.devices),
        "token_hash": claim.token_hash,
        "now": now,
        "display_name": claim.display_name,
        "note": claim.note,
        "device_ids": dumps([device.id for device in allotment.devices]),
        "node": first.node if first else None,
        "model": first.model if first else None,
        "after": dumps(_after(allotment)),
    }


def held_document(devices: tuple[HeldDevice, ...]) -> str:
    """The devices of an allotment as the record stores them."""
    return dumps(
        [
            [
                device.id,
                device.uuid,
                device.node,
                device.model,
                device.memory,
                device.isolation,
                device.resource,
            ]
            for device in devices
        ]
    )


_RELEASE_ALLOTMENT = """
UPDATE allotments SET state = 'released', released_at = :now, proof = :proof
WHERE id = :id AND state IN ('stopping', 'offered') RETURNING person, group_name, pool, server, hub, device_count, admitted_at
"""
_HALF_LIFE = int(HALF_LIFE.total_seconds() * 1_000_000)


def _decay(least: str, age: str) -> str:
    """SQL for what is left after an age in microseconds. Bounded, for PostgreSQL refuses an underflow."""
    bounded = f"CAST({least}({age}, {200 * _HALF_LIFE}) AS double precision)"
    return f"power(CAST(0.5 AS double precision), {bounded} / {_HALF_LIFE})"


_SQLITE_FREE = (
    f"""
    UPDATE shares SET held = held - :device_count, used_at = :now,
        used = used * {_decay("min", ":now - used_at")} + :device_count * (1 - {_decay("min", ":now - :admitted_at")})
    WHERE group_name = :group_name AND pool = :pool
    """,
    """
    UPDATE pool_nodes SET free = free + given.number FROM (
        SELECT d.pool, d.node, d.model, COUNT(*) AS number FROM holdings h JOIN devices d ON d.id = h.device
        WHERE h.allotment = :id AND d.healthy AND d.present AND d.usable GROUP BY d.pool, d.node, d.model) AS given
    WHERE pool_nodes.pool = given.pool AND pool_nodes.node = given.node AND pool_nodes.model = given.model
    """,
    "UPDATE devices SET free = TRUE WHERE id IN (SELECT device FROM holdings WHERE allotment = :id)",
    "DELETE FROM holdings WHERE allotment = :id",
)
_POSTGRESQL_RELEASE = f"""
WITH ended AS (
    UPDATE allotments SET state = 'released', released_at = :now, proof = :proof
    WHERE id = :id AND state IN ('stopping', 'offered')
    RETURNING id, person, group_name, pool, server, hub, device_count, admitted_at
), share AS (
    UPDATE shares SET held = held - ended.device_count, used_at = :now,
        used = used * {_decay("least", ":now - used_at")}
            + ended.device_count * (1 - {_decay("least", ":now - ended.admitted_at")})
    FROM ended
    WHERE shares.group_name = ended.group_name AND shares.pool = ended.pool AND ended.device_count > 0 RETURNING 1
), given AS (
    SELECT d.pool, d.node, d.model, COUNT(*) AS number FROM holdings h JOIN devices d ON d.id = h.device
    JOIN ended ON ended.id = h.allotment WHERE d.healthy AND d.present AND d.usable AND (SELECT COUNT(*) FROM share) >= 0
    GROUP BY d.pool, d.node, d.model
), node AS (
    UPDATE pool_nodes SET free = free + given.number FROM given
    WHERE pool_nodes.pool = given.pool AND pool_nodes.node = given.node AND pool_nodes.model = given.model RETURNING 1
), device AS (
    UPDATE devices SET free = TRUE FROM holdings h JOIN ended ON ended.id = h.allotment
    WHERE devices.id = h.device AND (SELECT COUNT(*) FROM node) >= 0 RETURNING devices.id
), gone AS (
    DELETE FROM holdings USING ended WHERE holdings.allotment = ended.id
    AND (SELECT COUNT(*) FROM device) >= 0 RETURNING 1
), counter AS (
    UPDATE counters SET value = value + 1 FROM ended
    WHERE counters.name = 'event' AND (SELECT COUNT(*) FROM gone) >= 0 RETURNING value
)
INSERT INTO events (sequence, "at", actor, kind, subject, person, group_name, "after")
SELECT counter.value, :now, :actor, 'allotment.released', :id, ended.person, ended.group_name,
    json_build_object('server', ended.server, 'hub', ended.hub, 'proof', CAST(:proof AS text))::text
FROM counter, ended {RETURNING_WRITTEN}
"""


def release(writing: Writing, allotment_id: str, proof: str) -> State | None:
    """Write a release. Returns None when it was written, else the state that stood in the way (released: nothing to do)."""
    parameters = {
        "id": allotment_id,
        "now": to_stored(writing.now),
        "proof": proof,
        "actor": writing.actor,
    }
    if writing.dialect == "postgresql":
        # Else the counters that a change of configuration has meanwhile written anew are not seen.
        locking.lock_configuration(writing)
        if writing.has_written(writing.driver(_POSTGRESQL_RELEASE, parameters)):
            return None
    else:
        row = writing.driver(_RELEASE_ALLOTMENT, parameters).first()
        if row is not None:
            _free_sqlite(writing, row, allotment_id, proof)
            return None
    found = writing.driver(
        "SELECT state FROM allotments WHERE id = :id", {"id": allotment_id}
    ).scalar()
    return State.RELEASED if found is None else State(found)


def _free_sqlite(writing: Writing, row: Any, allotment_id: str, proof: str) -> None:
    if row.device_count:
        held = {
            "id": allotment_id,
            "device_count": row.device_count,
            "group_name": row.group_name,
            "pool": row.pool,
            "admitted_at": row.admitted_at,
            "now": to_stored(writing.now),
        }
        for statement in _SQLITE_FREE:
            writing.driver(statement, held)
    writing.event(
        "allotment.released",
        allotment_id,
        person=row.person,
        group=row.group_name,
        after={"server": row.server, "hub": row.hub, "proof": proof},
    )
