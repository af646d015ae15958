"""The console's own pieces of a page: the rail, the head of a panel, and what opens a form well."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Literal

import traitlets

from allotment_widgets.script import Scripted
from allotment_widgets.transport import Message

Tone = Literal["ok", "warn", "bad"]
OnGo = Callable[[str, str], object]


class Piece(Scripted):
    """A piece whose whole state is in its traits."""

    def _send_everything(self) -> None:
        """Nothing: traits reach a page by themselves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry of the rail. ``words`` say what ``count`` counts."""

    key: str = field(kw_only=False)
    title: str = field(kw_only=False)
    section: str = ""
    count: int | None = None
    words: str = ""
    tone: Literal["plain", "warn", "bad"] = "plain"


class Rail(Piece):
    """The panels as links, in sections; below them lines about the platform.

    Every element of the console with ``data-go`` (a panel) and ``data-about`` (what of it) works as
    a link of the rail does.
    """

    entries: traitlets.List[dict[str, object]] = traitlets.List().tag(sync=True)
    current = traitlets.Unicode().tag(sync=True)
    foot: traitlets.List[str] = traitlets.List(traitlets.Unicode()).tag(sync=True)

    def __init__(self) -> None:
        self._on_go: list[OnGo] = []
        self._on_left: list[Callable[[], object]] = []
        super().__init__("rail", title="Panels")

    def show(self, entries: Sequence[Entry]) -> None:
        """Shows these entries."""
        self.entries = [asdict(entry) for entry in entries]

    def on_go(self, callback: OnGo) -> None:
        """Calls back with a panel's key, and what of it is meant, when a link is followed."""
        self._on_go.append(callback)

    def on_left(self, callback: Callable[[], object]) -> None:
        """Calls back when a page that has this kernel to itself is left for good."""
        self._on_left.append(callback)

    def _said(self, kind: str, message: Message) -> None:
        if kind == "go":
            for follow in self._on_go:
                follow(str(message.get("panel", "")), str(message.get("about", "")))
        elif kind == "left":
            for leave in self._on_left:
                leave()
        else:
            super()._said(kind, message)


class Head(Piece):
    """A panel's title, how fresh everything is, what was just done, and what is wrong."""

    state = traitlets.Enum(["loading", "live", "away"], default_value="loading").tag(sync=True)
    at = traitlets.Float(0.0, help="Seconds since 1970; 0: never yet.").tag(sync=True)
    said = traitlets.Unicode(help="What was just done; read out.").tag(sync=True)
    tone = traitlets.Enum(["ok", "warn", "bad"], default_value="ok").tag(sync=True)
    trouble = traitlets.Unicode(help="What is wrong with everything.").tag(sync=True)

    def __init__(self) -> None:
        super().__init__("head", title="Operator console")

    def live(self, at: datetime) -> None:
        """Everything is as it was at this moment."""
        with self.hold_sync():
            self.state, self.at, self.trouble = "live", at.timestamp(), ""

    def away(self, trouble: str) -> None:
        """Nobody answers; what is shown stays."""
        with self.hold_sync():
            self.state, self.trouble = "away", trouble

    def say(self, text: str, tone: Tone = "ok") -> None:
        """Says what was done, until something else is said."""
        with self.hold_sync():
            self.said, self.tone = text, tone


class Arrival(Piece):
    """Invisible, first in a form: the focus comes in, Escape cancels, the focus goes back."""

    fields = traitlets.Bool(default_value=False, help="Whether there is a field to begin with.")
    fields.tag(sync=True)

    def __init__(self, title: str, *, fields: bool) -> None:
        super().__init__("arrival", title=title, fields=fields)
        self.layout.display = "none"
