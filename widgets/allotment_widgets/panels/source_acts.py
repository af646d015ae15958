"""What can be done with a source: test, prove, accept, enable and disable, revoke, delete."""

from __future__ import annotations

from allotment.model.documents import Source
from allotment.model.refusals import AllotmentError
from allotment_widgets.asking import Asking, Slot
from allotment_widgets.desk import Desk
from allotment_widgets.panels import registered
from allotment_widgets.panels.source_forms import CHANGED, proven_words
from allotment_widgets.sentences import listed, problem_lines
from allotment_widgets.source_rows import SHARED, audience_words, revoked_words

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
    edit, lines = desk.client.sources.edit, _enabling_lines(source, enabled=enabled)
    return registered.enabling(desk, slot, source, edit, CHANGED, enabled=enabled, lines=lines)


def _enabling_lines(source: Source, *, enabled: bool) -> list[str]:
    if enabled:
        return [f"It can be used again by {audience_words(source) or 'its users'}."]
    return [
        "It vanishes from people's lists, and new servers do not have it.",
        *registered.kept_lines(source),
        "Revoke takes it from them too, at once.",
    ]


def revoking(desk: Desk, slot: Slot, source: Source) -> Asking:
    """The form that takes a source back from every server, at once."""
    lines = [revoked_words(source), *_read_lines(desk, source)]
    revoke = desk.client.sources.revoke
    return registered.revoking(desk, slot, source, revoke, CHANGED, lines=lines)


def deleting(desk: Desk, slot: Slot, source: Source) -> Asking:
    """The form that forgets a source, with its secrets."""
    through = _through(desk, source)
    reads = "is read" if len(through) == 1 else "are read"
    lines = [
        "It is gone, with its secrets and what was proven of it. What lies in it is untouched.",
        *registered.lost_lines(source),
        revoked_words(source),
    ]
    return registered.deleting(
        desk,
        slot,
        source,
        desk.client.sources.delete,
        CHANGED,
        lines=lines,
        kept_for=f"{listed(through)} {reads} through it" if through else "",
    )


def _through(desk: Desk, source: Source) -> list[str]:
    return [each.name for each in desk.picture.datasets if each.source == source.name]


def _read_lines(desk: Desk, source: Source) -> list[str]:
    through = _through(desk, source)
    if not through:
        return []
    verb = "cannot be loaded" if len(through) == 1 else "can none of them be loaded"
    return [f"{listed(through)}, read through it, {verb} from then on."]
