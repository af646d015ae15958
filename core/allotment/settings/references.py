"""What the parts of a settings file say about each other: names that must exist, sums that must fit.

The checks read the document as it was written, whatever else is wrong with it, so that a reader
is told everything at once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from ipaddress import ip_address

from allotment.model.amounts import counted
from allotment.model.groups import Mode
from allotment.model.names import DEFAULT_POOL
from allotment.model.people import BUILT_IN_ROLES, BuiltInRole
from allotment.settings.document import Document, Problem
from allotment.settings.entries import (
    Entry,
    Wrong,
    names_of,
    operators_of,
    people_known,
    repeated,
)
from allotment.settings.expectations import suggestion
from allotment.settings.homes import homes
from allotment.settings.kubernetes_pools import nodes_of_pools
from allotment.settings.sign_on_references import sign_in
from allotment.settings.source_references import sources


def check_references(document: Document) -> tuple[Problem, ...]:
    """Everything that does not fit together in a settings file."""
    top = Entry((), document.value)
    return tuple(
        document.problem(place, message) for check in _CHECKS for place, message in check(top)
    )


def _names_once(top: Entry) -> Iterator[Wrong]:
    yield from repeated(names_of(top, "devices", "id"), "device")
    yield from repeated(names_of(top, "pools"), "pool")
    yield from repeated(names_of(top, "departments"), "department")
    yield from repeated(names_of(top, "groups"), "group")
    yield from repeated(names_of(top, "instance_types"), "instance type")
    yield from repeated(names_of(top, "sources"), "source")
    yield from repeated(top.inner("sign_in").texts("operators"), "operator")
    yield from repeated(top.texts("disabled_profiles"), "profile")
    for group in top.entries("groups"):
        yield from repeated(group.texts("members"), "member")
        yield from repeated(group.texts("leads"), "lead")


def _devices_of_pools(top: Entry) -> Iterator[Wrong]:
    declared = {entry.text("id") or "": entry.text("model") for entry in top.entries("devices")}
    known = isinstance(top.value.get("devices"), list)
    owner: dict[str, str] = {}
    for pool in top.entries("pools"):
        name = pool.text("name") or "this one"
        if name == DEFAULT_POOL and {"devices", "model"} & set(pool.value):
            yield (*pool.place, "name"), _DEFAULT
        for place, device in pool.texts("devices"):
            if known and device not in declared:
                yield place, f"there is no device {device!r}; {suggestion(device, declared)}"
            if device in owner:
                yield place, f"device {device!r} is in pool {owner[device]!r} already"
            owner.setdefault(device, name)
        yield from _one_model(pool, declared)


_DEFAULT = "the default pool holds every device that no other pool holds; only how it is shared can be said"


def _one_model(pool: Entry, declared: dict[str, str | None]) -> Iterator[Wrong]:
    own = pool.text("model")
    first: tuple[str, str] | None = ("the pool", own) if own else None
    for place, device in pool.texts("devices"):
        model = declared.get(device)
        if model is None:
            continue
        first = first or (repr(device), model)
        if model != first[1]:
            message = (
                f"a pool holds one model of device; {device!r} is {model!r}, "
                f"and {first[0]} is {first[1]!r}"
            )
            yield place, message


def _strict(top: Entry) -> bool:
    return top.text("mode") != Mode.FLEXIBLE


def _departments(top: Entry) -> Iterator[Wrong]:
    known = {name for _, name in names_of(top, "departments")}
    pools = {name for _, name in names_of(top, "pools")} | {DEFAULT_POOL}
    for group in top.entries("groups"):
        name = group.text("department")
        if name is not None and name not in known:
            yield (
                (*group.place, "department"),
                f"there is no department {name!r}; {suggestion(name, known)}".rstrip("; "),
            )
    for department in top.entries("departments"):
        ceilings = department.inner("ceilings")
        for pool in ceilings.value:
            if pool not in pools:
                yield (
                    (*ceilings.place, pool),
                    f"there is no pool {pool!r}; {suggestion(pool, pools)}",
                )


def _default_group(top: Entry) -> Iterator[Wrong]:
    name, known = top.text("default_group"), {one for _, one in names_of(top, "groups")}
    if name is not None and name not in known:
        yield (
            ("default_group",),
            f"there is no group {name!r}; {suggestion(name, known)}".rstrip("; "),
        )


def _pools_of_shares(top: Entry) -> Iterator[Wrong]:
    known = {name for _, name in names_of(top, "pools")} | {DEFAULT_POOL}
    for group in top.entries("groups"):
        shares = list(group.entries("shares"))
        yield from repeated(
            (((*share.place, "pool"), share.text("pool") or "") for share in shares), "pool"
        )
        if _strict(top) and len({share.text("pool") for share in shares}) > 1:
            yield (
                (*shares[1].place,),
                f"in strict mode a group has one pool; this one has {len(shares)}",
            )
        for share in shares:
            pool = share.text("pool")
            if pool is not None and pool not in known:
                yield (
                    (*share.place, "pool"),
                    f"there is no pool {pool!r}; {suggestion(pool, known)}",
                )
            guaranteed, ceiling = share.number("guaranteed"), share.number("ceiling")
            if guaranteed is not None and ceiling is not None and guaranteed > ceiling:
                yield (
                    (*share.place, "ceiling"),
                    f"expected at least the guarantee of {guaranteed}, found {ceiling}",
                )


def _capacities(top: Entry) -> dict[str, int]:
    """How many devices each pool has; pools that this file alone cannot tell are left out."""
    sizes = {
        name: len({device for _, device in pool.texts("devices")})
        for pool in top.entries("pools")
        for name in [pool.text("name")]
        if name and name != DEFAULT_POOL and "nodes" not in pool.value
    }
    devices = top.value.get("devices")
    if isinstance(devices, list):
        sizes[DEFAULT_POOL] = max(0, len(devices) - sum(sizes.values()))
    return sizes


def _guarantees(top: Entry) -> Iterator[Wrong]:
    capacities = _capacities(top)
    given: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for group in top.entries("groups"):
        for share in group.entries("shares"):
            pool = share.text("pool") or ""
            guaranteed = share.number("guaranteed")
            if pool not in capacities or guaranteed is None:
                continue
            given[pool].append((group.text("name") or "?", guaranteed))
            total = sum(number for _, number in given[pool])
            if total > capacities[pool]:
                each = ", ".join(f"{name} {number}" for name, number in given[pool])
                yield (
                    (*share.place, "guaranteed"),
                    f"pool {pool!r} has {counted(capacities[pool], 'device')}, and {total} would be guaranteed ({each})",
                )


def _one_group_each(top: Entry) -> Iterator[Wrong]:
    if not _strict(top):
        return
    group_of: dict[str, str] = {}
    for group in top.entries("groups"):
        name = group.text("name") or "?"
        here: set[str] = set()
        for place, person in (*group.texts("members"), *group.texts("leads")):
            if person not in here and person in group_of:
                yield (
                    place,
                    f"{person!r} is in group {group_of[person]!r} already; in strict mode a person is in one group",
                )
            here.add(person)
        group_of = dict.fromkeys(here, name) | group_of


def _limits(top: Entry) -> Iterator[Wrong]:
    limits = top.inner("limits")
    groups = {name for _, name in names_of(top, "groups")}
    for name in limits.inner("groups").value:
        if name not in groups:
            yield (
                ("limits", "groups", name),
                f"there is no group {name!r}; {suggestion(name, groups)}".rstrip("; "),
            )
    people = people_known(top)
    for name in limits.inner("people").value:
        if name not in people:
            yield (
                ("limits", "people", name),
                f"nobody of this name is in a group, in people or among the operators; {suggestion(name, people)}".rstrip(
                    "; "
                ),
            )


def _budgets(top: Entry) -> Iterator[Wrong]:
    given = top.inner("budgets")
    for place, known in (
        ("groups", {name for _, name in names_of(top, "groups")}),
        ("members", {name for _, name in names_of(top, "groups")}),
        ("people", people_known(top)),
    ):
        what = "person" if place == "people" else "group"
        for name in given.inner(place).value:
            if name not in known:
                yield (
                    ("budgets", place, name),
                    f"this file names no {what} {name!r}; {suggestion(name, known)}".rstrip("; "),
                )


def _roles(top: Entry) -> Iterator[Wrong]:
    own = top.inner("roles").value
    for name in own:
        if name in BUILT_IN_ROLES:
            yield ("roles", name), f"role {name!r} is built in; give yours another name"
    known = {*own, *BUILT_IN_ROLES}
    operators = operators_of(top)
    people = top.inner("people")
    for name in people.value:
        role = people.inner(name).text("role")
        if role is not None and role not in known:
            yield ("people", name, "role"), f"there is no role {role!r}; {suggestion(role, known)}"
        if name in operators and role not in {None, BuiltInRole.OPERATOR}:
            yield (
                ("people", name, "role"),
                f"{name!r} is an operator by sign_in.operators; expected 'operator', found {role!r}",
            )


def _bind(top: Entry) -> Iterator[Wrong]:
    bind = top.text("bind")
    try:
        open_to_others = bind not in {None, "localhost"} and not ip_address(bind or "").is_loopback
    except ValueError:
        return  # the shape says it already
    apart = "kubernetes" in top.value or top.inner("servers").value.get("system_users") is True
    if open_to_others and not apart:
        message = (
            "everyone's servers run as one system user, so only 127.0.0.1 is allowed; "
            "to listen elsewhere, run the hub as root with servers.system_users: true"
        )
        yield ("bind",), message


def _pods_or_users(top: Entry) -> Iterator[Wrong]:
    servers = top.inner("servers").value
    for key in ("system_users", "python_environments"):
        if "kubernetes" in top.value and servers.get(key):
            yield (
                ("servers", key),
                "servers are pods where kubernetes is set; leave one of both out",
            )


def _kubernetes(top: Entry) -> Iterator[Wrong]:
    cluster = top.inner("kubernetes")
    pools = {name for _, name in names_of(top, "pools")} | {DEFAULT_POOL}
    groups = {name for _, name in names_of(top, "groups")}
    places = ((cluster.inner("pools"), "pool", pools),)
    queues = ((cluster.inner("kueue").inner("queues"), "group", groups),)
    for entry, what, known in (*places, *queues):
        for name in entry.value:
            if name not in known:
                message = f"there is no {what} {name!r}; {suggestion(name, known)}"
                yield (*entry.place, name), message.rstrip("; ")


_CHECKS: tuple[Callable[[Entry], Iterator[Wrong]], ...] = (
    _names_once,
    _devices_of_pools,
    nodes_of_pools,
    _pools_of_shares,
    _guarantees,
    _one_group_each,
    _departments,
    _default_group,
    _limits,
    _budgets,
    _roles,
    sources,
    sign_in,
    _bind,
    _pods_or_users,
    _kubernetes,
    homes,
)
