"""The form that makes the changed policy of a replay the platform's own."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from allotment.client import NewShare
from allotment.model.documents import Consequences, Group
from allotment.model.policy_changes import policy_changes
from allotment.model.sharing import PoolPolicy
from allotment.model.simulation import PoolPlan, SimulationPolicy
from allotment_widgets.asking import Asking, Slot
from allotment_widgets.desk import Desk
from allotment_widgets.foreseeing import Foreseen, together
from allotment_widgets.picture import Topic


class Applying:
    """What of a changed policy can be written, and what somebody must do with their hands."""

    def __init__(
        self,
        desk: Desk,
        present: SimulationPolicy,
        changed: SimulationPolicy,
        applied: Callable[[], None],
    ) -> None:
        self._desk, self._applied = desk, applied
        self._pools = [
            pool
            for pool in changed.pools
            if (before := present.pool(pool.name)) is not None
            and policy_of(before) != policy_of(pool)
        ]
        self._shares = _changed_shares(present, changed)
        self._by_hand = by_hand(present, changed)
        self._lines = policy_changes(present, changed)
        self._groups: dict[str, Group] = {}

    def form(self, slot: Slot) -> Asking:
        """The form; it says first what will become of whom."""
        asking = Asking(self._desk, slot, "Apply this policy", confirm="Apply", act=self._act)
        asking.enable(possible=bool(self._pools or self._shares))
        Foreseen(self._desk, asking).say(
            [*self._lines, *self._by_hand], self._foresee if self._shares else None
        )
        return asking

    def _foresee(self) -> Consequences:
        """What the control plane says of each group that changes."""
        client = self._desk.client
        self._groups = {name: client.groups.get(name) for name in self._shares}
        # What grows may need the room of what shrinks, which is not there yet.
        shrinking = [name for name in self._shares if self._growth(name) < 0]
        return together(
            client.groups.consequences(name, self._wanted(self._groups[name]))
            for name in shrinking or self._shares
        )

    def _wanted(self, group: Group) -> Sequence[NewShare]:
        """All shares of the group, those that change as they are to be."""
        wanted = self._shares[group.name]
        kept = [
            NewShare(one.pool, one.guaranteed, one.ceiling, one.weight)
            for one in group.shares
            if one.pool not in wanted
        ]
        return [*kept, *wanted.values()]

    async def _act(self) -> str:
        await self._desk.call(self._write)
        self._desk.again(Topic.OVERVIEW)
        self._applied()
        return "The policy is in force."

    def _write(self) -> None:
        """Guarantees that shrink first, so that those that grow have room."""
        client = self._desk.client
        for pool in self._pools:
            revision = client.pools.get(pool.name).revision
            client.pools.set_policy(pool.name, policy_of(pool), revision=revision)
        for name in sorted(self._shares, key=self._growth):
            group = self._groups[name]
            client.groups.edit(name, shares=self._wanted(group), revision=group.revision)

    def _growth(self, name: str) -> int:
        before = {one.pool: one.guaranteed for one in self._groups[name].shares}
        return sum(one.guaranteed - before.get(pool, 0) for pool, one in self._shares[name].items())


def policy_of(pool: PoolPlan) -> PoolPolicy:
    """How a pool is shared, of all that a plan says."""
    return PoolPolicy(**{key: getattr(pool, key) for key in PoolPolicy.model_fields})


def _changed_shares(
    present: SimulationPolicy, changed: SimulationPolicy
) -> dict[str, dict[str, NewShare]]:
    """By group and pool, the shares that are to be others."""
    found: dict[str, dict[str, NewShare]] = {}
    for pool in changed.pools:
        before = present.pool(pool.name)
        for share in pool.written_shares:
            if before is None or before.share(share.group) == share:
                continue
            weight = 1.0 if share.weight is None else share.weight
            wanted = NewShare(pool.name, share.guaranteed, share.ceiling, weight)
            found.setdefault(share.group, {})[pool.name] = wanted
    return found


def by_hand(present: SimulationPolicy, changed: SimulationPolicy) -> list[str]:
    """What no form can do: devices are bought, and profiles are files."""
    lines = []
    for pool in changed.pools:
        before = present.pool(pool.name)
        if before is not None and before.devices != pool.devices:
            lines.append(
                f"Devices of {pool.name} come and go with the machines: this form leaves them as they are."
            )
    lines += [
        f"Profile {profile.name} is a file: write its idle, lifetime and price there."
        for profile in changed.profiles
        if profile != present.profile(profile.name)
    ]
    return lines
