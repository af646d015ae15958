"""The form that says how a pool is shared."""

from __future__ import annotations

from pydantic import ValidationError

from allotment.model.documents import Pool
from allotment.model.durations import format_duration
from allotment.model.reasons import Reason, Rule
from allotment.model.refusals import Refusal
from allotment.model.sharing import PoolPolicy
from allotment_widgets.asking import Asking, Slot
from allotment_widgets.desk import Desk
from allotment_widgets.fields import text_field, tick_field
from allotment_widgets.foreseeing import Foreseen
from allotment_widgets.picture import Topic

_LABELS = {
    "minimum_runtime": "A borrower keeps devices at least",
    "grace": "From the notice to the stop",
    "protect_after": "Nobody overtakes who has waited",
}


def sharing(desk: Desk, slot: Slot, pool: Pool) -> Asking:
    """The form that says how a pool is shared."""
    lends = tick_field("Lend what groups do not use")
    lends.value = pool.policy.sharing
    times = {
        key: text_field(label, format_duration(getattr(pool.policy, key)), placeholder="30m")
        for key, label in _LABELS.items()
    }

    def written() -> PoolPolicy:
        said = {key: field.value for key, field in times.items()}
        try:
            return PoolPolicy.model_validate({"sharing": lends.value, **said})
        except ValidationError as error:
            raise Refusal(*(_wrong(str(one["loc"][0]), said) for one in error.errors())) from None

    async def act() -> str:
        wanted = written()
        await desk.call(desk.client.pools.set_policy, pool.name, wanted, revision=pool.revision)
        desk.again(Topic.OVERVIEW)
        return f"Pool {pool.name}: {wanted.sentence}"

    fields = [lends, *times.values()]
    title = f"Sharing of pool {pool.name}"
    asking = Asking(desk, slot, title, confirm="Save", act=act, fields=fields)

    foreseen = Foreseen(desk, asking)

    def refresh() -> None:
        try:
            wanted = written()
        except Refusal as refusal:
            foreseen.say([reason.message for reason in refusal.reasons])
            asking.enable(possible=False)
            return
        asking.enable(possible=True)
        calls = desk.client.pools
        foreseen.say(_lines(pool, wanted), lambda: calls.consequences(pool.name, policy=wanted))

    for field in fields:
        field.observe(lambda _: desk.backend.soon(refresh), "value")
    refresh()
    return asking


def _wrong(key: str, said: dict[str, str]) -> Reason:
    return Reason(
        Rule.REQUEST,
        f"{_LABELS[key]}: {said[key][:40]!r} is no duration.",
        remedy="Write 90s, 30m, 12h, 2d or 1h30m.",
    )


def _lines(pool: Pool, wanted: PoolPolicy) -> list[str]:
    lines = [wanted.sentence]
    if wanted.sharing and not any(one.ceiling > one.guaranteed for one in pool.shares):
        lines.append(
            "No group may borrow yet: its ceiling is its guarantee. Raise ceilings in the groups' panel."
        )
    return lines
