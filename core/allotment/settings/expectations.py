"""What pydantic found wrong with a document, said in sentences with the place of each."""

from __future__ import annotations

import difflib
import json
import types
import typing
from collections.abc import Iterator
from typing import Annotated, Any, TypeVar, Union

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from allotment.settings.document import Document, Place, Problem

Shape = TypeVar("Shape", bound=BaseModel)

SECRET_KEYS = frozenset({"record", "fields", "secrets"})
"""Keys whose values may hold a password: never repeated in a message."""


def fit(document: Document, shape: type[Shape]) -> tuple[Shape | None, tuple[Problem, ...]]:
    """Read a document as a value of a shape; everything that does not fit is named.

    The document goes through JSON, so that a list may stand for a tuple and text for an
    enumeration's member, and nothing else is taken for what it is not.
    """
    try:
        return shape.model_validate_json(json.dumps(document.value), strict=True), ()
    except ValidationError as error:
        return None, tuple(_problems(document, shape, error.errors(include_url=False)))


def describe(value: object) -> str:
    """What was found, in words that repeat no more than a line of it."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return f"the number {str(value)[:40]}"
    if isinstance(value, str):
        return repr(value if len(value) <= 60 else value[:57] + "…")  # noqa: PLR2004 - about a line
    if isinstance(value, list):
        return "a list" if value else "an empty list"
    return "keys and values"


def suggestion(word: str, known: typing.Iterable[str]) -> str:
    """What somebody may have meant by a word that is not known, or the words that are."""
    choices = sorted(str(choice) for choice in known)
    near = difflib.get_close_matches(word, choices, n=1)
    if near:
        return f"did you mean {near[0]!r}?"
    return f"expected one of: {', '.join(choices[:20])}" if choices else ""


def _problems(
    document: Document, shape: type[BaseModel], errors: list[ErrorDetails]
) -> Iterator[Problem]:
    by_place: dict[Place, list[ErrorDetails]] = {}
    for error in errors:
        by_place.setdefault(_place(document.value, error), []).append(error)
    known = {(problem.line, problem.key) for problem in document.problems}
    for place, here in by_place.items():
        inner = any(other[: len(place)] == place and other != place for other in by_place)
        if inner and _in_a_union(here):
            continue  # one of the alternatives fits so far that its own errors say more
        problem = document.problem(place, _sentence(document, shape, place, here))
        if (problem.line, problem.key) not in known:
            yield problem


def _place(value: Any, error: ErrorDetails) -> Place:
    """Where the error is in the document: pydantic's way to it, without the names of alternatives."""
    place: list[str | int] = []
    for part in error["loc"]:
        inside = dict(enumerate(value)) if isinstance(value, list) else value
        if isinstance(inside, dict) and part in inside:
            value = inside[part]
            place.append(part)
    if error["type"] == "missing":
        place.append(error["loc"][-1])
    return tuple(place)


def _in_a_union(errors: list[ErrorDetails]) -> bool:
    return len(errors) > 1 or errors[0]["type"] in {"model_type", "string_type", "literal_error"}


def _sentence(
    document: Document, shape: type[BaseModel], place: Place, errors: list[ErrorDetails]
) -> str:
    error = errors[0]
    kind = error["type"]
    if kind == "extra_forbidden":
        word = str(place[-1])
        return f"is not a key here; {suggestion(word, _keys_at(shape, error['loc'][:-1]))}"
    described = _description(shape, place)
    if kind == "missing":
        return f"is missing; expected {described}" if described else "is missing"
    if kind == "value_error" and len(errors) == 1:
        return str(error["ctx"]["error"])
    if len(errors) > 1 and described:
        expected = described
    else:
        expected = " or ".join(dict.fromkeys(_expected(one, described) for one in errors))
    if SECRET_KEYS.intersection(place):
        return f"expected {described or expected}"
    return f"expected {expected}, found {_found(document, place)}{_quote(error)}"


def _found(document: Document, place: Place) -> str:
    value: Any = document.value
    for part in place:
        value = value[part]
    return describe(value)


def _quote(error: ErrorDetails) -> str:
    quotable = error["type"] == "string_type" and isinstance(error["input"], bool | int | float)
    return "; put it in quotes" if quotable else ""


_EXPECTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "dict_type": "keys and values",
    "model_type": "keys and values",
    "path_type": "text",
    "is_instance_of": "a number",
    "literal_error": "{expected}",
    "enum": "{expected}",
    "greater_than": "more than {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than": "less than {lt}",
    "less_than_equal": "at most {le}",
    "string_too_long": "at most {max_length} characters",
    "string_pattern_mismatch": "text without spaces",
    "decimal_max_digits": "at most {max_digits} digits",
    "decimal_max_places": "at most {decimal_places} digits after the point",
    "value_error": "{error}",
}


def _expected(error: ErrorDetails, described: str) -> str:
    kind, context = error["type"], error.get("ctx", {})
    if kind == "string_too_short":
        return "some text"
    if kind == "too_short":
        return "at least one entry"
    if kind in _EXPECTED:
        return _EXPECTED[kind].format(**context)
    return described or error["msg"].removeprefix("Input should be ")


def _description(shape: type[BaseModel], place: Place) -> str:
    field = None
    for field in _fields_along(shape, place):  # noqa: B007 - the last one is wanted
        pass
    return (field.description or "") if field is not None else ""


def _fields_along(shape: Any, place: Place) -> Iterator[FieldInfo | None]:
    """The field of each step of a place; None inside lists and mappings without descriptions."""
    annotation: Any = shape
    for part in place:
        models, items, described = _inside(annotation)
        holder = next(
            (model for model in models if isinstance(part, str) and part in model.model_fields),
            None,
        )
        if holder is not None:
            field = holder.model_fields[str(part)]
            annotation = field.annotation
            yield field
            continue
        annotation = items[0] if items else None
        yield described


def _inside(annotation: Any) -> tuple[list[type[BaseModel]], list[Any], FieldInfo | None]:
    """The models and the items that an annotation allows, and what it says about its items."""
    origin = typing.get_origin(annotation)
    if origin is Annotated:
        return _inside(typing.get_args(annotation)[0])
    if origin in {Union, types.UnionType}:
        parts = [_inside(part) for part in typing.get_args(annotation)]
        return (
            [model for models, _, _ in parts for model in models],
            [item for _, items, _ in parts for item in items],
            next((described for _, _, described in parts if described), None),
        )
    if origin in {tuple, dict}:
        item = typing.get_args(annotation)[0 if origin is tuple else 1]
        return [], [item], _described_item(item)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation], [], None
    return [], [], None


def _described_item(item: Any) -> FieldInfo | None:
    if typing.get_origin(item) is not Annotated:
        return None
    return next((one for one in typing.get_args(item)[1:] if isinstance(one, FieldInfo)), None)


def _keys_at(shape: type[BaseModel], location: tuple[int | str, ...]) -> list[str]:
    """The keys that may stand at a location of pydantic's, whose parts may name alternatives."""
    annotation: Any = shape
    for part in location:
        models, items, _ = _inside(annotation)
        named = next((model for model in models if model.__name__ == part), None)
        holder = next(
            (model for model in models if isinstance(part, str) and part in model.model_fields),
            None,
        )
        if named is not None:
            annotation = named
        elif holder is not None:
            annotation = holder.model_fields[str(part)].annotation
        elif items:
            annotation = items[0]
    return [key for model in _inside(annotation)[0] for key in model.model_fields]
