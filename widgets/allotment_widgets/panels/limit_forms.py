"""The form for limits of everybody, or of people of a group: what one person may hold where nothing narrower is set."""

from __future__ import annotations

from allotment.model.documents import LimitSetting
from allotment.model.limits import LimitKind, LimitScope
from allotment.model.reasons import Reason, Rule
from allotment.model.refusals import AllotmentError, Refusal
from allotment_widgets.asking import Asking, Slot
from allotment_widgets.desk import Desk
from allotment_widgets.fields import text_field
from allotment_widgets.foreseeing import Foreseen, together
from allotment_widgets.picture import Topic


async def limiting(desk: Desk, slot: Slot, group: str = "") -> None:
    """Read the limits of a group, or with no group everybody's, and open the form."""
    scope = LimitScope.GROUP if group else LimitScope.PLATFORM
    try:
        found = await desk.call(desk.client.limits.all, scope=scope, subject=group)
    except AllotmentError as error:
        desk.say(str(error), "bad")
        return
    _LimitForm(desk, slot, (scope, group), found.items).asking.open()


class _LimitForm:
    def __init__(
        self,
        desk: Desk,
        slot: Slot,
        whose: tuple[LimitScope, str],
        known: tuple[LimitSetting, ...],
    ) -> None:
        self._desk, self._whose = desk, whose
        self._before = {each.kind: str(each.value) for each in known}
        group = whose[1]
        wider = "none: everybody's binds" if group else "no limit"
        self._fields = {
            kind: text_field(
                kind.words[0].upper() + kind.words[1:],
                self._before.get(kind, ""),
                placeholder=wider,
            )
            for kind in LimitKind
        }
        title = f"Limits of each person in {group}" if group else "Limits of each person"
        self.asking = Asking(
            desk, slot, title, confirm="Save", act=self._act, fields=list(self._fields.values())
        )
        self._foreseen = Foreseen(desk, self.asking)
        for field in self._fields.values():
            field.observe(lambda _: desk.backend.soon(self._refresh), "value")
        self._refresh()

    def _changed(self) -> dict[LimitKind, int | None]:
        """What differs now, by kind; None: no limit here.

        Raises:
            Refusal: something is no whole number.
        """
        written = {kind: field.value.strip() for kind, field in self._fields.items()}
        return {
            kind: _number(kind, text)
            for kind, text in written.items()
            if text != self._before.get(kind, "")
        }

    def _refresh(self) -> None:
        try:
            changed = self._changed()
        except Refusal as refusal:
            self._foreseen.say([reason.sentence for reason in refusal.reasons])
            self.asking.enable(possible=False)
            return
        self.asking.enable(possible=bool(changed))
        if not changed:
            who = "their own, else their paying group's, else everybody's"
            self._foreseen.say([f"Nothing is changed yet. The narrowest limit binds: {who}."])
            return
        calls = self._desk.client.limits
        self._foreseen.say(
            [self._line(kind, value) for kind, value in changed.items()],
            lambda: together(calls.consequences(*self._whose, *each) for each in changed.items()),
        )

    def _line(self, kind: LimitKind, value: int | None) -> str:
        group = self._whose[1]
        who = f"Each person in {group}" if group else "Each person"
        if value is not None:
            return f"{who}: at most {value} {kind.words}, where nothing narrower is set."
        wider = "everybody's binds" if group else "nothing limits them but narrower limits"
        return f"{who}: no limit of {kind.words} here; {wider}."

    async def _act(self) -> str:
        changed = self._changed()
        for kind, value in changed.items():
            await self._desk.call(self._desk.client.limits.put, *self._whose, kind, value)
        self._desk.again(Topic.USERS)
        said = " ".join(self._line(kind, value) for kind, value in changed.items())
        return f"Limits were changed. {said}"


def _number(kind: LimitKind, text: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit()):
        message = f"{text[:40]!r} is no limit for {kind.words}."
        raise Refusal(Reason(Rule.REQUEST, message, remedy="Write a whole number, or nothing."))
    return int(text)
