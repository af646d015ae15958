"""Permission: who may do what. Pure; asked at each request with what the record says then.

Three things decide together: what the caller's role permits, how far the caller's token reaches,
and whose thing it is. Nobody gives, takes or takes over what they are not permitted themselves:
or whoever may make roles could make themselves an operator.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from allotment.model.allotments import Allotment
from allotment.model.names import CONSOLE_SERVER
from allotment.model.people import Authority, Permission
from allotment.model.reasons import Reason, Rule

OPERATE_SCOPE = "custom:allotment:operate"
"""The scope without which a token acts as a data scientist's, for its owner's own things."""

LEAD_PERMISSIONS = frozenset(
    {Permission.STOP_SERVERS, Permission.MANAGE_LIMITS, Permission.MANAGE_PEOPLE}
)
"""What leading a group permits inside it: who acts on a lead must be permitted as much."""


class Reach(StrEnum):
    """How much of its owner's authority a token carries."""

    EVERYTHING = "everything"
    """All that the owner's role permits."""
    OWN = "own"
    """The owner's own things, as a data scientist."""
    READ_OWN = "read-own"
    """Reading the owner's own data: a browser's cookie, which any page behind the hub can use."""


def reach(scopes: Collection[str], *, person: str, cookie: bool, server: str | None) -> Reach:
    """How far a token reaches.

    ``server`` is the name of the server whose own token it is (known by its hash), None for any
    other token. Whatever a server's token was given, only the console's reaches everything.
    """
    if cookie:
        return Reach.READ_OWN
    marked = not {OPERATE_SCOPE, f"{OPERATE_SCOPE}!user={person}"}.isdisjoint(scopes)
    if not marked or (server is not None and server != CONSOLE_SERVER):
        return Reach.OWN
    return Reach.EVERYTHING


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, with what the record says they may do, and how far their token reaches.

    ``server`` is the allotment of the server whose own token it is, None for any other token.
    """

    authority: Authority
    reach: Reach
    server: Allotment | None = None
    program: bool = False
    """Whether it is a service account's token: it owns nothing, and acts for no person."""

    @property
    def person(self) -> str:
        """The caller's name."""
        return self.authority.person

    @property
    def permissions(self) -> frozenset[Permission]:
        """What the role permits, as far as the token reaches."""
        return self.authority.permissions if self.reach is Reach.EVERYTHING else frozenset()

    @property
    def leads(self) -> tuple[str, ...]:
        """The groups that the caller leads, as far as the token reaches."""
        return self.authority.leads if self.reach is Reach.EVERYTHING else ()


@dataclass(frozen=True, slots=True)
class Sight:
    """What a caller may see, for lists: everything, or own things and those of led groups."""

    everything: bool
    person: str
    groups: tuple[str, ...]
    """Groups that the caller is in: their shares and counts, not their members' things."""
    leads: tuple[str, ...]

    def sees(self, person: str | None, groups: Collection[str | None] = ()) -> bool:
        """Whether a thing of this person, in these groups, may be seen."""
        return self.everything or person == self.person or not set(self.leads).isdisjoint(groups)

    def sees_group(self, group: str) -> bool:
        """Whether a group's shares and counts may be seen."""
        return self.everything or group in self.groups or group in self.leads

    def sees_members(self, group: str) -> bool:
        """Whether it may be seen who is in a group."""
        return self.everything or group in self.leads


def sight(caller: Caller) -> Sight:
    """What a caller may see."""
    everything = Permission.SEE_ALL in caller.permissions
    return Sight(everything, caller.person, caller.authority.groups, caller.leads)


class Action(StrEnum):
    """Everything that the control plane can be asked to do, in the words of a refusal."""

    SEE_THING = "see this"
    SEE_PLATFORM = "see this part of the platform"
    CHANGE_POOLS = "change pools"
    CHANGE_GROUPS = "change groups"
    CHANGE_MEMBERS = "change who is in this group"
    APPOINT_LEADS = "change who leads this group"
    ONBOARD = "on-board people"
    MOVE_PEOPLE = "move people between groups"
    REMOVE_PEOPLE = "remove people"
    RESET_PASSWORD = "make a link that resets this password"  # noqa: S105 - words of a refusal
    SEE_ADDRESS = "see this e-mail address"
    CHANGE_ADDRESS = "change this e-mail address"
    ASSIGN_ROLE = "give people roles"
    CHANGE_ROLES = "change roles"
    CHANGE_ACCOUNTS = "make and revoke service accounts"
    LET_GO = "let this person leave"
    KEEP_HOMES = "keep, archive, restore and remove homes"
    LINK_PEOPLE = "say whose an account of the provider is"
    FORESEE_MAPPING = "foresee what a mapping of the provider's groups would change"
    CHANGE_SIGN_IN = "look at the provider, and replace the secret of its client"
    PROVISION = "keep people as a directory says"
    LIMIT_PERSON = "set limits of this person"
    LIMIT_OTHERS = "set limits of groups and of the platform"
    BUDGET_PERSON = "set the budget of this person"
    BUDGET_OTHERS = "set budgets of groups and departments"
    CHANGE_PROFILES = "enable and disable profiles"
    REVOKE_PROFILE = "revoke profiles"
    CHANGE_TYPES = "change instance types"
    LIMIT_TYPES = "set limits of instance types"
    REVOKE_TYPE = "revoke instance types"
    STOP_SERVER = "stop or start this server"
    WAIT = "wait with a server of one's own"
    CANCEL_TICKET = "take this ticket out of the queue"
    MOVE_TICKET = "change the order of the queue"
    EXTEND_SERVER = "put off the end of this server"
    CHANGE_PLATFORM = "choose mode and default group"
    CHANGE_SOURCE = "change this source"
    ACCEPT_PROOF = "accept a source that is not proven read-only"
    LEND = "read data itself"
    REGISTER_DATASET = "register datasets"
    CHANGE_DATASET = "change this dataset"
    CHANGE_TARGETS = "change targets of versions"
    REGISTER_MODEL = "register models"
    CHANGE_MODEL = "change this model"
    SIMULATE = "replay history"
    CONFIGURE = "apply settings"


@dataclass(frozen=True, slots=True)
class Grant:
    """Who may do something: whoever has all of ``needs``, if any; its owner; leads of its group."""

    needs: frozenset[Permission]
    owner: bool = False
    lead: bool = False
    reads: bool = False


def _needs(*permissions: Permission) -> frozenset[Permission]:
    return frozenset(permissions)


GRANTS: dict[Action, Grant] = {
    Action.SEE_THING: Grant(_needs(Permission.SEE_ALL), owner=True, lead=True, reads=True),
    Action.SEE_PLATFORM: Grant(_needs(Permission.SEE_ALL), reads=True),
    Action.CHANGE_POOLS: Grant(_needs(Permission.MANAGE_POOLS)),
    Action.CHANGE_GROUPS: Grant(_needs(Permission.MANAGE_GROUPS)),
    Action.CHANGE_MEMBERS: Grant(_needs(Permission.MANAGE_PEOPLE), lead=True),
    Action.APPOINT_LEADS: Grant(_needs(Permission.MANAGE_ROLES)),
    Action.ONBOARD: Grant(_needs(Permission.MANAGE_PEOPLE)),
    Action.MOVE_PEOPLE: Grant(_needs(Permission.MANAGE_PEOPLE)),
    Action.REMOVE_PEOPLE: Grant(_needs(Permission.MANAGE_PEOPLE)),
    Action.RESET_PASSWORD: Grant(_needs(Permission.MANAGE_PEOPLE)),
    Action.SEE_ADDRESS: Grant(_needs(Permission.MANAGE_PEOPLE), owner=True, reads=True),
    Action.CHANGE_ADDRESS: Grant(_needs(Permission.MANAGE_PEOPLE), owner=True),
    Action.ASSIGN_ROLE: Grant(_needs(Permission.MANAGE_ROLES)),
    Action.CHANGE_ROLES: Grant(_needs(Permission.MANAGE_ROLES)),
    # Each hands out, or takes over, what somebody may do.
    Action.CHANGE_ACCOUNTS: Grant(_needs(Permission.MANAGE_ROLES)),
    Action.LINK_PEOPLE: Grant(_needs(Permission.MANAGE_PEOPLE)),
    Action.LET_GO: Grant(_needs(Permission.MANAGE_PEOPLE, Permission.STOP_SERVERS)),
    Action.KEEP_HOMES: Grant(_needs(Permission.MANAGE_PEOPLE, Permission.STOP_SERVERS)),
    Action.FORESEE_MAPPING: Grant(_needs(Permission.SEE_ALL)),
    # Whoever says how people sign in could sign in as anybody.
    Action.CHANGE_SIGN_IN: Grant(frozenset(Permission)),
    # A directory lets operators go, too, so it is permitted what concerns roles.
    Action.PROVISION: Grant(
        _needs(Permission.MANAGE_PEOPLE, Permission.MANAGE_ROLES, Permission.STOP_SERVERS)
    ),
    Action.LIMIT_PERSON: Grant(_needs(Permission.MANAGE_LIMITS), lead=True),
    Action.LIMIT_OTHERS: Grant(_needs(Permission.MANAGE_LIMITS)),
    Action.BUDGET_PERSON: Grant(_needs(Permission.MANAGE_LIMITS), lead=True),
    Action.BUDGET_OTHERS: Grant(_needs(Permission.MANAGE_LIMITS)),
    Action.CHANGE_PROFILES: Grant(_needs(Permission.MANAGE_PROFILES)),
    Action.REVOKE_PROFILE: Grant(_needs(Permission.MANAGE_PROFILES, Permission.STOP_SERVERS)),
    Action.CHANGE_TYPES: Grant(_needs(Permission.MANAGE_PROFILES)),
    Action.LIMIT_TYPES: Grant(_needs(Permission.MANAGE_LIMITS)),
    Action.REVOKE_TYPE: Grant(_needs(Permission.MANAGE_PROFILES, Permission.STOP_SERVERS)),
    Action.STOP_SERVER: Grant(_needs(Permission.STOP_SERVERS), owner=True, lead=True),
    Action.EXTEND_SERVER: Grant(_needs(Permission.STOP_SERVERS), owner=True, lead=True),
    Action.CHANGE_PLATFORM: Grant(_needs(Permission.MANAGE_GROUPS, Permission.MANAGE_PEOPLE)),
    Action.CHANGE_SOURCE: Grant(_needs(Permission.MANAGE_SOURCES), lead=True),
    Action.ACCEPT_PROOF: Grant(_needs(Permission.MANAGE_SOURCES)),
    Action.LEND: Grant(_needs(), owner=True),
    Action.REGISTER_DATASET: Grant(_needs(Permission.MANAGE_SOURCES), owner=True),
    Action.CHANGE_DATASET: Grant(_needs(Permission.MANAGE_SOURCES), owner=True, lead=True),
    Action.CHANGE_TARGETS: Grant(_needs(Permission.MANAGE_SOURCES)),
    Action.REGISTER_MODEL: Grant(_needs(), owner=True),
    Action.CHANGE_MODEL: Grant(_needs(Permission.MANAGE_SOURCES), owner=True),
    Action.SIMULATE: Grant(_needs(Permission.SEE_ALL)),
    Action.WAIT: Grant(_needs(), owner=True),
    Action.CANCEL_TICKET: Grant(_needs(Permission.STOP_SERVERS), owner=True, lead=True),
    Action.MOVE_TICKET: Grant(_needs(Permission.MANAGE_POOLS)),
    # A settings file can say anything, so whoever applies one must be permitted everything: it
    # hands out roles, and nobody gives what they are not permitted themselves.
    Action.CONFIGURE: Grant(frozenset(Permission)),
}


@dataclass(frozen=True, slots=True)
class Target:
    """What an action is about, as far as permission depends on it.

    ``person`` is whose thing it is, ``groups`` are the groups that it belongs to: the one that
    pays for a server, all that a person is in. To see a thing, leading one of them is enough; to
    change it a lead must lead all. ``touches`` are the permissions that the action gives, takes or
    takes over.
    """

    person: str | None = None
    groups: tuple[str, ...] = ()
    touches: frozenset[Permission] = frozenset()


NOTHING = Target()


def judge(caller: Caller, action: Action, target: Target = NOTHING) -> Reason | None:
    """Return why the caller may not do this, or None where they may."""
    grant = GRANTS[action]
    if caller.reach is Reach.READ_OWN and not grant.reads:
        return _cookie(action)
    if not _granted(caller, grant, target):
        return _refused(caller, action, grant, target)
    beyond = target.touches - caller.permissions
    return _beyond(action, beyond) if beyond else None


def _granted(caller: Caller, grant: Grant, target: Target) -> bool:
    if grant.needs and grant.needs <= caller.permissions:
        return True
    if grant.owner and caller.person and target.person == caller.person:
        return True
    if not grant.lead or not target.groups:
        return False
    led = set(target.groups) & set(caller.leads)
    return bool(led) if grant.reads else led == set(target.groups)


def _cookie(action: Action) -> Reason:
    return Reason(
        Rule.PERMISSION,
        f"A browser's cookie may only read its owner's own data; to {action} takes a token.",
        remedy="Send a token in the Authorization header; the hub's token page makes one.",
    )


def _refused(caller: Caller, action: Action, grant: Grant, target: Target) -> Reason:
    role = caller.authority.role
    who = f"{caller.person} ({role})" if role else f"{caller.person}, who is not on-boarded,"
    if caller.program:
        who = f"The service account {caller.person.partition(':')[2]}"
    needed = tuple(sorted(grant.needs))
    full = Caller(caller.authority, Reach.EVERYTHING)
    if caller.reach is not Reach.EVERYTHING and _granted(full, grant, target):
        return Reason(
            Rule.PERMISSION,
            f"This token may not {action}: it reaches its owner's own things only.",
            remedy=f"Use a token with the scope {OPERATE_SCOPE}, or the operator console.",
            details=needed,
        )
    return Reason(
        Rule.PERMISSION,
        f"{who} may not {action}.",
        remedy=f"Ask an operator; it takes the permission {' and '.join(needed)}."
        if needed
        else "Nobody may but whose it is.",
        details=needed,
    )


def _beyond(action: Action, beyond: frozenset[Permission]) -> Reason:
    missing = tuple(sorted(beyond))
    return Reason(
        Rule.PERMISSION,
        f"To {action} here concerns permissions that you do not have: {', '.join(missing)}.",
        remedy="Ask an operator who has them.",
        details=missing,
    )


def judge_lead_limit(kind_words: str, value: int | None, own: int | None) -> Reason | None:
    """Return why a lead may not give a member this limit: it is beyond the group's own.

    ``value`` and ``own`` are counts; None stands for no limit of its own (``value``: the group's
    then binds) and for no limit at all (``own``).
    """
    if value is None or own is None or value <= own:
        return None
    return Reason(
        Rule.PERMISSION,
        f"A lead gives members at most what the group may have: {own} {kind_words}.",
        limit=own,
        asked=value,
        remedy=f"Give at most {own}, or ask an operator for a higher limit of the group.",
    )
