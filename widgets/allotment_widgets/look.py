"""The look of a page of panels: colours, type, the dress of ipywidgets' controls."""

from importlib.resources import files

import anywidget

from allotment_widgets.script import built


def tokens() -> str:
    """The style sheet that names every colour of the look."""
    return (files("allotment_widgets") / "tokens.css").read_text(encoding="utf-8")


class Look(anywidget.AnyWidget):
    """Invisible; shown once in a page, it dresses everything inside ``.allotment``.

    It follows JupyterLab's theme, and on a page of its own that page's theme or what the person's
    system prefers.
    """

    def __init__(self) -> None:
        self._esm = built("look.js")
        super().__init__()
        self.layout.display = "none"
