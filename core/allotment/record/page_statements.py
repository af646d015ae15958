"""The statements that read one person's pages, the same for both databases."""

from __future__ import annotations

from allotment.record import claim_facts

PERSON = """
SELECT p.role, p.onboarded_at, r.permissions, c.must_change,
    EXISTS (SELECT 1 FROM tickets WHERE state IN ('waiting', 'offered') AND state = 'waiting') AS waited,
    EXISTS (SELECT 1 FROM reservations WHERE ends_at > :now) AS reserved,
    (SELECT value FROM counters WHERE name = 'event') AS sequence,
    (SELECT SUM(used) FROM storage WHERE person = :person) AS storage,
    (SELECT COUNT(*) FROM registered_models WHERE person = :person) AS models,
    EXISTS (SELECT 1 FROM budgets) AS budgeted, EXISTS (SELECT 1 FROM department_ceilings) AS divided
FROM (SELECT 1 AS one) AS always
LEFT JOIN people p ON p.name = :person
LEFT JOIN roles r ON r.name = p.role
LEFT JOIN credentials c ON c.person = p.name
"""
_GROUPS_NOW = """
WITH mine AS (
    SELECT DISTINCT group_name FROM memberships
    WHERE person = :person AND ("until" IS NULL OR "until" > :now)
), usable AS (
    SELECT 'default' AS pool
    UNION SELECT s.pool FROM shares s JOIN mine ON mine.group_name = s.group_name
)
"""


def _of_groups(statement: str) -> str:
    """Let a statement speak of ``mine``, the person's groups now, and ``usable``, their pools."""
    return _GROUPS_NOW + statement


GROUPS = """
SELECT m.group_name AS name, g.title, MAX(CASE WHEN m."lead" THEN 1 ELSE 0 END) AS leads
FROM memberships m JOIN groups g ON g.name = m.group_name
WHERE m.person = :person AND (m."until" IS NULL OR m."until" > :now)
GROUP BY m.group_name, g.title ORDER BY m.group_name
"""
LIMITS = _of_groups("""
SELECT scope, subject, kind, value FROM limits
WHERE scope = 'platform' OR (scope = 'person' AND subject = :person)
OR (scope = 'group' AND subject IN (SELECT group_name FROM mine))
ORDER BY scope, subject, kind
""")
_SHARES_TEMPLATE = """
SELECT s.group_name, s.pool, s.guaranteed, s.ceiling, s.weight, s.held, {dedicated} AS dedicated
FROM shares s WHERE s.group_name IN (SELECT group_name FROM mine) ORDER BY s.group_name, s.pool
"""
SHARES = _of_groups(_SHARES_TEMPLATE.format(dedicated=claim_facts.DEDICATED))
POOLS = _of_groups("""
SELECT n.pool, n.model, SUM(n.total) AS total, SUM(n.free) AS free, MAX(n.free) AS most, MAX(n.total) AS largest,
    (SELECT COALESCE(SUM(CASE WHEN s.guaranteed > s.held THEN s.guaranteed - s.held ELSE 0 END), 0)
        FROM shares s WHERE s.pool = n.pool AND n.pool = 'default') AS unused,
    (SELECT policy FROM pools WHERE name = n.pool) AS policy
FROM pool_nodes n JOIN usable ON usable.pool = n.pool
GROUP BY n.pool, n.model ORDER BY n.pool, n.model
""")
DEVICES = _of_groups("""
SELECT d.pool, d.model, d.isolation, d.origin, COUNT(*) AS total,
    SUM(CASE WHEN d.healthy AND d.present AND d.usable THEN 0 ELSE 1 END) AS unavailable,
    SUM(CASE WHEN (d.healthy AND d.present AND d.usable) OR d.free THEN 0 ELSE 1 END) AS unavailable_held
FROM devices d JOIN usable ON usable.pool = d.pool WHERE d.present OR NOT d.free
GROUP BY d.pool, d.model, d.isolation, d.origin ORDER BY d.pool, d.model, d.isolation, d.origin
""")
HELD = _of_groups("""
SELECT d.pool, d.model, a.group_name,
    CASE WHEN a.person = :person THEN 1 ELSE 0 END AS own, COUNT(*) AS number
FROM allotments a JOIN holdings h ON h.allotment = a.id JOIN devices d ON d.id = h.device
WHERE a.state <> 'released' AND a.device_count > 0 AND (a.person = :person OR (
    a.group_name IN (SELECT group_name FROM mine) AND a.pool IN (SELECT pool FROM usable)))
GROUP BY d.pool, d.model, a.group_name, CASE WHEN a.person = :person THEN 1 ELSE 0 END
""")
AILING = """
SELECT h.allotment, d.id, d.present, d.health_note
FROM allotments a JOIN holdings h ON h.allotment = a.id JOIN devices d ON d.id = h.device
WHERE a.person = :person AND a.state <> 'released' AND NOT (d.healthy AND d.present) ORDER BY d.id
"""
