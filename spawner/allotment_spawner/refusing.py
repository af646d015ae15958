"""How a refusal reaches a person on each of JupyterHub's ways in."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from jupyterhub.spawner import SpawnException

from allotment.model.reasons import Reason

INVALID_OPTIONS = 400
FORBIDDEN = 403
WOULD_WAIT = 409
UNAVAILABLE = 503


class LaunchRefused(SpawnException):
    """A launch that does not happen, with every reason, as text and as escaped HTML.

    REST answers with the text; the form and the pending page show either of the two. ``label``
    becomes a label of the hub's metric, so it is one of few words.
    """

    def __init__(self, reasons: Sequence[Reason], *, status_code: int, label: str) -> None:
        self.reasons = tuple(reasons)
        self.jupyterhub_message = as_text(self.reasons)
        self.jupyterhub_html_message = as_html(self.reasons)
        super().__init__(
            self.jupyterhub_message,
            reason=label,
            message_html=self.jupyterhub_html_message,
            status_code=status_code,
        )


def as_text(reasons: Sequence[Reason]) -> str:
    """All reasons in one line, numbered where there are several."""
    if len(reasons) == 1:
        return reasons[0].sentence
    return " ".join(f"({number}) {reason.sentence}" for number, reason in enumerate(reasons, 1))


def as_html(reasons: Sequence[Reason]) -> str:
    """All reasons as a list. JupyterHub inserts it as it is, so every word is escaped here."""
    items = "".join(
        f'<li data-rule="{escape(reason.rule)}">{escape(reason.message)}'
        + (f' <span class="remedy">{escape(reason.remedy)}</span>' if reason.remedy else "")
        + "</li>"
        for reason in reasons
    )
    return f'<ul class="reasons">{items}</ul>'
