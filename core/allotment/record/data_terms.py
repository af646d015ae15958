"""What a server is promised of data at its admission, in one statement."""

from __future__ import annotations

from typing import Any

from allotment.record.audiences import EVERYONE, GROUP, Shared
from allotment.record.columns import to_stored
from allotment.record.engine import Writing
from allotment.rules import data_access
from allotment.rules.data_access import Promise

_PROMISED = """
SELECT a.what, a.name, a.grantee_kind, a.grantee, d.version
FROM audiences a
LEFT JOIN sources s ON a.what = 'source' AND s.name = a.name
LEFT JOIN datasets d ON a.what = 'dataset' AND d.name = a.name
WHERE (a.grantee_kind = 'everyone'
    OR (a.grantee_kind = 'person' AND a.grantee = :person)
    OR (a.grantee_kind = 'group' AND a.grantee IN (
        SELECT group_name FROM memberships
        WHERE person = :person AND ("until" IS NULL OR "until" > :now))))
AND ((s.enabled AND s.usable) OR d.enabled)
ORDER BY a.name, a.grantee_kind, a.grantee
"""


def promised(writing: Writing, person: str) -> dict[str, list[dict[str, Any]]]:
    """Every source and dataset that a person may use now, on which grounds, and each dataset's version.

    Written into an allotment's terms; :func:`allotment.rules.data_access.promises` reads it.
    """
    found: dict[str, dict[str, Promise]] = {Shared.SOURCE: {}, Shared.DATASET: {}}
    parameters = {"person": person, "now": to_stored(writing.now)}
    for row in writing.driver(_PROMISED, parameters):
        known = found[row.what].get(row.name)
        before = () if known is None else known.by
        found[row.what][row.name] = Promise((*before, _ground(row)), row.version)
    return {
        "sources": [data_access.term(*one) for one in found[Shared.SOURCE].items()],
        "datasets": [data_access.term(*one) for one in found[Shared.DATASET].items()],
    }


def _ground(row: Any) -> str:
    if row.grantee_kind == EVERYONE:
        return data_access.EVERYONE
    return data_access.of_group(row.grantee) if row.grantee_kind == GROUP else data_access.PERSON
