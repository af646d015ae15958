"""Admission: the rules that every claim is asked, in the order in which a page shows them.

Each rule is written once and returns a reason or nothing. All are asked, so that a refusal names
everything that stands in the way.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from allotment.model.claims import Refused, Waits
from allotment.model.groups import Mode
from allotment.model.names import CONSOLE_PROFILE, CONSOLE_SERVER
from allotment.model.reasons import WAITING_RULES, Reason, Rule
from allotment.rules.budget import budget_reasons
from allotment.rules.instance_types import type_reason
from allotment.rules.limiting import limit_reasons
from allotment.rules.sharing import choose_pool, serving_pools
from allotment.rules.standing import Standing

LONGEST_SERVER_NAME = 63
"""What a label of Kubernetes and a part of a host name can hold."""


@dataclass(frozen=True, slots=True)
class Admitted:
    """The rules grant the claim: who pays, and from which pool and model (None without devices)."""

    group: str | None
    pool: str | None
    model: str | None


Decision = Admitted | Waits | Refused


def admit(standing: Standing) -> Decision:
    """Decide one claim against the standing. Pure: the same standing gives the same decision."""
    reasons = list(gate_reasons(standing))
    group = paying_group(standing)
    reasons += limit_reasons(standing, group)
    price = standing.profile.price if standing.profile else None
    reasons += budget_reasons(standing.budgets, price, group)
    of_type = type_reason(standing)
    pool, of_pool = choose_pool(standing, group)
    reasons += [reason for reason in (of_type, of_pool) if reason is not None]
    if not reasons:
        return Admitted(group, pool.pool if pool else None, pool.model if pool else None)
    if all(reason.rule in WAITING_RULES for reason in reasons) and serving_pools(standing, group):
        return Waits(tuple(reasons))
    return Refused(tuple(reasons))


def gate_reasons(standing: Standing) -> tuple[Reason, ...]:
    """What stands in the way before anything is counted: names, profile, person, group."""
    return tuple(reason for rule in _GATES for reason in [rule(standing)] if reason is not None)


def paying_group(standing: Standing) -> str | None:
    """The group that pays: the one asked for, or the only one there is."""
    if standing.claim.group is not None:
        return standing.claim.group
    return standing.groups[0] if len(standing.groups) == 1 else None


def _server_name(standing: Standing) -> Reason | None:
    claim = standing.claim
    if len(claim.server) > LONGEST_SERVER_NAME:
        return Reason(
            Rule.SERVER_NAME,
            f"A server's name has at most {LONGEST_SERVER_NAME} characters; this one has {len(claim.server)}.",
            limit=LONGEST_SERVER_NAME,
            asked=len(claim.server),
            remedy="Choose a shorter name.",
        )
    if standing.server_waits:
        return Reason(
            Rule.SERVER_NAME,
            f"Your server {claim.server or 'default'!r} waits for its turn already.",
            remedy="Wait until it starts by itself, take it out of the queue, or choose another name.",
        )
    if standing.server_active:
        return Reason(
            Rule.SERVER_NAME,
            f"Your server {claim.server or 'default'!r} is still starting, running or stopping.",
            remedy="Wait until it has ended, or choose another name.",
        )
    if (claim.server == CONSOLE_SERVER) != (claim.profile == CONSOLE_PROFILE):
        return Reason(
            Rule.SERVER_NAME,
            f"The server name {CONSOLE_SERVER!r} and the profile {CONSOLE_PROFILE!r} belong to each other: one is not launched without the other.",
            remedy=f"Choose another name than {CONSOLE_SERVER!r}."
            if claim.server == CONSOLE_SERVER
            else f"Name the server {CONSOLE_SERVER!r}.",
        )
    return None


def _profile_visible(standing: Standing) -> Reason | None:
    claim, profile = standing.claim, standing.profile
    visible = profile is not None and profile.visible_for(claim.person, standing.groups)
    if visible and claim.profile == CONSOLE_PROFILE:
        visible = standing.may_use_console
    if visible:
        return None
    offered = standing.visible_profiles
    if standing.successor is not None:
        return Reason(
            Rule.PROFILE_VISIBLE,
            f"The profile {claim.profile!r} is not offered any more.",
            remedy=f"Launch {standing.successor.name!r} instead. {standing.successor.message}".strip(),
            details=(standing.successor.name,),
        )
    return Reason(
        Rule.PROFILE_VISIBLE,
        f"There is no profile {claim.profile[:80]!r} that you may launch."
        if claim.profile
        else "No profile was chosen.",
        remedy=f"Choose one of: {', '.join(offered[:12])}."
        if offered
        else "Ask an operator to give you a profile.",
        details=offered,
    )


def _software_offered(standing: Standing) -> Reason | None:
    claim, profile = standing.claim, standing.profile
    if profile is None or not claim.software or profile.chosen_software(claim.software):
        return None
    if not profile.software:
        return Reason(
            Rule.SOFTWARE_OFFERED,
            f"The profile {profile.name!r} leaves no choice of software.",
            remedy="Launch it without naming software.",
        )
    names = tuple(one.name for one in profile.software)
    return Reason(
        Rule.SOFTWARE_OFFERED,
        f"The profile {profile.name!r} is not offered with the software {claim.software[:80]!r}.",
        remedy=f"Choose one of: {', '.join(names)}.",
        details=names,
    )


def _person_onboarded(standing: Standing) -> Reason | None:
    if standing.onboarded:
        return None
    return Reason(
        Rule.PERSON_ONBOARDED,
        f"{standing.claim.person} is not on-boarded to this platform.",
        remedy="Ask an operator to on-board you.",
    )


def _person_confirmed(standing: Standing) -> Reason | None:
    if standing.lapsed_at is None:
        return None
    since = f"{standing.lapsed_at:%Y-%m-%d %H:%M} UTC"
    return Reason(
        Rule.PERSON_CONFIRMED,
        f"The identity provider has not confirmed {standing.claim.person} since {since}; until it does, nothing new starts.",
        remedy="Sign out and in again. If that does not help, ask whoever runs the identity provider.",
    )


def _group_chosen(standing: Standing) -> Reason | None:
    asked, groups = standing.claim.group, standing.groups
    if asked is not None and asked not in groups:
        known = f"You are in {', '.join(groups)}." if groups else "You are in no group."
        return Reason(
            Rule.GROUP_CHOSEN,
            f"You are not in a group {asked[:80]!r}.",
            remedy=f"{known} Choose a group that you are in, or leave the choice out.",
            details=groups,
        )
    if len(groups) < 2 or standing.profile is None or standing.profile.devices == 0:  # noqa: PLR2004 - a choice
        return None
    if standing.mode is Mode.STRICT:
        return Reason(
            Rule.GROUP_STRICT,
            f"You are in {' and '.join(groups)}, and here a person is in one group at a time.",
            limit=1,
            used=len(groups),
            remedy="Ask an operator to take you out of all but one.",
            details=groups,
        )
    if asked is None:
        return Reason(
            Rule.GROUP_CHOSEN,
            f"You are in {' and '.join(groups)}, and only one of them can pay.",
            remedy="Choose the group that pays for this server.",
            details=groups,
        )
    return None


_GATES: tuple[Callable[[Standing], Reason | None], ...] = (
    _server_name,
    _profile_visible,
    _software_offered,
    _person_onboarded,
    _person_confirmed,
    _group_chosen,
)
