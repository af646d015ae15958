"""The tables of the record. They change only through migrations.

Three kinds of rows: configuration (with a revision), what is held (allotments and holdings), and
what happened (events, minutes). Counters (``shares.held``, ``pool_nodes.free``) repeat what the
holdings say, in the same transaction, so that an admission costs the same with ten servers as with
ten thousand; :mod:`allotment.record.counting` recounts them.
"""

from allotment.record.schema.base import metadata
from allotment.record.schema.capacity import (
    department_ceilings,
    departments,
    devices,
    groups,
    limits,
    nodes,
    pool_nodes,
    pools,
    shares,
)
from allotment.record.schema.cordons import cordons
from allotment.record.schema.data import (
    attachments,
    audiences,
    datasets,
    leftovers,
    loans,
    registered_models,
    secrets,
    sources,
    version_tags,
    version_targets,
    versions,
)
from allotment.record.schema.endings import endings, keeps
from allotment.record.schema.happening import (
    answers,
    counters,
    declared,
    device_minutes,
    events,
    leases,
    platform,
    server_minutes,
)
from allotment.record.schema.homes import home_archives, homes
from allotment.record.schema.hubs import hubs
from allotment.record.schema.mails import mails
from allotment.record.schema.money import budget_warnings, budgets
from allotment.record.schema.people import credentials, memberships, people, reset_links, roles
from allotment.record.schema.queue import estimates, reservations, tickets
from allotment.record.schema.serving import allotments, drift, holdings, profiles, servers
from allotment.record.schema.sign_in import (
    client_secrets,
    ended_sessions,
    known_providers,
    session_ends,
    sign_in_looks,
)
from allotment.record.schema.sign_on import (
    directory_groups,
    directory_members,
    directory_people,
    farewells,
    identities,
    leavings,
    links,
    service_accounts,
)
from allotment.record.schema.software import releases
from allotment.record.schema.types import instance_types, quotas, storage

__all__ = [
    "allotments",
    "answers",
    "attachments",
    "audiences",
    "budget_warnings",
    "budgets",
    "client_secrets",
    "cordons",
    "counters",
    "credentials",
    "datasets",
    "declared",
    "department_ceilings",
    "departments",
    "device_minutes",
    "devices",
    "directory_groups",
    "directory_members",
    "directory_people",
    "drift",
    "ended_sessions",
    "endings",
    "estimates",
    "events",
    "farewells",
    "groups",
    "holdings",
    "home_archives",
    "homes",
    "hubs",
    "identities",
    "instance_types",
    "keeps",
    "known_providers",
    "leases",
    "leavings",
    "leftovers",
    "limits",
    "links",
    "loans",
    "mails",
    "memberships",
    "metadata",
    "nodes",
    "people",
    "platform",
    "pool_nodes",
    "pools",
    "profiles",
    "quotas",
    "registered_models",
    "releases",
    "reservations",
    "reset_links",
    "roles",
    "secrets",
    "server_minutes",
    "servers",
    "service_accounts",
    "session_ends",
    "shares",
    "sign_in_looks",
    "sources",
    "storage",
    "tickets",
    "version_tags",
    "version_targets",
    "versions",
]
