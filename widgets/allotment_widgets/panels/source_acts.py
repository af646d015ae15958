"""What can be done with a source: test, prove, accept, enable and disable, revoke, delete."""

from __future__ import annotations

from functools import partial
from typing import Any

from allotment.model.documents import Dataset, Source
from allotment.model.refusals import AllotmentError
from allotment_widgets.asking import Asking, Slot
from allotment_widgets.desk import Desk
from allotment_widgets.panels.source_forms import CHANGED, proven_words
from allotment_widgets.sentences import counted_as, listed, problem_lines
from allotment_widgets.source_rows import SHARED, audience_words

_CHANGING = frozenset(
    {"change", "test", "prove", "accept", "enable", "disable", "revoke", "delete"}
)


def senseless(source: Source | None) -> frozenset[str]:
    """Actions that make no sense for what is chosen: done already, or not this person's to do."""
    if source is None:
        return frozenset({"accept", "enable"})
    if not source.manages:
        return _CHANGING if source.usable else _CHANGING | {"browse"}
    done = {"enable" if source.enabled else "disable"}
    may_accept = source.proof is not None and not source.proven and not source.accepted
    if source.revoked_at is not None and not source.enabled:
        done.add("revoke")
    return frozenset(done if may_accept else {*done, "accept"})


async def testing(desk: Desk, source: Source) -> None:
    """Reach a source from the control plane, and say how that went."""
    desk.say(f"Testing {source.name}…")
    try:
        found = await desk.call(desk.client.sources.check, source.name)
    except AllotmentError as error:
        desk.say(" ".join(problem_lines(error)), "bad")
        return
    said = f"{source.name}: {found.words} {found.remedy}".strip()
    desk.say(said, "ok" if found.reached else "bad")


async def proving(desk: Desk, source: Source) -> None:
    """Try to write with what a user would get, and say what that has shown."""
    desk.say(f"Trying to write to {source.name}, with exactly what its users get…")
    try:
        found = await desk.call(desk.client.sources.prove, source.name)
    except AllotmentError as error:
        desk.say(" ".join(problem_lines(error)), "bad")
    else:
        desk.say(f"{found.name}: {proven_words(found)}", "ok" if found.proven else "bad")
    finally:
        desk.again(*CHANGED)


def accepting(desk: Desk, slot: Slot, source: Source) -> Asking:
    """The form that lets people use a source that is not proven read-only."""

    async def act() -> str:
        found = await desk.call(desk.client.sources.accept, source.name)
        desk.again(*CHANGED)
        return (
            f"{found.name} can be used as it is. It is marked as not proven wherever it is shown."
        )

    title = f"Accept {source.name} as it is"
    asking = Asking(desk, slot, title, confirm="Accept the risk", act=act, tone="risk")
    asking.will(*_accepting_lines(source))
    asking.enable(possible=source.proof is not None and not source.proven and not source.accepted)
    return asking


def _accepting_lines(source: Source) -> list[str]:
    proof = source.proof
    if proof is None:
        return ["Nobody has tried yet whether its users could write. Prove it first."]
    if source.proven:
        return ["It is proven read-only: there is nothing to accept."]
    if source.accepted:
        return [f"It was accepted already, by {source.accepted_by or 'somebody who may'}."]
    possible = [f"Its users could: {one}." for one in proof.possible]
    problem = [f"It could not be proven: {proof.problem.rstrip('.')}."] if proof.problem else []
    shared = [SHARED] if source.shared else []
    who = audience_words(source) or "its users"
    return [
        *possible,
        *problem,
        *shared,
        f"From then on {who} can use it, and what is written above is your responsibility.",
        "It is marked as accepted, with your name, wherever it is shown. A later proof that finds more ends it.",
    ]


def enabling(desk: Desk, slot: Slot, source: Source, *, enabled: bool) -> Asking:
    """The form that lets new servers have a source, or no longer."""
    verb = "Enable" if enabled else "Disable"

    async def act() -> str:
        edit = partial(desk.client.sources.edit, source.name, revision=source.revision)
        await desk.call(partial(edit, enabled=enabled))
        desk.again(*CHANGED)
        return f"{source.name} is {verb.lower()}d."

    tone: Any = "main" if enabled else "risk"
    asking = Asking(desk, slot, f"{verb} {source.name}", confirm=verb, act=act, tone=tone)
    asking.will(*_enabling_lines(source, enabled=enabled))
    asking.enable(possible=enabled != source.enabled)
    return asking


def _enabling_lines(source: Source, *, enabled: bool) -> list[str]:
    if enabled == source.enabled:
        return [f"It is {'enabled' if enabled else 'disabled'} already."]
    who = audience_words(source) or "its users"
    if enabled:
        return [f"It can be used again by {who}."]
    return [
        "It vanishes from people's lists, and new servers do not have it.",
        *kept_lines(source),
        "Revoke takes it from them too, at once.",
    ]


def kept_lines(thing: Source | Dataset) -> list[str]:
    """Which servers keep something that is disabled."""
    held = thing.held_by
    if not held:
        return ["Servers that run keep it until they stop; none holds it now."]
    number = counted_as(len(held), "server that holds it keeps", "servers that hold it keep")
    return [f"{number} it until it stops: {listed(held)}."]


def lost_lines(thing: Source | Dataset) -> list[str]:
    """Which servers lose something at once."""
    held = thing.held_by
    if not held:
        return ["No server holds it now."]
    number = counted_as(len(held), "server loses", "servers lose")
    return [f"{number} it at once: {listed(held)}."]


def revoking(desk: Desk, slot: Slot, source: Source) -> Asking:
    """The form that takes a source back from every server, at once."""

    async def act() -> str:
        await desk.call(desk.client.sources.revoke, source.name)
        desk.again(*CHANGED)
        return f"{source.name} was revoked."

    title = f"Revoke {source.name}"
    asking = Asking(desk, slot, title, confirm=title, act=act, tone="risk")
    asking.will(
        "It is disabled, and every server that was promised it loses it.",
        *lost_lines(source),
        "Accounts and keys that were lent are withdrawn within a minute; queries that run are cut off.",
        *_read_lines(desk, source),
    )
    return asking


def deleting(desk: Desk, slot: Slot, source: Source) -> Asking:
    """The form that forgets a source, with its secrets."""

    async def act() -> str:
        await desk.call(partial(desk.client.sources.delete, source.name, revision=source.revision))
        desk.again(*CHANGED)
        return f"{source.name} was deleted."

    asking = Asking(desk, slot, f"Delete {source.name}", confirm="Delete", act=act, tone="risk")
    through = _through(desk, source)
    if through:
        reads = "is read" if len(through) == 1 else "are read"
        asking.will(f"It cannot be deleted now: {listed(through)} {reads} through it.")
        asking.enable(possible=False)
    else:
        asking.will(
            "It is gone, with its secrets and what was proven of it. What lies in it is untouched.",
            *lost_lines(source),
        )
    return asking


def _through(desk: Desk, source: Source) -> list[str]:
    return [each.name for each in desk.picture.datasets if each.source == source.name]


def _read_lines(desk: Desk, source: Source) -> list[str]:
    through = _through(desk, source)
    if not through:
        return []
    verb = "cannot be loaded" if len(through) == 1 else "can none of them be loaded"
    return [f"{listed(through)}, read through it, {verb} from then on."]
