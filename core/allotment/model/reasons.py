"""Reasons: why a claim is refused or waits. They are part of the interface."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Rule(StrEnum):
    """The rules by their ids. Their order on a page is their order here."""

    SERVER_NAME = "server.name"
    PROFILE_VISIBLE = "profile.visible"
    SOFTWARE_OFFERED = "software.offered"
    PERSON_ONBOARDED = "person.onboarded"
    PERSON_CONFIRMED = "person.confirmed"
    """Whom the identity provider has not confirmed in time."""
    GROUP_CHOSEN = "group.chosen"
    LIMIT_SERVERS = "limit.servers"
    LIMIT_SERVERS_EXISTING = "limit.servers_existing"
    LIMIT_DEVICES = "limit.devices"
    LIMIT_INSTANCES = "limit.instances"
    STORAGE_PERSON = "storage.person"
    BUDGET_PERSON = "budget.person"
    BUDGET_GROUP = "budget.group"
    BUDGET_DEPARTMENT = "budget.department"
    TYPE_ENABLED = "type.enabled"
    TYPE_LIMIT = "type.limit"
    SHARE_POOL = "share.pool"
    SHARE_GUARANTEE = "share.guarantee"
    SHARE_CEILING = "share.ceiling"
    DEVICES_FREE = "devices.free"
    QUEUE_TURN = "queue.turn"
    """Others who wait come first, or devices are kept for somebody."""
    QUEUE_TICKETS = "queue.tickets"
    QUEUE_TICKET = "queue.ticket"
    """A ticket that does not wait any more, or is another's."""
    # Outside admission: what an operator may not do.
    PERMISSION = "permission"
    POOL_MODEL = "pool.model"
    POOL_IN_USE = "pool.in_use"
    POOL_CAPACITY = "pool.capacity"
    POOL_SHARED = "pool.shared"
    POOL_NODES = "pool.nodes"
    """Its devices come and go with nodes."""
    TYPE_IN_USE = "type.in_use"
    GROUP_IN_USE = "group.in_use"
    GROUP_STRICT = "group.strict"
    PERSON_IN_USE = "person.in_use"
    LAST_OPERATOR = "person.last_operator"
    NAME_TAKEN = "name.taken"
    LIMIT_MODELS = "limit.models"
    """Registered models of one person."""
    DATA_SOURCE = "data.source"
    """A source or dataset cannot be opened as it is registered."""
    DATA_AUDIENCE = "data.audience"
    """It is not shared with whoever asks, or may not be shared so widely."""
    DATA_ENABLED = "data.enabled"
    """It is disabled, or was taken back."""
    DATA_PROOF = "data.proof"
    """Nothing shows that its users cannot write."""
    DATA_ADDRESS = "data.address"
    """An address on the network that may not be opened."""
    DATA_PATH = "data.path"
    """A file or folder that may not be opened."""
    DATA_LABEL = "data.label"
    """What a privacy label does not allow."""
    DATA_VERSION = "data.version"
    ENDING_EXTEND = "ending.extend"
    ENDING_KEEP = "ending.keep"
    NOT_FOUND = "not_found"
    SETTINGS = "settings"
    REQUEST = "request"
    """The request itself cannot be understood, or comes at the wrong time."""


WAITING_RULES = frozenset(
    {Rule.SHARE_GUARANTEE, Rule.SHARE_CEILING, Rule.DEVICES_FREE, Rule.QUEUE_TURN}
)
"""A claim that fails only these could start later without anybody changing a limit."""

_REFUSED_WORDS: dict[str, str] = {
    Rule.SERVER_NAME: "a name that servers cannot have",
    Rule.PROFILE_VISIBLE: "a profile that the person may not see",
    Rule.SOFTWARE_OFFERED: "software that is not offered",
    Rule.PERSON_ONBOARDED: "a person who is not on-boarded",
    Rule.PERSON_CONFIRMED: "a person whom the identity provider has not confirmed in time",
    Rule.GROUP_CHOSEN: "no group that could pay",
    Rule.LIMIT_SERVERS: "the limit of running servers",
    Rule.LIMIT_SERVERS_EXISTING: "the limit of servers that exist",
    Rule.LIMIT_DEVICES: "the person's limit of devices",
    Rule.LIMIT_INSTANCES: "the limit of cloud instances",
    Rule.STORAGE_PERSON: "too much in the home",
    Rule.BUDGET_PERSON: "the person's budget",
    Rule.BUDGET_GROUP: "the group's budget",
    Rule.BUDGET_DEPARTMENT: "the department's budget",
    Rule.TYPE_ENABLED: "an instance type that is disabled",
    Rule.TYPE_LIMIT: "the limit of an instance type",
    Rule.SHARE_POOL: "no share in a pool of such devices",
    Rule.QUEUE_TICKETS: "too many tickets",
}


def refused_words(rule: str) -> str:
    """What launches were refused for, by the id of a rule; of a rule that has no words the id."""
    return _REFUSED_WORDS.get(rule, rule)


@dataclass(frozen=True, slots=True)
class Reason:
    """One rule that stands in the way.

    ``limit``, ``used`` and ``asked`` are counts in the rule's own unit, where it has one.
    ``remedy`` is the smallest change that would help; ``details`` are facts for programs.
    """

    rule: Rule
    message: str
    limit: int | None = None
    used: int | None = None
    asked: int | None = None
    remedy: str = ""
    details: tuple[str, ...] = ()

    def document(self) -> dict[str, Any]:
        """The reason as JSON."""
        return asdict(self) | {"rule": str(self.rule), "details": list(self.details)}

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> Reason:
        """Read a reason from JSON."""
        return cls(
            **{
                **document,
                "rule": Rule(document["rule"]),
                "details": tuple(document.get("details", ())),
            }
        )

    @property
    def sentence(self) -> str:
        """Message and remedy in one line."""
        return f"{self.message} {self.remedy}".strip()
