"""What is raised where a source, a dataset or a version cannot be opened."""

from __future__ import annotations

from allotment.model.reasons import Reason, Rule
from allotment.model.refusals import Refusal


class SourceProblem(Refusal):
    """A source cannot be used as it is registered; the message names what, ``remedy`` what would help.

    Neither ever holds a secret: both are shown to people, stored and logged.
    """

    def __init__(
        self,
        message: str,
        *,
        remedy: str = "",
        rule: Rule = Rule.DATA_SOURCE,
        details: tuple[str, ...] = (),
    ) -> None:
        super().__init__(Reason(rule, message, remedy=remedy, details=details))
