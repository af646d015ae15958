"""Letting people go: the record's part at once, then their servers; hubs end the rest by themselves."""

from __future__ import annotations

from collections.abc import Iterable

from allotment.api.plane import ControlPlane, require
from allotment.api.stopping import Wanted, stop_servers
from allotment.api.views.names import server_id
from allotment.model import documents
from allotment.model.amounts import counted
from allotment.model.names import CONSOLE_SERVER
from allotment.record import Reading, Writing, allotments, leaving, people, roles
from allotment.record.leaving import WHY, Leaving
from allotment.rules.permission import LEAD_PERMISSIONS, Action, Caller, Target


def let_go(writing: Writing, caller: Caller, name: str, why: str, heir: str | None) -> Leaving:
    """Let a person go, as far as the record goes. Nobody lets go whom they have no power over.

    Raises:
        NotFound, NotPermitted: as ever.
        Refusal: no operator would be left, or the heir is not here.
    """
    require(caller, Action.LET_GO, power_over(writing, name))
    return leaving.leave(writing, name, why, heir)


def stop_servers_of(plane: ControlPlane, caller: Caller, name: str) -> None:
    """Have every server of a person who has left stopped. What is not done in seconds goes on."""
    with plane.record.reading() as reading:
        held = leaving.foresee(reading, name).servers
        latest = [allotments.latest(reading, hub, name, server) for hub, server in held]
    wanted = [Wanted.of(one) for one in latest if one is not None]
    if wanted:
        stop_servers(plane, caller, wanted, WHY)


def power_over(reading: Reading, name: str) -> Target:
    """What whoever lets this person go takes from the platform: what their role and their leading permits."""
    authority = people.get(reading, name)
    role = next(one for one in roles.all_roles(reading) if one.name == authority.role)
    leads = people.leads_any(reading, name)
    return Target(person=name, touches=role.permissions | (LEAD_PERMISSIONS if leads else set()))


def leaving_document(held: Leaving) -> documents.Leaving:
    """What it means that somebody leaves, with the sentences that pages show."""
    return documents.Leaving(
        person=held.person,
        role=held.role,
        groups=held.groups,
        servers=tuple(server_id(hub, held.person, name) for hub, name in held.servers),
        tickets=held.tickets,
        reservations=held.reservations,
        service_accounts=held.service_accounts,
        datasets=held.datasets,
        models=held.models,
        heir=held.heir,
        left_at=held.left_at,
        words=tuple(_sentences(held)),
    )


def _sentences(held: Leaving) -> Iterable[str]:
    person = held.person
    if held.left_at is not None:
        yield f"{person} left on {held.left_at:%Y-%m-%d}."
    else:
        yield f"{person} can sign in no more; passwords, tokens and sharing of servers end."
    if held.groups:
        yield f"{person} leaves {', '.join(held.groups)}, and loses their data at once."
    if held.servers:
        names = ", ".join(_shown(name) for _, name in held.servers[:8])
        yield f"{counted(len(held.servers), 'server')} {_are(held.servers)} stopped: {names}."
    if held.tickets:
        yield f"{counted(held.tickets, 'place')} in the queue {'is' if held.tickets == 1 else 'are'} given up."
    if held.reservations:
        yield f"{counted(held.reservations, 'reservation')} {'ends' if held.reservations == 1 else 'end'}."
    if held.service_accounts:
        names = ", ".join(held.service_accounts)
        yield f"Service accounts that {person} made are revoked: {names}."
    things = [(held.datasets, "dataset"), (held.models, "model")]
    registered = " and ".join(counted(number, noun) for number, noun in things if number)
    if registered:
        yield f"{registered} {held.heir or 'nobody'} owns then; who may use them stays."
    to = f"moved to {held.heir}" if held.heir else "kept"
    yield f"The home is {to}. What {person} did stays in the record."


def _shown(name: str) -> str:
    return {"": "the default server", CONSOLE_SERVER: "the console"}.get(name, name)


def _are(some: tuple[object, ...]) -> str:
    return "is" if len(some) == 1 else "are"
