"""What a person may say at a launch, from a form or as JSON."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    StringConstraints,
    ValidationError,
)

from allotment.model.reasons import Reason, Rule
from allotment.model.refusals import Refusal
from allotment.model.tickets import Ticket

_REASONS_AT_MOST = 8
_QUOTED_AT_MOST = 60
_FORM_ONLY = frozenset({"_xsrf"})
"""What a form carries for the hub itself."""


def _printable(text: str) -> str:
    """Refuse what no page can show and no database can store: control characters, lone surrogates."""
    for character in text:
        if character not in "\n\t" and unicodedata.category(character) in {"Cc", "Cs"}:
            raise ValueError(f"it holds the character {character!r}, which cannot be printed")
    return text


def _one_line(text: str) -> str:
    if "\n" in text or "\t" in text:
        raise ValueError("it holds a line break or a tabulator; one line is expected")
    return text


def _yes(value: object) -> object:
    """A form sends text, a program true or false."""
    return value == "true" if isinstance(value, str) and value in _ANSWERS else value


_ANSWERS = frozenset({"true", "false"})
_FOR_ONE_LAUNCH = {"wait", "ticket"}
_Line = Annotated[str, AfterValidator(_one_line), AfterValidator(_printable)]
_Name = Annotated[_Line, StringConstraints(max_length=128)]


class LaunchOptions(BaseModel):
    """The options of a launch. Those that are good for one launch only are not stored."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    profile: _Name = ""
    group: _Name = ""
    """The group that pays; empty where there is no choice."""
    software: _Name = ""
    """One of the profile's choices; empty: the one that it proposes."""
    display_name: Annotated[_Line, StringConstraints(max_length=255)] = ""
    note: Annotated[str, AfterValidator(_printable), StringConstraints(max_length=2000)] = ""
    wait: Annotated[bool, BeforeValidator(_yes)] = False
    """Wait in the queue where it is full. For this launch only."""
    ticket: Annotated[_Line, StringConstraints(max_length=40)] = ""
    """The ticket whose turn has come: the control plane's word, good for one start."""

    @classmethod
    def of(cls, ticket: Ticket) -> LaunchOptions:
        """What a ticket waited for, as the options of a launch."""
        return cls(
            profile=ticket.profile,
            group=ticket.group or "",
            display_name=ticket.display_name,
            note=ticket.note,
            software=ticket.software,
        )

    def stored(self) -> dict[str, str]:
        """The options as JupyterHub keeps them for the next start."""
        return {
            key: value for key, value in self.model_dump(exclude=_FOR_ONE_LAUNCH).items() if value
        }


def read_options(given: object) -> LaunchOptions:
    """Read the options of a launch, whoever wrote them.

    Raises:
        Refusal: they are not what a launch understands. Every error is named.
    """
    if not isinstance(given, Mapping):
        raise Refusal(_wrong("The options must be an object of named values."))
    named = {key: value for key, value in given.items() if value is not None}
    try:
        return LaunchOptions.model_validate(named)
    except ValidationError as error:
        raise Refusal(*_reasons(error)) from None


def options_from_form(form: Mapping[str, Any]) -> dict[str, str | bool]:
    """Turn a form's lists of values into options. Empty fields count as left out.

    Raises:
        Refusal: a field was given twice, or a file was sent.
    """
    single: dict[str, str] = {}
    for field, values in form.items():
        if field in _FORM_ONLY:
            continue
        if len(values) > 1 or not all(isinstance(value, str) for value in values):
            raise Refusal(_wrong(f"The field {_quoted(field)} must hold one text."))
        text = "".join(values).replace("\r\n", "\n").strip()
        if text:
            single[field] = text
    options = read_options(single)
    return {**options.stored(), **({"wait": True} if options.wait else {})}


def _reasons(error: ValidationError) -> list[Reason]:
    errors = error.errors(include_url=False, include_context=False)
    reasons = [_wrong(_sentence(one["type"], one["loc"], one["msg"])) for one in errors]
    if len(reasons) > _REASONS_AT_MOST:
        more = len(reasons) - _REASONS_AT_MOST
        reasons[_REASONS_AT_MOST:] = [_wrong(f"{more} more options are wrong.")]
    return reasons


def _sentence(kind: str, where: tuple[int | str, ...], words: str) -> str:
    option = _quoted(str(where[0]) if where else "")
    if kind == "extra_forbidden":
        return f"There is no option {option}."
    return f"The option {option} cannot be used: {words.removeprefix('Value error, ')}."


def _wrong(message: str) -> Reason:
    known = ", ".join(name for name in LaunchOptions.model_fields if name != "ticket")
    return Reason(Rule.REQUEST, message, remedy=f"Give none but these, as text: {known}.")


def _quoted(text: str) -> str:
    """A name that somebody else chose, short and printable."""
    shortened = text if len(text) <= _QUOTED_AT_MOST else f"{text[:_QUOTED_AT_MOST]}…"
    return repr(shortened)
