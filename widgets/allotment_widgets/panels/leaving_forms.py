"""Forms for people who leave, and for what the provider's groups mean."""

from __future__ import annotations

from html import escape

from allotment.model.documents import Leaving, MappingForesight, User
from allotment.model.refusals import AllotmentError
from allotment_widgets.asking import Asking, Slot
from allotment_widgets.desk import Desk
from allotment_widgets.fields import area_field, text_field
from allotment_widgets.panels.user_forms import CHANGED
from allotment_widgets.picture import Topic
from allotment_widgets.sentences import counted_as, problem_lines

_SHOWN = 200
"""Changes that are listed one by one."""


async def letting_go(desk: Desk, slot: Slot, user: User) -> None:
    """Read what it means that somebody leaves, and open the form."""
    try:
        found = await desk.call(desk.client.users.foresee_leaving, user.name)
    except AllotmentError as error:
        desk.say(" ".join(problem_lines(error)), "bad")
        return
    if found.left_at is not None:
        desk.say(f"{user.name} left on {found.left_at:%Y-%m-%d}.")
        return
    _leaving(desk, slot, found).open()


def _leaving(desk: Desk, slot: Slot, found: Leaving) -> Asking:
    heir = text_field("Home goes to (empty: it is kept)", placeholder="ada")
    reason = text_field("Why, for the record", placeholder="The contract ends")

    async def act() -> str:
        await desk.call(
            desk.client.users.let_go,
            found.person,
            reason=reason.value.strip(),
            heir=heir.value.strip() or None,
        )
        desk.again(*CHANGED, Topic.SERVERS, Topic.ACCOUNTS)
        return f"{found.person} has left. Tokens and sharing end when no server is left."

    title = f"Let {found.person} go"
    asking = Asking(desk, slot, title, confirm=title, act=act, fields=[heir, reason], tone="risk")

    def refresh() -> None:
        whose = heir.value.strip()
        asking.will(*(_with_heir(line, whose) for line in found.words))

    heir.observe(lambda _: desk.backend.soon(refresh), "value")
    refresh()
    return asking


def _with_heir(line: str, heir: str) -> str:
    """A sentence of the preview, which was asked for without an heir, with the one that is written now."""
    if not heir:
        return line
    line = line.replace("The home is kept.", f"The home is moved to {heir}.")
    return line.replace(" nobody owns then;", f" {heir} owns then;")


def foreseeing(desk: Desk, slot: Slot) -> Asking:
    """The form that shows what a mapping of the provider's groups would change."""
    file = area_field("The settings file", placeholder="sign_in:\n  groups: …", rows=8)

    async def act() -> str:
        found = await desk.call(desk.client.sign_on.foresee, file.value)
        _foreseen(desk, slot, found).open()
        return ""

    title = "What a mapping of the provider's groups would change"
    asking = Asking(desk, slot, title, confirm="Look", act=act, fields=[file])
    asking.will(
        "Paste the whole settings file. Nothing is changed: who would gain and lose what is shown,",
        "by what the provider said of everybody last. It is in force when the hub starts with the file.",
    )
    asking.needs(file)
    return asking


def _foreseen(desk: Desk, slot: Slot, found: MappingForesight) -> Asking:
    asking = Asking(desk, slot, "What the mapping would change", confirm="", act=None)
    number = len(found.changes)
    asking.will(
        f"{counted_as(number, 'change', 'changes')}. Nothing was changed now."
        if number
        else "Nobody would gain or lose anything.",
        *found.notes,
    )
    if number:
        asking.show_table(_table(found))
    return asking


def _table(found: MappingForesight) -> str:
    rows = "".join(
        f"<tr><td>{escape(one.person)}</td><td>{'gains' if one.gains else 'loses'}</td>"
        f"<td>{escape(_KINDS[one.kind])}</td><td>{escape(one.name)}</td></tr>"
        for one in found.changes[:_SHOWN]
    )
    more = len(found.changes) - _SHOWN
    rest = (
        f"<p>and {more} more; <code>allotment mapping FILE</code> tells all</p>" if more > 0 else ""
    )
    head = "<tr><th>Person</th><th></th><th>What</th><th>Name</th></tr>"
    return f'<table class="plain"><thead>{head}</thead><tbody>{rows}</tbody></table>{rest}'


_KINDS = {"group": "membership in", "lead": "leading", "role": "role"}
