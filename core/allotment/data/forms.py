"""Forms: what somebody entered for a source or a target, checked against the fields that its kind declares."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from allotment.data.kinds.kind import FormField
from allotment.model.reasons import Reason, Rule
from allotment.model.refusals import Refusal

Value = str | int | bool
_LINE, _TEXT = 2_000, 200_000
"""Characters at most: of a line, and of a long text such as a certificate."""
_NUMBER = 2**53
_YES, _NO = frozenset({"true", "yes", "on", "1"}), frozenset({"false", "no", "off", "0"})
_LEADS_NOWHERE = frozenset({"prefix", "database", "schema", "warehouse", "branch", "path_style"})
"""Fields that say what is read, and not to whom a secret is shown."""
_READS_THE_SAME = frozenset({"lasts"})
"""Fields that say neither."""


@dataclass(frozen=True, slots=True)
class Filled:
    """A form filled in: every declared field that is no secret, and the secrets that change (None: taken away).

    ``kept`` are the names of secrets that stay as they are.
    """

    fields: Mapping[str, Value]
    secrets: Mapping[str, str | None] = field(default_factory=dict, repr=False)
    kept: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The secrets that are set then, by name."""
        new = {name for name, value in self.secrets.items() if value is not None}
        return tuple(sorted(new | set(self.kept)))


def fill(
    form: Iterable[FormField],
    given: Mapping[str, Any],
    before: Mapping[str, Any] | None = None,
    secrets: Iterable[str] = (),
    *,
    may_widen: bool = False,
) -> Filled:
    """Fill a form in, over what was entered before and the secrets that were set then.

    What is left out stays as it was, or takes its default; None takes it away. A secret is never
    shown to another address than the one it was entered for; and what is read with it changes only
    where the person ``may_widen`` it, or enters it again: who knows a secret reads with it anyway.

    Raises:
        Refusal: with a reason for every field that is wrong.
    """
    form = tuple(form)
    problems = [*_unknown(form, given)]
    fields = dict(_fields(form, {**(before or {}), **given}, problems))
    asked = {one.name: _asked(one, fields) for one in form}
    fields |= {
        one.name: _default(one) for one in form if one.type != "secret" and not asked[one.name]
    }
    changes, kept = _secrets(form, given, frozenset(secrets), asked, problems)
    problems += _missing(form, fields, {*kept, *(k for k, v in changes.items() if v)}, asked)
    if before is not None and kept:
        problems += _entered_anew(form, kept, _changed(form, before, fields), may_widen=may_widen)
    if problems:
        raise Refusal(*problems)
    return Filled(fields, changes, tuple(sorted(kept)))


def read_fields(
    form: Iterable[FormField], given: Mapping[str, Any]
) -> tuple[dict[str, Value], tuple[Reason, ...]]:
    """Fields of which only some are given, each checked by itself, and a reason for every one that is wrong.

    One that is asked for only with another value of a second is wrong without that.
    """
    form = tuple(form)
    problems = [*_unknown(form, given)]
    found = dict(_fields(tuple(one for one in form if one.name in given), given, problems))
    whole = with_defaults(form, found)
    for one in form:
        if one.name in given and one.when is not None and not _asked(one, whole):
            message = f"{one.label}: asked for only where {one.when[0]} is {one.when[1]}."
            problems.append(_wrong(one.name, message))
    return found, tuple(problems)


def with_defaults(form: Iterable[FormField], fields: Mapping[str, Any]) -> dict[str, Value]:
    """Every field of a form that is no secret: as it was entered, else its default."""
    return {one.name: fields.get(one.name, _default(one)) for one in form if one.type != "secret"}


def asked_for(form: Iterable[FormField], fields: Mapping[str, Any]) -> tuple[FormField, ...]:
    """What a form asks for with these values of its fields, secrets among them."""
    form = tuple(form)
    whole = with_defaults(form, fields)
    return tuple(one for one in form if _asked(one, whole))


def _unknown(form: tuple[FormField, ...], given: Mapping[str, Any]) -> Iterator[Reason]:
    known = {one.name for one in form}
    for name in sorted(set(given) - known):
        yield _wrong(name, f"There is no field {name[:80]!r}.", f"Known are {', '.join(known)}.")


def _fields(
    form: tuple[FormField, ...], values: Mapping[str, Any], problems: list[Reason]
) -> Iterator[tuple[str, Value]]:
    for one in form:
        if one.type == "secret":
            continue
        value = values.get(one.name)
        if value is None:
            yield one.name, _default(one)
            continue
        try:
            yield one.name, _READERS[one.type](one, value)
        except ValueError as error:
            problems.append(_wrong(one.name, f"{one.label}: {error}."))
            yield one.name, _default(one)


def _default(one: FormField) -> Value:
    if one.default is not None:
        return one.default
    return False if one.type == "switch" else ""


def _line(one: FormField, value: object) -> Value:
    text = _text(value, _TEXT if one.type == "long" else _LINE)
    if one.type != "long" and not text.isprintable():
        message = "one line, without odd characters"
        raise ValueError(message)
    return text.strip()


def _text(value: object, most: int) -> str:
    if not isinstance(value, str) or "\0" in value:
        message = "a text is expected"
        raise ValueError(message)
    try:
        value.encode()
    except UnicodeEncodeError:
        message = "a text is expected"
        raise ValueError(message) from None
    if len(value) > most:
        message = f"at most {most} characters"
        raise ValueError(message)
    return value


def _number(_one: FormField, value: object) -> Value:
    if isinstance(value, str) and value.strip() == "":
        return ""
    if isinstance(value, str) and value.strip().isascii() and value.strip().isdigit():
        value = int(value.strip()[:20])
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _NUMBER:
        message = "a whole number is expected"
        raise ValueError(message)
    return value


def _choice(one: FormField, value: object) -> Value:
    known = [name for name, _words in one.choices]
    if value not in known:
        message = f"one of {', '.join(known)} is expected"
        raise ValueError(message)
    return str(value)


def _switch(_one: FormField, value: object) -> Value:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in _YES | _NO:
        return value.lower() in _YES
    message = "yes or no is expected"
    raise ValueError(message)


_READERS = {
    "text": _line,
    "long": _line,
    "number": _number,
    "choice": _choice,
    "switch": _switch,
}


def _asked(one: FormField, fields: Mapping[str, Value]) -> bool:
    """Whether a field is asked for, with what the others say."""
    return one.when is None or str(fields.get(one.when[0], "")) == str(one.when[1])


def _secrets(
    form: tuple[FormField, ...],
    given: Mapping[str, Any],
    known: frozenset[str],
    asked: Mapping[str, bool],
    problems: list[Reason],
) -> tuple[dict[str, str | None], set[str]]:
    """The secrets that change, and the names of those that stay."""
    changes: dict[str, str | None] = {}
    kept: set[str] = set()
    for one in form:
        if one.type != "secret":
            continue
        value = given.get(one.name)
        if not asked[one.name] or (one.name in given and value is None):
            changes |= {one.name: None} if one.name in known else {}
        elif value is None or value == "":
            kept |= {one.name} & known
        else:
            try:
                changes[one.name] = _text(value, _TEXT)
            except ValueError as error:
                problems.append(_wrong(one.name, f"{one.label}: {error}."))
    return changes, kept


def _missing(
    form: tuple[FormField, ...],
    fields: Mapping[str, Value],
    secrets: set[str],
    asked: Mapping[str, bool],
) -> Iterator[Reason]:
    for one in form:
        there = one.name in secrets if one.type == "secret" else fields.get(one.name) != ""
        if one.required and asked[one.name] and not there:
            yield _wrong(one.name, f"{one.label} is missing.", one.help)


def _changed(
    form: tuple[FormField, ...], before: Mapping[str, Any], fields: Mapping[str, Value]
) -> list[FormField]:
    return [
        one
        for one in form
        if one.type != "secret"
        and one.name not in _READS_THE_SAME
        and before.get(one.name, _default(one)) != fields.get(one.name)
    ]


def _entered_anew(
    form: tuple[FormField, ...], kept: set[str], changed: list[FormField], *, may_widen: bool
) -> Iterator[Reason]:
    """A reason for each secret that cannot stay with what changed."""
    moved = [one.label for one in changed if one.name not in _LEADS_NOWHERE]
    remedy = "A secret is shown only to the address that it was entered for."
    if not moved and not may_widen:
        moved = [one.label for one in changed]
        remedy = "Enter it, or ask a data custodian: with it, something else would be read."
    for one in form:
        if moved and one.name in kept:
            message = f"{', '.join(moved)} changed, so {one.label} must be entered again."
            yield _wrong(one.name, message, remedy)


def _wrong(name: str, message: str, remedy: str = "") -> Reason:
    return Reason(Rule.DATA_SOURCE, message, remedy=remedy, details=(name[:80],))
