"""Forms for profiles: offering them, no longer offering them, and taking them from running servers too."""

from __future__ import annotations

from allotment.model.documents import Profile, Server
from allotment_widgets.asking import Asking, Slot
from allotment_widgets.desk import Desk
from allotment_widgets.fields import text_field
from allotment_widgets.picture import Picture, Topic
from allotment_widgets.sentences import counted_as, devices_count, listed, server_words
from allotment_widgets.server_rows import is_active
from allotment_widgets.server_table import outcome_words

_CHANGED = (Topic.PROFILES, Topic.OVERVIEW, Topic.SERVERS)


def holders(picture: Picture, profile: str) -> list[Server]:
    """Servers that still hold a profile."""
    return [
        each for each in picture.servers.values() if each.profile == profile and is_active(each)
    ]


def enabling(desk: Desk, slot: Slot, profile: Profile, *, enabled: bool) -> Asking:
    """The form that offers a profile to new servers, or no longer."""
    verb = "Enable" if enabled else "Disable"

    async def act() -> str:
        await desk.call(
            desk.client.profiles.set_enabled, profile.name, enabled, revision=profile.revision
        )
        desk.again(*_CHANGED)
        return f"{profile.name} is {'offered again' if enabled else 'no longer offered'}."

    title = f"{verb} {profile.name}"
    asking = Asking(desk, slot, title, confirm=verb, act=act, tone="main" if enabled else "risk")
    asking.will(*_enabling_lines(desk.picture, profile, enabled=enabled))
    asking.enable(possible=enabled != profile.enabled)
    return asking


def _enabling_lines(picture: Picture, profile: Profile, *, enabled: bool) -> list[str]:
    if enabled == profile.enabled:
        return [f"It is {'enabled' if enabled else 'disabled'} already."]
    if enabled:
        return ["Whoever may see it can launch it again."]
    held = holders(picture, profile.name)
    lines = ["It vanishes from the launch page, and new servers cannot have it."]
    if held:
        number = counted_as(len(held), "server that holds it keeps", "servers that hold it keep")
        lines.append(f"{number} it: {listed(server_words(each) for each in held)}.")
        lines.append("Revoke takes it from them too.")
    return lines


def revoking(desk: Desk, slot: Slot, profile: Profile) -> Asking:
    """The form that disables a profile and stops every server that holds it."""
    held = holders(desk.picture, profile.name)
    reason = text_field("Why? Their users read it.", placeholder="A flaw in its image", wide=True)

    async def act() -> str:
        done = await desk.call(desk.client.profiles.revoke, profile.name, reason.value.strip())
        desk.again(*_CHANGED)
        return f"{profile.name} is no longer offered. {outcome_words(done.outcomes)}".strip()

    title = f"Revoke {profile.name}"
    asking = Asking(desk, slot, title, confirm=title, act=act, fields=[reason], tone="risk")
    lines = ["It vanishes from the launch page, and new servers cannot have it."]
    if held:
        number = counted_as(len(held), "server is stopped", "servers are stopped")
        lines.append(f"{number} at once: {listed(server_words(each) for each in held)}.")
        devices = sum(len(each.devices) for each in held)
        if devices:
            lines.append(f"{devices_count(devices)} become free.")
    else:
        lines.append("No server holds it now.")
    lines.append("A reason is needed: the users of these servers read it.")
    asking.will(*lines)
    asking.needs(reason)
    return asking
