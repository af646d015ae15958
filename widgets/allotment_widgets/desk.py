"""What every panel works with: the picture, the client, the rights, one open form, links to other panels."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, ParamSpec, Protocol, TypeVar

from allotment.client import AllotmentClient
from allotment.model.people import Permission
from allotment_widgets.backend import Backend
from allotment_widgets.frame import Tone
from allotment_widgets.picture import Picture, Topic

if TYPE_CHECKING:
    from allotment_widgets.asking import Slot

P = ParamSpec("P")
T = TypeVar("T")


class Says(Protocol):
    """Where it stands what was just done."""

    def say(self, text: str, tone: Tone = "ok") -> None:
        """Say it, until something else is said."""


class Desk:
    """One for each console. Its methods are called in the backend's thread, ``begin`` from any."""

    def __init__(
        self,
        client: AllotmentClient,
        backend: Backend,
        picture: Picture,
        head: Says,
        again: Callable[..., None],
    ) -> None:
        self.client = client
        self.backend = backend
        self.picture = picture
        self._head = head
        self._again = again
        self._slots: list[Slot] = []
        self.go: Callable[[str, str], None] = lambda _key, _about: None
        """Opens another panel, and of it what is meant."""

    def may(self, *permissions: Permission) -> bool:
        """Whether all of this is permitted. Hides buttons; the control plane refuses anyway."""
        return self.picture.may(*permissions)

    @property
    def manages_data(self) -> bool:
        """Whether any source can be this person's to change: all, or those of a group that they lead."""
        me = self.picture.me
        leads = me is not None and me.reach == "everything" and bool(me.leads)
        return leads or self.may(Permission.MANAGE_SOURCES)

    def begin(self, work: Coroutine[Any, Any, Any]) -> None:
        """Begin what a click asks for; from any thread, without waiting."""
        self.backend.start(work)

    async def call(self, blocking: Callable[P, T], *given: P.args, **named: P.kwargs) -> T:
        """Call the client, and wait for its answer without blocking anybody.

        Raises:
            AllotmentError: as the client.
        """
        return await self.backend.call(blocking, *given, **named)

    def again(self, *topics: Topic) -> None:
        """Read these again soon: something was done that may have changed them."""
        self._again(*topics)

    def say(self, text: str, tone: Tone = "ok") -> None:
        """Say what was done."""
        self._head.say(text, tone)

    def only(self, slot: Slot) -> None:
        """Close every form but that of this slot, and what was said about the last one."""
        if slot not in self._slots:
            self._slots.append(slot)
        for other in self._slots:
            if other is not slot:
                other.clear()
        self._head.say("")

    def close_forms(self) -> None:
        """Close whatever form is open."""
        for slot in self._slots:
            slot.clear()
