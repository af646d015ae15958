"""Forms about the client of the provider. A secret is typed, sent, and forgotten; it is never shown."""

from __future__ import annotations

from allotment_widgets.asking import Asking, Slot
from allotment_widgets.desk import Desk
from allotment_widgets.fields import secret_field
from allotment_widgets.picture import Topic


def looking(desk: Desk, slot: Slot) -> Asking:
    """The form that has the hub look at its provider now."""

    async def act() -> str:
        found = await desk.call(desk.client.sign_on.check)
        desk.again(Topic.SIGN_IN)
        good = all(one.state == "good" for one in found.hubs)
        return "The provider signs people in." if good else "Something is wrong: see the hubs."

    asking = Asking(desk, slot, "Look at the provider", confirm="Look now", act=act)
    asking.will(
        "The hub asks the provider all that can be asked without a person: its description, its keys, "
        "whether it knows the client and its secret, and whether people come back here.",
        "Nobody is signed in or out. It may take a minute.",
    )
    return asking


def replacing(desk: Desk, slot: Slot, client_id: str) -> Asking:
    """The form that replaces the client's secret."""
    secret = secret_field("The new secret", placeholder="As the provider shows it")

    async def act() -> str:
        await desk.call(desk.client.sign_on.replace_secret, secret.value.strip())
        desk.again(Topic.SIGN_IN)
        return "The provider takes the new secret, and every hub uses it."

    title = f"Replace the secret of {client_id}"
    asking = Asking(desk, slot, title, confirm="Try and replace", act=act, fields=[secret])
    asking.will(
        "The provider is asked with it first; where it does not take it, nothing changes.",
        "Then every hub uses it from its next question on. Nobody is signed out.",
        "It is kept encrypted, and nobody can read it again. The one of the settings is not used any more, until another one stands there.",
    )
    asking.needs(secret)

    def forget() -> None:
        secret.value = ""

    asking.closed = forget
    return asking


def withdrawing(desk: Desk, slot: Slot, where: str) -> Asking:
    """The form that goes back to the secret of the settings."""

    async def act() -> str:
        await desk.call(desk.client.sign_on.withdraw_secret)
        desk.again(Topic.SIGN_IN)
        return "The secret of the settings is used again."

    title = "Use the settings' secret again"
    asking = Asking(desk, slot, title, confirm="Try and use", act=act, tone="risk")
    asking.will(
        f"The provider is asked with the one in {where} first; where it does not take it, nothing changes.",
        "The secret that an operator gave is forgotten.",
    )
    return asking
