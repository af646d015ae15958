"""What a name may look like, said once for pools, groups, people, profiles and servers."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, StringConstraints

NAME_PATTERN = r"^[a-z0-9](?:[a-z0-9._-]{0,61}[a-z0-9])?$"
NAME_RULE = (
    "1 to 63 characters: lower-case letters, digits, '-', '_' and '.', "
    "beginning and ending with a letter or digit"
)
PERSON_PATTERN = r"^[a-z0-9](?:[a-z0-9._@+-]{0,126}[a-z0-9])?$"
PERSON_RULE = (
    "1 to 128 characters: lower-case letters, digits and '-', '_', '.', '@', '+', "
    "beginning and ending with a letter or digit"
)
DEFAULT_POOL = "default"
CONSOLE_SERVER = "console"
CONSOLE_PROFILE = "operator-console"

_NAME = re.compile(NAME_PATTERN, re.ASCII)
_PERSON = re.compile(PERSON_PATTERN, re.ASCII)


def check_name(name: str) -> str:
    """Return the name of a pool, group or profile unchanged, or refuse it.

    Raises:
        ValueError: the name breaks :data:`NAME_RULE`.
    """
    if _NAME.fullmatch(name) is None:
        message = f"{name[:80]!r} is no name: {NAME_RULE}"
        raise ValueError(message)
    return name


def check_person(name: str) -> str:
    """Return a person's name unchanged, or refuse it.

    Raises:
        ValueError: the name breaks :data:`PERSON_RULE`.
    """
    if _PERSON.fullmatch(name) is None:
        message = f"{name[:80]!r} is no person's name: {PERSON_RULE}"
        raise ValueError(message)
    return name


Name = Annotated[str, StringConstraints(strict=True), AfterValidator(check_name)]
PersonName = Annotated[str, StringConstraints(strict=True), AfterValidator(check_person)]
