"""The one tree of exceptions. Whoever may be shown to a user says so by its class."""

from __future__ import annotations

from allotment.model.reasons import Reason, Rule


class AllotmentError(Exception):
    """Anything that Allotment raises on purpose."""


class Refusal(AllotmentError):
    """Something was asked that a rule forbids. Nothing changed. Its text may be shown to anybody who asked.

    ``reasons`` are all rules that stand in the way, at least one.
    """

    def __init__(self, *reasons: Reason) -> None:
        self.reasons = reasons
        super().__init__(" ".join(reason.sentence for reason in reasons))


class NotFound(Refusal):
    """The thing does not exist, or the caller may not know that it does."""

    def __init__(self, what: str, name: str) -> None:
        super().__init__(
            Reason(Rule.NOT_FOUND, f"There is no {what} {name[:80]!r}.", remedy="Check its name.")
        )


class NotPermitted(Refusal):
    """The caller's role does not permit it."""


class AlreadyExists(Refusal):
    """The name is taken."""

    def __init__(self, what: str, name: str) -> None:
        super().__init__(
            Reason(
                Rule.NAME_TAKEN,
                f"There is a {what} {name!r} already.",
                remedy="Choose another name, or edit that one.",
            )
        )


class RevisionStale(AllotmentError):
    """Somebody changed the thing since the caller read it."""

    def __init__(self, what: str, expected: int, found: int) -> None:
        self.expected, self.found = expected, found
        super().__init__(
            f"{what} was changed meanwhile: its revision is {found}, not {expected}. Read it again."
        )


class RecordUnavailable(AllotmentError):
    """The record did not answer in time. Nothing was decided."""


class RecordUndone(RecordUnavailable):
    """The database took a transaction back. Nothing was written, and it may be tried again at once."""


class OutcomeUnknown(RecordUnavailable):
    """The record went away in the middle of a commit, and nobody could say whether it was made."""


class RecordTooNew(AllotmentError):
    """The record was written by a newer version of Allotment. Nothing was changed."""


class SettingsInvalid(AllotmentError):
    """The settings file or a profile cannot be used. ``problems`` name every error with its place."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))
