"""How a refusal reaches a person on each of JupyterHub's ways in."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from jupyterhub.spawner import SpawnException
from tornado import web

from allotment.model.claims import Queued, Refused, Waits
from allotment.model.names import CONSOLE_SERVER
from allotment.model.reasons import Reason, Rule
from allotment.model.refusals import RecordUnavailable, Refusal

OR_WAIT = "Or wait: the server then starts by itself when its turn comes (wait: true)."
"""For programs; people are given a button."""


class LaunchRefused(SpawnException):
    """A launch that does not happen, with every reason, as text and as escaped HTML.

    REST answers with the text; the form and the pending page show either of the two. ``label``
    becomes a label of the hub's metric, so it is one of few words. ``may_wait`` says that waiting
    would help: pages offer it with a button, and programs read in the text which option to send.
    """

    def __init__(
        self, reasons: Sequence[Reason], *, status_code: int, label: str, may_wait: bool = False
    ) -> None:
        self.reasons, self.may_wait = tuple(reasons), may_wait
        self.jupyterhub_message = as_text(self.reasons) + (f" {OR_WAIT}" if may_wait else "")
        self.jupyterhub_html_message = as_html(self.reasons)
        super().__init__(
            self.jupyterhub_message,
            reason=label,
            message_html=self.jupyterhub_html_message,
            status_code=status_code,
        )


class LaunchQueued(LaunchRefused):
    """A launch that waits: nothing runs yet, and its ticket starts the server. HTTP 202: accepted."""

    def __init__(self, queued: Queued) -> None:
        self.ticket = queued.ticket
        remedy = "It starts by itself when its turn comes; the home page shows its place."
        waits = Reason(Rule.QUEUE_TURN, "Your server waits in the queue.", remedy=remedy)
        super().__init__((waits, *queued.reasons), status_code=202, label="queued")


class LaunchFailed(web.HTTPError):
    """A launch that was admitted and then failed on this machine. Not the person's fault: HTTP 500."""

    def __init__(self, error: OSError) -> None:
        words = (
            f"{error.strerror}: {error.filename}"
            if error.filename
            else str(error.strerror or error)
        )
        message = f"The server could not be started ({words}). Tell an operator."
        self.jupyterhub_message = message
        self.jupyterhub_html_message = escape(message)
        super().__init__(500, "%s", message)


def invalid_options(refusal: Refusal) -> LaunchRefused:
    """The options cannot be understood."""
    return LaunchRefused(refusal.reasons, status_code=400, label="options")


def not_admitted(outcome: Waits | Refused) -> LaunchRefused:
    """The rules refuse the claim; where only waiting would help, the status says so."""
    if isinstance(outcome, Waits):
        return LaunchRefused(outcome.reasons, status_code=409, label="capacity", may_wait=True)
    return LaunchRefused(outcome.reasons, status_code=403, label="refused")


def record_away(error: RecordUnavailable) -> LaunchRefused:
    """The record did not answer, so nothing could be decided."""
    reason = Reason(Rule.REQUEST, str(error), remedy="Nothing was started. Try again in a minute.")
    return LaunchRefused([reason], status_code=503, label="record")


def stopped_meanwhile() -> LaunchRefused:
    """Somebody stopped the server before it was up."""
    reason = Reason(Rule.REQUEST, "The server was stopped while it was starting.")
    return LaunchRefused([reason], status_code=409, label="stopped")


def name_of_the_console() -> LaunchRefused:
    """The console keeps its name, and nothing else takes it."""
    message = f"A server named {CONSOLE_SERVER!r} is the operator console."
    remedy = "Choose another name, or leave the console as it is."
    reason = Reason(Rule.SERVER_NAME, message, remedy=remedy)
    return LaunchRefused([reason], status_code=403, label="refused")


def no_system_user(name: str) -> LaunchRefused:
    """The machine has no user as whom the server could run."""
    message = f"This machine has no user {name!r} whose servers could run."
    reason = Reason(Rule.REQUEST, message, remedy="Ask an operator to make the user.")
    return LaunchRefused([reason], status_code=403, label="user")


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
