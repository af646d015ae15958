"""Pools with their devices, and groups with their shares of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from allotment.model.groups import Share
from allotment.model.names import DEFAULT_POOL
from allotment.model.nodes import NodeRule
from allotment.model.reasons import Reason, Rule
from allotment.model.refusals import Refusal
from allotment.model.sharing import PoolPolicy
from allotment.record import Reading, Writing, devices, groups, pools
from allotment.settings.expectations import suggestion
from allotment.settings.parts.part import Key, Part, Said, Scene, Words
from allotment.settings.schema import DeclaredGroup, DeclaredPool, Settings


class Pools(Part):
    """Pools, their devices, and how they are shared. Of the default pool only that can be declared."""

    kind = "pool"

    def said(self, settings: Settings, scene: Scene) -> dict[str, Said]:  # noqa: ARG002 - the file says all
        """What the settings say, by name."""
        return {
            pool.name: Said(_pool_words(pool), ("pools", index))
            for index, pool in enumerate(settings.pools)
        }

    def found(self, scene: Scene) -> dict[str, Words]:
        """What the record says, by name. The default pool is there once somebody has said how it is shared."""
        found: dict[str, Words] = {}
        for pool in pools.all_pools(scene.reading):
            if pool.name == DEFAULT_POOL and pool.policy == PoolPolicy():
                continue
            found[pool.name] = pool.policy.model_dump(mode="json")
            if pool.name != DEFAULT_POOL:
                members = devices.all_devices(scene.reading, pool.name)
                found[pool.name]["devices"] = sorted(device.id for device in members)
                found[pool.name]["nodes"] = _rule_words(pool.nodes)
        return found

    def make(self, writing: Writing, name: str, words: Words) -> None:
        """Make a pool; its devices leave the pool they are in."""
        if name == DEFAULT_POOL:
            self.change(writing, name, words)
            return
        ids = words.get("devices", ())
        _know_devices(writing, ids)
        policy = PoolPolicy.model_validate(_policy(words))
        rule = _rule(words)
        pools.create(writing, name, ids, words.get("model", ""), policy, rule)

    def change(self, writing: Writing, name: str, words: Words) -> None:
        """Give a pool its devices, and say how it is shared."""
        if "nodes" in words:
            pools.set_nodes(writing, name, _rule(words))
        if "devices" in words:
            _know_devices(writing, words["devices"])
            if pools.get(writing, name).nodes is not None:
                pools.set_nodes(writing, name, None)
            pools.edit(writing, name, words["devices"])
        if policy := _policy(words):
            before = pools.get(writing, name).policy.model_dump(mode="json")
            pools.set_policy(writing, name, PoolPolicy.model_validate(before | policy))


def _pool_words(pool: DeclaredPool) -> Words:
    words: Words = pool.policy
    if pool.nodes is not None:
        words["nodes"] = _rule_words(pool.nodes)
    elif pool.name != DEFAULT_POOL:
        words["devices"] = sorted(pool.devices)
    return words | ({"model": pool.model} if pool.model else {})


def _rule_words(rule: NodeRule | None) -> Words:
    """Which nodes a pool is made of; nothing for one that was given its devices."""
    return {} if rule is None else rule.model_dump(mode="json", exclude_defaults=True)


def _rule(words: Words) -> NodeRule | None:
    said = words.get("nodes")
    return NodeRule.model_validate(said) if said else None


def _policy(words: Words) -> Words:
    return {key: value for key, value in words.items() if key in PoolPolicy.model_fields}


def _know_devices(reading: Reading, wanted: Iterable[str]) -> None:
    known = tuple(device.id for device in devices.all_devices(reading))
    reasons = [
        Reason(
            Rule.NOT_FOUND,
            f"There is no device {device!r} on this platform.",
            remedy=suggestion(device, known).capitalize() or "No device was found at all.",
            details=known,
        )
        for device in wanted
        if device not in known
    ]
    if reasons:
        raise Refusal(*reasons)


class Groups(Part):
    """Groups with their shares."""

    kind = "group"

    def said(self, settings: Settings, scene: Scene) -> dict[str, Said]:  # noqa: ARG002 - the file says all
        """What the settings say, by name."""
        return {
            group.name: Said(_group_words(group), ("groups", index))
            for index, group in enumerate(settings.groups)
        }

    def found(self, scene: Scene) -> dict[str, Words]:
        """What the record says, by name."""
        shares: dict[str, list[Words]] = {}
        for share in groups.all_shares(scene.reading):
            shares.setdefault(share.group, []).append(
                _share_words(share.pool, share.guaranteed, share.ceiling, share.weight)
            )
        return {
            group.name: {
                "title": group.title,
                "tags": group.tags,
                "shares": shares.get(group.name, []),
                "department": group.department,
            }
            for group in groups.all_groups(scene.reading)
        }

    def needs(self, name: str, words: Words) -> tuple[Key, ...]:  # noqa: ARG002 - its shares say it
        """The pools of its shares, and its department."""
        above = words.get("department")
        own = (("department", str(above)),) if above else ()
        return (*own, *(("pool", share["pool"]) for share in words.get("shares", ())))

    def make(self, writing: Writing, name: str, words: Words) -> None:
        """Make a group."""
        shares = _shares(name, words.get("shares", ()))
        groups.create(
            writing,
            name,
            words.get("title", ""),
            words.get("tags", {}),
            shares,
            words.get("department"),
        )

    def change(self, writing: Writing, name: str, words: Words) -> None:
        """Change what the words give; the rest stays."""
        shares = _shares(name, words["shares"]) if "shares" in words else None
        above = (words["department"] or "") if "department" in words else None
        groups.edit(writing, name, words.get("title"), words.get("tags"), shares, department=above)

    def give_back(self, writing: Writing, name: str, words: Words) -> None:
        """Lower a group's guarantees to what it will keep, so that others can be given theirs."""
        if "shares" not in words:
            return
        keeps = {share["pool"]: share["guaranteed"] for share in words["shares"]}
        before = groups.all_shares(writing, name)
        after = tuple(
            Share(name, one.pool, min(one.guaranteed, keeps[one.pool]), one.ceiling, one.weight)
            for one in before
            if one.pool in keeps
        )
        if after != before:
            groups.edit(writing, name, wanted=after)


def _group_words(group: DeclaredGroup) -> Words:
    words: Words = {"title": group.title, "tags": group.tags, "department": group.department}
    words["shares"] = [
        _share_words(
            share.pool,
            share.guaranteed,
            share.guaranteed if share.ceiling is None else share.ceiling,
            share.weight,
        )
        for share in group.shares
    ]
    return {key: value for key, value in words.items() if key in group.model_fields_set}


def _share_words(pool: str, guaranteed: int, ceiling: int, weight: float) -> dict[str, Any]:
    return {"pool": pool, "guaranteed": guaranteed, "ceiling": ceiling, "weight": weight}


def _shares(group: str, shares: Sequence[Words]) -> tuple[Share, ...]:
    return tuple(Share(group=group, **share) for share in shares)
