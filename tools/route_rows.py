"""How a route of the API is asked, and who is served: one row a route."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Row:
    """How a route is asked and who is served; ``make`` is called with a number, for names of own."""

    method: str
    path: str
    served: str
    make: Callable[[int], dict[str, Any]] = lambda _number: {}
    at: str = ""
    prepare: Callable[[Any, int], None] = lambda _lab, _number: None
    servers: frozenset[str] = frozenset()
    """Servers' own tokens that are served though their owners' other tokens are not."""

    @property
    def id(self) -> str:
        """What names it."""
        return f"{self.method} {self.path}"

    def address(self, number: int) -> str:
        """Where it is asked."""
        return (self.at or self.path).format(number=number)


def body(**document: Any) -> Callable[[int], dict[str, Any]]:
    """A JSON body; {number} in a text becomes the asker's number."""

    def fill(value: Any, number: int) -> Any:
        if isinstance(value, str):
            return value.replace("{number}", str(number))
        if isinstance(value, list):
            return [fill(one, number) for one in value]
        if isinstance(value, dict):
            return {key: fill(one, number) for key, one in value.items()}
        return value

    return lambda number: {"json": {key: fill(value, number) for key, value in document.items()}}


def edit(**document: Any) -> Callable[[int], dict[str, Any]]:
    """A JSON body of a change to whatever revision is there."""
    return lambda number: body(**document)(number) | {"headers": {"If-Match": "*"}}


def any_revision(_number: int) -> dict[str, Any]:
    """A change to whatever revision is there."""
    return {"headers": {"If-Match": "*"}}
