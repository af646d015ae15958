"""What a grid shows: its columns, the states in them, the buttons above them."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from typing import Literal

from allotment_widgets.plot import Plot
from allotment_widgets.transport import Cell, Encoding, Field

Kind = Literal[
    "text",
    "number",
    "percent",
    "bytes",
    "money",
    "duration",
    "time",
    "since",
    "state",
    "devices",
    "meter",
    "yesno",
]
Tone = Literal["ok", "warn", "bad", "info", "plain", "quiet"]


@dataclass(frozen=True, slots=True)
class State:
    """A state's word and its tone; the word is always shown beside the colour."""

    word: str
    tone: Tone = "plain"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of a grid.

    ``kind`` decides what the rows give and what is shown:
    text (any text), number, percent (0 to 100), bytes, money (``unit`` before it), duration
    (seconds or a timedelta), time ("12 min ago") and since ("2 h 14 min"; both an aware datetime or
    seconds since 1970, ticking in the page), state (a key of ``states``), devices (a list of
    ``Plot``), meter ((used, limit or None)), yesno. None shows as a dash.

    ``width`` is in pixels; a column with ``flex`` takes its part of what is left. ``hover`` and
    ``words`` name other keys of the row: the text shown on hover, and the text that replaces the
    word of a state. ``hide_narrow`` leaves a column out where it is narrow, ``extra`` everywhere,
    until somebody asks for more columns.
    """

    key: str = field(kw_only=False)
    title: str = field(kw_only=False)
    kind: Kind = "text"
    width: int | None = None
    flex: float | None = None
    align: Literal["left", "right"] | None = None
    hover: str | None = None
    words: str | None = None
    states: Mapping[str, State] = field(default_factory=dict)
    unit: str = ""
    decimals: int | None = None
    hide_narrow: bool = False
    extra: bool = False
    sortable: bool = True

    def __post_init__(self) -> None:
        if self.kind not in _CELLS:
            raise ValueError(f"Column {self.key!r}: no kind {self.kind!r}, but {sorted(_CELLS)}.")
        if self.kind != "state" and (self.states or self.words):
            raise ValueError(
                f"Column {self.key!r}: only a column of kind state has states or words."
            )

    def fields(self) -> Iterator[Field]:
        """The keys of a row that this column shows."""
        encoding, cell = _CELLS[self.kind]
        yield Field(self.key, encoding, _named(self.key, cell))
        for other in (self.hover, self.words):
            if other is not None:
                yield Field(other, "text", _named(other, text_cell))


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """A button above the rows. ``many`` replaces the label while rows are selected: "Stop {n}…"."""

    key: str = field(kw_only=False)
    label: str = field(kw_only=False)
    many: str = ""
    tone: Literal["plain", "main", "risk"] = "plain"
    needs: Literal["none", "one", "some"] = "some"


def _named(key: str, cell: Callable[[object], Cell]) -> Callable[[object], Cell]:
    """The same conversion with an error that says whose value it was."""

    def convert(value: object) -> Cell:
        try:
            return cell(value)
        except (TypeError, ValueError) as error:
            raise ValueError(f"{key!r} cannot be {value!r}: {error}") from error

    return convert


def text_cell(value: object) -> Cell:
    """A text; several are joined by commas."""
    if isinstance(value, Enum):
        return str(value.value)
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, list | tuple | set | frozenset):
        return ", ".join(str(each) for each in value)
    return str(value)


def number_cell(value: object) -> Cell:
    """A number that is exact enough to show; sums of money are calculated elsewhere, in decimals."""
    if value is None:
        return None
    if isinstance(value, timedelta):
        return value.total_seconds()
    return float(value)  # type: ignore[arg-type]  # what is no number says so itself


def time_cell(value: object) -> Cell:
    """Seconds since 1970."""
    if not isinstance(value, datetime):
        return number_cell(value)
    if value.tzinfo is None:
        raise ValueError("a time needs a time zone")
    return value.timestamp()


def _devices_cell(value: object) -> Cell:
    if value is None:
        return None
    if not isinstance(value, list | tuple) or not all(isinstance(each, Plot) for each in value):
        raise TypeError("devices are a list of Plot")
    return [[plot.title, plot.state, plot.colour, int(plot.borrowed)] for plot in value]


def _meter_cell(value: object) -> Cell:
    if value is None:
        return None
    if not isinstance(value, list | tuple) or len(value) != len(("used", "limit")):
        raise TypeError("a meter is (used, limit)")
    used, limit = value
    return [number_cell(used), number_cell(limit)]


_CELLS: dict[str, tuple[Encoding, Callable[[object], Cell]]] = {
    "text": ("text", text_cell),
    "state": ("text", text_cell),
    "number": ("number", number_cell),
    "percent": ("number", number_cell),
    "bytes": ("number", number_cell),
    "money": ("number", number_cell),
    "duration": ("number", number_cell),
    "yesno": ("number", number_cell),
    "time": ("number", time_cell),
    "since": ("number", time_cell),
    "devices": ("list", _devices_cell),
    "meter": ("list", _meter_cell),
}
