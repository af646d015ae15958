"""Forms for service accounts. The token is shown once, in a form of its own, and nowhere else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from html import escape

from allotment.model.documents import ServiceAccount, ServiceAccountToken
from allotment.model.people import Permission
from allotment.model.service_accounts import LONGEST
from allotment_widgets.asking import Asking, Slot
from allotment_widgets.desk import Desk
from allotment_widgets.fields import number_field, text_field, tick_field, words
from allotment_widgets.picture import Topic


def making(desk: Desk, slot: Slot) -> Asking:
    """The form that makes a service account, of what its maker may do."""
    name = text_field("Name", placeholder="nightly-report")
    note = text_field("What it is for", placeholder="Report of use, each night")
    days = number_field("Days until it ends", 90, least=1)
    own = [each for each in Permission if desk.may(each)]
    ticks = {each: tick_field(str(each)) for each in own}

    async def act() -> str:
        wanted = [each for each, tick in ticks.items() if tick.value]
        end = datetime.now(UTC) + timedelta(days=days.value)
        made = await desk.call(
            desk.client.service_accounts.create,
            name.value.strip(),
            wanted,
            end,
            note=note.value.strip(),
        )
        desk.again(Topic.ACCOUNTS)
        _told(desk, slot, made).open()
        return ""

    fields = [name, note, days, *ticks.values()]
    asking = Asking(desk, slot, "Make a service account", confirm="Make", act=act, fields=fields)

    def refresh() -> None:
        wanted = [str(each) for each, tick in ticks.items() if tick.value]
        asking.will(*_lines(name.value.strip(), wanted, days.value))
        possible = bool(name.value.strip() and wanted and days.value <= LONGEST.days)
        asking.enable(possible=possible)

    for field in (name, days, *ticks.values()):
        field.observe(lambda _: desk.backend.soon(refresh), "value")
    refresh()
    return asking


def _lines(name: str, wanted: list[str], days: int) -> list[str]:
    if not name or not wanted:
        return ["Write a name, and tick what it may do: some of what you may do."]
    if days > LONGEST.days:
        return [f"It lasts {LONGEST.days} days at most."]
    end = datetime.now(UTC) + timedelta(days=days)
    return [
        f"Whoever has its token may, until {end:%Y-%m-%d}: {', '.join(wanted)}.",
        "It never may more than you: what your role loses, it loses. It ends when you leave.",
        "The token is shown once.",
    ]


def _told(desk: Desk, slot: Slot, made: ServiceAccountToken) -> Asking:
    """The token, once."""
    code = words(f'<code class="linkbox" tabindex="0">{escape(made.token)}</code>')
    title = f"The token of {made.account.name}"
    asking = Asking(desk, slot, title, confirm="", act=None, fields=[code])

    def forget() -> None:
        code.value = ""

    asking.closed = forget
    asking.will(
        "Copy it now to where the program reads it. Nobody can read it again.",
        "The program sends it as Authorization: Bearer, or finds it in ALLOTMENT_TOKEN.",
    )
    return asking


def revoking(desk: Desk, slot: Slot, account: ServiceAccount) -> Asking:
    """The form that ends a service account."""

    async def act() -> str:
        await desk.call(desk.client.service_accounts.revoke, account.name)
        desk.again(Topic.ACCOUNTS)
        return f"{account.name} was revoked."

    title = f"Revoke {account.name}"
    asking = Asking(desk, slot, title, confirm="Revoke", act=act, tone="risk")
    used = f"{account.used_at:%Y-%m-%d %H:%M} UTC" if account.used_at else "never"
    asking.will(
        "Its token is known no more, at once; whatever uses it is refused.",
        f"It was used last: {used}.",
    )
    return asking
