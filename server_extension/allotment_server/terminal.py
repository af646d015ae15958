"""A web terminal by an address: JupyterLab has one, but no link that opens it."""

from __future__ import annotations

import json
from typing import Any

from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.extension.handler import ExtensionHandlerMixin
from jupyter_server.utils import url_path_join
from jupyterlab_server.workspaces_handler import WorkspacesManager
from tornado.web import HTTPError, authenticated

TERMINAL = "allotment"
"""The terminal's name: the address opens the same one again, and never a pile of them."""
WORKSPACE = "allotment-terminal"
"""JupyterLab's workspace that shows the terminal alone, beside the person's own workspaces."""


class TerminalHandler(ExtensionHandlerMixin, JupyterHandler):
    """``GET /allotment/terminal``."""

    auth_resource = "terminals"

    @authenticated
    @authorized
    async def get(self) -> None:
        """Make sure that the terminal runs, and show it in JupyterLab."""
        if not self.settings.get("terminals_available"):
            raise HTTPError(404, "Terminals are switched off on this server.")
        lab = _lab(self.extensionapp.serverapp)
        if lab is None:
            raise HTTPError(404, "This server has no JupyterLab to show a terminal in.")
        manager = self.settings["terminal_manager"]
        if TERMINAL not in manager.terminals:
            manager.create(name=TERMINAL)
        WorkspacesManager(lab.workspaces_dir).save(WORKSPACE, json.dumps(_workspace()))
        self.redirect(url_path_join(self.base_url, "lab/workspaces", WORKSPACE))


def _lab(server: Any) -> Any:
    """JupyterLab, where this server runs it."""
    return next(iter(server.extension_manager.extension_apps.get("jupyterlab", ())), None)


def _workspace() -> dict[str, Any]:
    """JupyterLab's layout with the terminal in the middle and both sides closed."""
    shown = f"terminal:{TERMINAL}"
    closed: dict[str, Any] = {"collapsed": True, "visible": False, "current": None, "widgets": []}
    return {
        "data": {
            "layout-restorer:data": {
                "main": {
                    "dock": {"type": "tab-area", "currentIndex": 0, "widgets": [shown]},
                    "current": shown,
                },
                "down": {"size": 0, "widgets": []},
                "left": closed,
                "right": closed,
                "relativeSizes": [0, 1, 0],
                "top": {"simpleVisibility": True},
            },
            shown: {"data": {"name": TERMINAL}},
        },
        "metadata": {"id": WORKSPACE},
    }
