"""Who may use something, chosen in a form: nobody yet, everyone, or groups and people."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from allotment.model import documents
from allotment.model.people import Permission
from allotment.model.sources import Audience
from allotment_widgets.desk import Desk
from allotment_widgets.fields import choice_field, helped, show, stack, text_field
from allotment_widgets.picker import Picker

_EVERYONE, _SOME = "everyone", "some"
_APART = re.compile(r"[\s,;]+")
_NO_GROUP = ""


class AudienceFields:
    """The fields. Who does not manage all data is offered own groups only, and never everyone.

    ``managed`` is whether a group's leads can manage it: not what is one person's own.
    """

    def __init__(
        self,
        desk: Desk,
        before: documents.Audience | None,
        group: str | None,
        what: str,
        *,
        managed: bool = True,
    ) -> None:
        self._desk = desk
        self._before = before or documents.Audience()
        self._group_before = group
        self._listeners: list[Callable[[], None]] = []
        manages_all = desk.may(Permission.MANAGE_SOURCES)
        names = _group_names(desk, self._before.groups)
        everyone = [("Everyone", _EVERYONE)] if manages_all or self._before.everyone else []
        self._who = choice_field(
            "Who may use it",
            [("Groups and people", _SOME), *everyone],
            _EVERYONE if self._before.everyone else _SOME,
        )
        self._groups = Picker(desk, "Groups", names, self._before.groups)
        self._people = text_field(
            "People", ", ".join(self._before.people), placeholder="ada, ben", wide=True
        )
        self._managed = choice_field(
            "Managed by", _managing(desk, what, group, manages_all=manages_all), group or _NO_GROUP
        )
        self._some = stack(
            self._groups.view,
            helped(self._people, "Names of people, with commas between them."),
            kind="fields wide",
        )
        said = f"Leads of this group may change and share the {what}, within the groups they lead."
        led = [helped(self._managed, said)] if managed else []
        self.view = stack(self._who, *led, self._some, kind="fields wide")
        self._groups.on_change(self._changed)
        for field in (self._who, self._people, self._managed):
            field.observe(lambda _: desk.backend.soon(self._changed), "value")
        self._arrange()

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call back, in the backend's thread, when something was chosen."""
        self._listeners.append(listener)

    @property
    def audience(self) -> Audience:
        """Who is chosen."""
        if self._who.value == _EVERYONE:
            return Audience(everyone=True)
        people = tuple(sorted({name for name in _APART.split(self._people.value) if name}))
        return Audience(groups=tuple(sorted(self._groups.values)), people=people)

    @property
    def group(self) -> str | None:
        """The group whose leads manage it."""
        return self._managed.value or None

    @property
    def given(self) -> dict[str, Any]:
        """What differs from before."""
        before = self._before
        known = Audience(
            before.everyone, tuple(sorted(before.groups)), tuple(sorted(before.people))
        )
        given: dict[str, Any] = {} if self.audience == known else {"audience": self.audience}
        return given if self.group == self._group_before else given | {"group": self.group}

    def _changed(self) -> None:
        self._arrange()
        for listener in self._listeners:
            listener()

    def _arrange(self) -> None:
        show(self._some, shown=self._who.value == _SOME)


def _group_names(desk: Desk, chosen: Iterable[str]) -> list[str]:
    overview, me = desk.picture.overview, desk.picture.me
    own = () if me is None else (*me.groups, *me.leads)
    known = own if overview is None else (each.name for each in overview.groups)
    return sorted({*known, *chosen})


def _managing(
    desk: Desk, what: str, group: str | None, *, manages_all: bool
) -> list[tuple[str, str]]:
    """The groups whose leads could manage it; nobody but custodians, where that may be chosen."""
    me = desk.picture.me
    led = () if me is None else me.leads
    names = _group_names(desk, ()) if manages_all else sorted(led)
    options = [(f"Leads of {name}", name) for name in sorted({*names, *([group] if group else [])})]
    alone = "whoever registers it" if what == "dataset" else "data custodians and operators"
    if manages_all or what == "dataset" or not options:
        return [(f"Only {alone}", _NO_GROUP), *options]
    return options
