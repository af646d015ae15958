"""Groups, members and users as rows of grids."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from allotment.model.documents import Department, Group, GroupShare, User
from allotment_widgets.columns import Column, State

ORIGINS = {"console": "the console", "settings": "the settings", "provider": "the provider"}

GROUP_COLUMNS = (
    Column("id", "Group", flex=0.9, width=88),
    Column("title", "Title", flex=1.2, width=96, hide_narrow=True),
    Column("people", "People", kind="number", width=82),
    Column("leads", "Leads", flex=1, width=84),
    Column("pool", "Pool", flex=0.8, width=76),
    Column("held", "Held of guaranteed", kind="meter", width=170),
    Column("ceiling", "Ceiling", kind="number", width=86, hide_narrow=True),
    Column("free", "Free in pool", kind="number", width=112, hide_narrow=True),
    Column("department", "Department", flex=0.8, width=106, hide_narrow=True),
    Column("tags", "Tags", flex=1.1, width=96, hide_narrow=True),
)

DEPARTMENT_COLUMNS = (
    Column("id", "Department", flex=0.9, width=110),
    Column("title", "Title", flex=1.2, width=96, hide_narrow=True),
    Column("groups", "Groups", flex=1.2, width=96),
    Column("held", "Held of ceilings", kind="meter", width=150),
    Column("ceilings", "Ceilings", flex=1.2, width=110),
)

MEMBER_COLUMNS = (
    Column("person", "Person", flex=1, width=100),
    Column("lead", "Lead", kind="yesno", width=84),
    Column("origin", "Given by", flex=1, width=110),
    Column("until", "Until", kind="time", width=120, hide_narrow=True),
    Column("devices", "Devices held", kind="number", width=120),
    Column("servers", "Servers running", kind="number", width=140, hide_narrow=True),
)

USER_STATES = {
    "operator": State("Operator", "info"),
    "reader": State("Reader", "info"),
    "own": State("Own role", "info"),
    "data-scientist": State("Data scientist", "plain"),
    "data-custodian": State("Data custodian", "plain"),
    "unknown": State("Not on board", "warn"),
}

USER_COLUMNS = (
    Column("id", "User", flex=1.1, width=100),
    Column("role", "Role", kind="state", states=USER_STATES, words="role_words", width=140),
    Column("groups", "Groups", flex=1.3, width=110, hover="memberships"),
    Column("leads", "Leads", flex=0.9, width=84, hide_narrow=True),
    Column("devices", "Devices held", kind="number", width=120),
    Column("servers", "Running", kind="number", width=94),
    Column("existing", "Servers", kind="number", width=92, hide_narrow=True),
    Column("onboarded", "On board", kind="time", width=110, hide_narrow=True),
)


def group_row(group: Group) -> dict[str, object]:
    """One group as a row. With several shares: their sums, and the pools listed."""
    shares = group.shares
    guaranteed = sum(each.guaranteed for each in shares)
    return {
        "id": group.name,
        "title": group.title or None,
        "people": group.people,
        "leads": group.leads,
        "pool": ", ".join(each.pool for each in shares) or None,
        "held": (sum(each.held for each in shares), guaranteed) if shares else None,
        "ceiling": sum(each.ceiling for each in shares) if shares else None,
        "free": sum(each.free for each in shares) if shares else None,
        "department": group.department,
        "tags": tag_words(group.tags) or None,
    }


def department_row(department: Department) -> dict[str, object]:
    """One department as a row; with ceilings in several pools: their sums."""
    ceilings = department.ceilings
    return {
        "id": department.name,
        "title": department.title or None,
        "groups": ", ".join(department.groups) or None,
        "held": (sum(one.held for one in ceilings), sum(one.ceiling for one in ceilings))
        if ceilings
        else None,
        "ceilings": ", ".join(f"{one.pool}: {one.held} of {one.ceiling}" for one in ceilings)
        or None,
    }


def tag_words(tags: dict[str, str]) -> str:
    """Tags as they are typed: ``department=research, project=x``."""
    return ", ".join(f"{key}={value}" for key, value in sorted(tags.items()))


def share_words(share: GroupShare) -> str:
    """What a group has in a pool, in a sentence."""
    ceiling = f", up to {share.ceiling}" if share.ceiling > share.guaranteed else ""
    return f"{share.guaranteed} of pool {share.pool} guaranteed{ceiling}; holds {share.held}"


def member_rows(group: str, users: Iterable[User]) -> Iterator[dict[str, object]]:
    """The members of a group; a person has one row, whatever the number of origins."""
    for user in users:
        own = [each for each in user.memberships if each.group == group]
        if own:
            yield {
                "id": user.name,
                "person": user.name,
                "lead": any(each.lead for each in own),
                "origin": " and ".join(ORIGINS[each.origin] for each in own),
                "until": next((each.until for each in own if each.until), None),
                "devices": user.devices,
                "servers": user.servers,
            }


def _role_words(user: User, role: str) -> str | None:
    if user.left_at is not None:
        return "has left"
    return user.role if role == "own" and user.onboarded_at else None


def user_row(user: User) -> dict[str, object]:
    """One person as a row."""
    groups = dict.fromkeys(each.group for each in user.memberships)
    role = user.role if user.role in USER_STATES else "own"
    return {
        "id": user.name,
        "role": role if user.onboarded_at else "unknown",
        "role_words": _role_words(user, role),
        "groups": list(groups) or None,
        "memberships": "; ".join(
            f"{each.group}: given by {ORIGINS[each.origin]}" for each in user.memberships
        ),
        "leads": list(dict.fromkeys(each.group for each in user.memberships if each.lead)) or None,
        "devices": user.devices,
        "servers": user.servers,
        "existing": user.servers_existing,
        "onboarded": user.onboarded_at,
    }
