"""The operator console: the panels, the rail, and what keeps them true."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from threading import Thread

import ipywidgets
from IPython.display import display

from allotment.client import AllotmentClient
from allotment.model import currency
from allotment.model.amounts import counted
from allotment.model.people import Permission
from allotment_widgets.backend import Backend
from allotment_widgets.desk import Desk
from allotment_widgets.fields import stack
from allotment_widgets.frame import Entry, Head, Rail
from allotment_widgets.live import Live
from allotment_widgets.look import Look
from allotment_widgets.panels import PANELS
from allotment_widgets.panels.panel import Panel
from allotment_widgets.picture import Changed, Picture, Topic

NOTEBOOK = "operator-console.ipynb"
FIRST = "overview"
MODES = {
    "strict": "Strict mode: a person is in one group, a group has one pool.",
    "flexible": "Flexible mode: people may be in several groups.",
}


def console_notebook_path() -> Path:
    """The notebook that opens the console, in the installed package."""
    return Path(str(files("allotment_widgets") / NOTEBOOK))


class Console:
    """One console: a page of widgets, and a thread that keeps it true until :meth:`close`.

    Nothing here waits: the page is there at once and says that it loads.
    """

    def __init__(self, client: AllotmentClient) -> None:
        self._client = client
        self._backend = Backend()
        self._picture = Picture()
        self._rail, self._head = Rail(), Head()
        self._panels: dict[str, Panel] = {}
        self._current = ""
        self._rights: frozenset[str] | None = None
        self._barred = ""
        self._content = ipywidgets.Box([])
        self._content.add_class("content")
        self._live = Live(client, self._backend, self._picture, self)
        self._desk = Desk(client, self._backend, self._picture, self._head, self._live.again)
        self._desk.go = self.go
        self._rail.on_go(lambda key, about: self._backend.soon(lambda: self.go(key, about)))
        # Voilà may leave a kernel behind a page that was closed: it must not follow the platform for ever.
        self._rail.on_left(lambda: Thread(target=self.close, name="allotment-closing").start())
        self.view = self._compose()
        self._backend.start(self._live.run())

    def _compose(self) -> ipywidgets.Box:
        rail = ipywidgets.Box([self._rail])
        rail.add_class("rail")
        frame = ipywidgets.Box([rail, stack(self._head, self._content, kind="body")])
        frame.add_class("frame")
        view = ipywidgets.Box([Look(), frame])
        view.add_class("allotment")
        view.add_class("console")
        return view

    def close(self) -> None:
        """End the thread; the page stays as it is."""
        self._live.close()
        self._backend.close()
        self._client.close()

    def go(self, key: str, about: str = "") -> None:
        """Open a panel, and of it what a link meant."""
        panel = self._panels.get(key)
        if panel is None:
            return
        if key != self._current:
            self._current = self._rail.current = key
            self._head.title = panel.title
            self._desk.close_forms()
            self._live.want(panel.topics)
            panel.show(Changed.all_of(Topic))
            self._content.children = (panel.view,)
        if about:
            panel.about(about)

    def changed(self, changed: Changed) -> None:
        """The picture has changed: the open panel and the rail show it."""
        if changed.touches(Topic.ME, Topic.OVERVIEW):
            self._take_rights()
        if changed.touches(Topic.OVERVIEW, Topic.ABOUT):
            self._show_rail()
        panel = self._panels.get(self._current)
        if panel is not None:
            panel.show(changed)

    def fresh(self, at: datetime) -> None:
        """Everything is as of now."""
        if self._barred:
            self._head.away(self._barred)
        else:
            self._head.live(at)

    def away(self, trouble: str) -> None:
        """Nobody answers."""
        self._head.away(f"{trouble} What is shown is from before; it is asked again by itself.")

    def _take_rights(self) -> None:
        """Panels are made when it is known what may be done and what there is; anew when rights change."""
        me = self._picture.me
        if me is None:
            return
        sees_all = Permission.SEE_ALL in me.permissions
        self._live.see_all(allowed=sees_all)
        open_panels = [
            kind
            for kind in PANELS
            if sees_all or (self._desk.manages_data and not kind.whole_platform)
        ]
        self._barred = "" if open_panels else _no_rights(me.person, me.reach)
        rights = frozenset({*me.permissions, *me.leads})
        if not open_panels:
            self._rights = None
            self._show_panels({})
        elif rights != self._rights and (self._picture.overview is not None or not sees_all):
            self._rights = rights
            self._show_panels({kind.key: kind(self._desk) for kind in open_panels})

    def _show_panels(self, panels: dict[str, Panel]) -> None:
        current, self._current = self._current or FIRST, ""
        self._panels = panels
        self._content.children = ()
        self._show_rail()
        self.go(current if current in panels else next(iter(panels), ""))

    def _show_rail(self) -> None:
        self._rail.show([self._entry(panel) for panel in self._panels.values()])
        about = self._picture.about
        if about is not None:
            self._rail.foot = [
                *_rights_words(self._picture),
                about.trust,
                MODES[about.mode],
                *(["Devices are simulated."] if about.simulated_devices else []),
                f"Allotment {about.version}",
            ]

    def _entry(self, panel: Panel) -> Entry:
        overview = self._picture.overview
        count, words = None, ""
        if overview is not None and panel.key == "servers":
            count, words = overview.servers.get("running", 0), "running"
        elif overview is not None and panel.key == "users":
            count, words = overview.people, "on board"
        return Entry(panel.key, panel.title, section=panel.section, count=count, words=words)


def _rights_words(picture: Picture) -> Sequence[str]:
    me = picture.me
    if me is None or len(me.permissions) == len(Permission):
        return [f"Signed in as {me.person}."] if me else []
    held = [f"leads {', '.join(me.leads)}"] if me.leads else []
    held += [counted(len(me.permissions), "permission")] if me.permissions or not held else []
    allowed = ", ".join(held)
    return [f"Signed in as {me.person} ({me.role}): {allowed}; what you may not do is left out."]


def _no_rights(person: str, reach: str) -> str:
    if reach != "everything":
        return (
            "This server's token reaches its owner's own things only. "
            "Open the operator console from the hub's launch page: it is a server of its own."
        )
    return (
        f"{person} may not see the platform. It takes the role of an operator or a reader; "
        "a data custodian, or whoever leads a group, sees its data."
    )


_open: list[Console] = []


def operator_console() -> None:
    """Show the operator console here. A cell that is run again gets a new one, and the old one ends.

    Raises:
        AllotmentError: this server was not told where the control plane is.
    """
    client = AllotmentClient.from_environment()
    currency.write_money_in(client.currency())
    while _open:
        _open.pop().close()
    console = Console(client)
    _open.append(console)
    display(console.view)
