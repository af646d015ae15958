"""Fields for the policy of a replay: one pool, one group and one profile at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from pydantic import ValidationError

from allotment.model.durations import format_duration
from allotment.model.simulation import PoolPlan, ProfilePlan, ShareInPlan, SimulationPolicy
from allotment_widgets.desk import Desk
from allotment_widgets.fields import (
    choice_field,
    fraction_field,
    number_field,
    put,
    show,
    stack,
    text_field,
    tick_field,
    words,
)
from allotment_widgets.sentences import will_happen

NEVER = "off"
_POOL_TIMES = {
    "minimum_runtime": "A borrower keeps devices at least",
    "grace": "From the notice to the stop",
    "protect_after": "Nobody overtakes who has waited",
}
_PROFILE_TIMES = {"idle": "Stopped when idle for", "lifetime": "Lifetime"}


class PolicyFields:
    """A policy that starts as another and is changed field by field. ``changed`` is told each time."""

    def __init__(self, desk: Desk, changed: Callable[[], None]) -> None:
        self._desk, self._changed = desk, changed
        self.policy: SimulationPolicy | None = None
        self._filler: int | None = None
        """The thread that fills the fields: what it changes nobody wrote."""
        self._wrong = words()
        self._pool, self._group, self._profile = (
            choice_field(label, []) for label in ("Pool", "Group", "Profile")
        )
        self._devices = number_field("Devices", 1, least=1)
        self._lends = tick_field("Lend what groups do not use")
        self._times = {key: text_field(label) for key, label in _POOL_TIMES.items()}
        self._guaranteed, self._ceiling = number_field("Guaranteed"), number_field("Ceiling")
        self._weight = fraction_field("Weight", 1.0)
        self._ends = {
            key: text_field(label, placeholder="60m, or off")
            for key, label in _PROFILE_TIMES.items()
        }
        self._price = text_field("Price an hour", placeholder="2.40")
        self._shares = stack(
            self._group, self._guaranteed, self._ceiling, self._weight, kind="fields"
        )
        self._profiles = stack(self._profile, *self._ends.values(), self._price, kind="fields")
        pool = stack(self._pool, self._devices, *self._times.values(), self._lends, kind="fields")
        self.view = stack(pool, self._shares, self._profiles, self._wrong)
        self._listen()

    def _listen(self) -> None:
        """Choices show what they choose; the others are written into the policy."""
        for choice in (self._pool, self._group, self._profile):
            choice.observe(lambda _: self._soon(self._show), "value")
        of_pool = (self._devices, self._lends, *self._times.values())
        of_share = (self._guaranteed, self._ceiling, self._weight)
        for fields, write in (
            (of_pool, self._write_pool),
            (of_share, self._write_share),
            ((*self._ends.values(), self._price), self._write_profile),
        ):
            for field in fields:
                field.observe(
                    lambda _, write=write: self._soon(lambda: self._write(write)), "value"
                )

    def _soon(self, work: Callable[[], None]) -> None:
        """Follow what somebody wrote or chose."""
        if threading.get_ident() != self._filler:
            self._desk.backend.soon(work)

    def start(self, policy: SimulationPolicy) -> None:
        """Begin with a policy."""
        self.policy = policy
        self._wrong_is()
        self._show()

    def _show(self) -> None:
        """Show of the policy what is chosen."""
        if self.policy is None:
            return
        self._filler = threading.get_ident()
        try:
            _offer(self._pool, [pool.name for pool in self.policy.pools])
            _offer(self._profile, [profile.name for profile in self.policy.profiles])
            pool = self._chosen_pool(self.policy)
            _offer(self._group, [share.group for share in pool.written_shares])
            self._show_pool(pool)
            self._show_share(pool, pool.share(str(self._group.value)))
            self._show_profile(self.policy.profile(str(self._profile.value)))
        finally:
            self._filler = None

    def _chosen_pool(self, policy: SimulationPolicy) -> PoolPlan:
        return policy.pool(str(self._pool.value)) or policy.pools[0]

    def _show_pool(self, pool: PoolPlan) -> None:
        self._devices.value, self._lends.value = pool.devices, pool.sharing
        for key, field in self._times.items():
            field.value = format_duration(getattr(pool, key))

    def _show_share(self, pool: PoolPlan, share: ShareInPlan | None) -> None:
        if share is not None:
            self._guaranteed.value = share.guaranteed
            self._ceiling.value = pool.devices if share.ceiling is None else share.ceiling
            self._weight.value = (
                float(share.guaranteed or 1) if share.weight is None else share.weight
            )
        show(self._shares, shown=share is not None)

    def _show_profile(self, profile: ProfilePlan | None) -> None:
        if profile is not None:
            for key, field in self._ends.items():
                duration = getattr(profile, key)
                field.value = NEVER if duration is None else format_duration(duration)
            self._price.value = "" if profile.price is None else f"{profile.price:f}"
        show(self._profiles, shown=profile is not None)

    def _write(self, write: Callable[[SimulationPolicy], SimulationPolicy]) -> None:
        """Take what is written over, unless it is wrong."""
        if self.policy is None:
            return
        try:
            policy = write(self.policy)
        except ValidationError as error:
            self._wrong_is(*(_sentence(one) for one in error.errors()))
            return
        self._wrong_is()
        if policy != self.policy:
            self.policy = policy
            self._changed()

    def _wrong_is(self, *lines: str) -> None:
        self.wrong = bool(lines)
        put(self._wrong, will_happen(lines))
        if lines:
            self._changed()

    def _write_pool(self, policy: SimulationPolicy) -> SimulationPolicy:
        pool = self._chosen_pool(policy)
        said: dict[str, Any] = {key: field.value for key, field in self._times.items()}
        devices = int(self._devices.value)
        # What is there more or less stands on nodes of their own, or is missing on the last ones.
        nodes = _nodes(pool.nodes, devices)
        said |= {"sharing": self._lends.value, "devices": devices, "nodes": nodes}
        return policy.with_pool(PoolPlan.model_validate(pool.model_dump() | said))

    def _write_share(self, policy: SimulationPolicy) -> SimulationPolicy:
        pool = self._chosen_pool(policy)
        share = pool.share(str(self._group.value))
        if share is None:
            return policy
        guaranteed = int(self._guaranteed.value)
        changed = share.model_copy(
            update={
                "guaranteed": guaranteed,
                "ceiling": max(guaranteed, int(self._ceiling.value)),
                "weight": float(self._weight.value),
            }
        )
        self._fill(self._ceiling, changed.ceiling)
        shares = tuple(changed if one.group == share.group else one for one in pool.written_shares)
        return policy.with_pool(pool.model_copy(update={"shares": shares}))

    def _fill(self, field: Any, value: Any) -> None:
        """Show what was written for its writer: a ceiling rises with the guarantee."""
        self._filler = threading.get_ident()
        field.value = value
        self._filler = None

    def _write_profile(self, policy: SimulationPolicy) -> SimulationPolicy:
        profile = policy.profile(str(self._profile.value))
        if profile is None:
            return policy
        said: dict[str, Any] = {key: field.value for key, field in self._ends.items()}
        said["price"] = self._price.value.strip() or None
        return policy.with_profile(ProfilePlan.model_validate({"name": profile.name} | said))


def _nodes(nodes: tuple[int, ...], devices: int) -> tuple[int, ...]:
    """The same nodes with so many devices in all."""
    found: list[int] = []
    for node in nodes:
        if devices > 0:
            found.append(min(node, devices))
            devices -= found[-1]
    return (*found, devices) if nodes and devices else tuple(found)


def _offer(choice: Any, names: list[str]) -> None:
    """Offer these, and keep what is chosen where it is among them."""
    if list(choice.options) != names:
        before = choice.value
        choice.options = names
        # Options that replace none at all choose nothing.
        choice.value = before if before in names else next(iter(names), None)


def _sentence(error: Any) -> str:
    key = str(error["loc"][0])
    label = {**_POOL_TIMES, **_PROFILE_TIMES, "price": "Price an hour"}.get(key, key)
    remedy = "a number such as 2.40" if key == "price" else "30m, 12h, 2d or 1h30m"
    if key in _PROFILE_TIMES:
        remedy += ", or off"
    return f"{label}: {str(error['input'])[:40]!r} cannot be read. Write {remedy}."
