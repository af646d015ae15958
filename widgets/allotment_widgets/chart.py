"""A chart over time: uPlot in a page, its points in the kernel."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Literal, TypedDict, Unpack

import traitlets

from allotment_widgets.columns import number_cell, time_cell
from allotment_widgets.plot import COLOURS
from allotment_widgets.script import Scripted
from allotment_widgets.transport import Cell, Message, Payload

Time = datetime | float
Values = Mapping[str, Sequence[float | None]]

_NAMED = ("accent", "idle", "bad", "info", "quiet")
_TIME = "time"


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One line of a chart.

    ``kind``: line, steps, area (a line with a tinted ground), stacked (on top of the stacked ones
    before it) or limit (dashed). ``colour`` is a token's name or a colour of the palette, 1 to 10.
    """

    key: str = field(kw_only=False)
    title: str = field(kw_only=False)
    kind: Literal["line", "steps", "area", "stacked", "limit"] = "line"
    colour: str | int = ""

    def __post_init__(self) -> None:
        if self.key == _TIME:
            raise ValueError(f"A series cannot be called {_TIME!r}: so are the times.")
        allowed = ("", *_NAMED, *range(1, COLOURS + 1))
        if self.colour not in allowed:
            raise ValueError(f"Series {self.key!r}: no colour {self.colour!r}, but {allowed[1:]}.")

    def spec(self) -> dict[str, str]:
        """As the page takes it: a colour is always named there."""
        usual = "quiet" if self.kind == "limit" else "accent"
        return asdict(self) | {"colour": str(self.colour or usual)}


class ChartOptions(TypedDict, total=False):
    """What a chart may be told beside its series. ``height`` is in pixels, without the legend."""

    title: str
    unit: str
    empty: str
    height: int


class Chart(Scripted):
    """Values over time, with a legend, the values under the cursor, and the same in words.

    Points older than ``keep`` before the newest are dropped, here and in the page.
    """

    series: traitlets.List[dict[str, str]] = traitlets.List().tag(sync=True)
    unit = traitlets.Unicode().tag(sync=True)
    height = traitlets.Int(220).tag(sync=True)
    keep = traitlets.Float(0.0, help="Seconds; 0 keeps all.").tag(sync=True)

    def __init__(
        self,
        series: Sequence[Series],
        *,
        keep: timedelta | None = None,
        **options: Unpack[ChartOptions],
    ) -> None:
        self._times: list[float] = []
        self._values: dict[str, list[Cell]] = {}
        self._revision = 0
        seconds = keep.total_seconds() if keep else 0.0
        super().__init__("chart", series=[each.spec() for each in series], keep=seconds, **options)

    def show_series(self, series: Sequence[Series]) -> None:
        """Draws other series from now on, without points until ``replace``."""
        with self._lock:
            self.series = [each.spec() for each in series]
            self._put([], {})

    def replace(self, times: Iterable[Time], values: Values) -> None:
        """Shows exactly these points. Times rise; None is a gap.

        Raises:
            ValueError: Times fall, or a series is unknown or has not one value for each time.
        """
        with self._lock:
            self._put(*self._checked(times, values, after=None))

    def append(self, times: Iterable[Time], values: Values) -> None:
        """Adds points after the last one; a series that is left out has a gap.

        Raises:
            ValueError: As ``replace``, or a time is not after the last one.
        """
        with self._lock:
            last = self._times[-1] if self._times else None
            moments, columns = self._checked(times, values, after=last)
            if not moments:
                return
            before = len(self._times)
            self._times += moments
            for key, cells in columns.items():
                self._values.setdefault(key, [None] * before).extend(cells)
            self._forget()
            self._revision += 1
            message, buffers = self._message("append", moments, columns)
            self._send_if_asked((message | {"base": self._revision - 1}, buffers))

    def _put(self, moments: list[float], columns: dict[str, list[Cell]]) -> None:
        self._times, self._values = moments, columns
        self._forget()
        self._revision += 1
        self._send_if_asked(self._message("snapshot", self._times, self._values))

    def _checked(
        self, times: Iterable[Time], values: Values, after: float | None
    ) -> tuple[list[float], dict[str, list[Cell]]]:
        moments = [float(time_cell(time)) for time in times]  # type: ignore[arg-type]  # a time gives a number
        rising = moments if after is None else [after, *moments]
        if any(later <= earlier for earlier, later in pairwise(rising)):
            raise ValueError("Times must rise from point to point.")
        known = {spec["key"] for spec in self.series}
        if unknown := sorted(set(values) - known):
            raise ValueError(f"No series {unknown}; the chart has {sorted(known)}.")
        columns: dict[str, list[Cell]] = {}
        for key in known:
            cells = [number_cell(value) for value in values.get(key, [None] * len(moments))]
            if len(cells) != len(moments):
                raise ValueError(f"{key!r} has {len(cells)} values for {len(moments)} times.")
            columns[key] = cells
        return moments, columns

    def _forget(self) -> None:
        if not self.keep or not self._times:
            return
        oldest = self._times[-1] - self.keep
        first = next(place for place, time in enumerate(self._times) if time >= oldest)
        del self._times[:first]
        for cells in self._values.values():
            del cells[:first]

    def _message(
        self, kind: str, moments: list[float], columns: Mapping[str, list[Cell]]
    ) -> tuple[Message, list[bytes]]:
        payload = Payload()
        payload.add(_TIME, "number", moments)
        for key, cells in columns.items():
            payload.add(key, "number", cells)
        message: Message = {
            "kind": kind,
            "revision": self._revision,
            "count": len(moments),
            "fields": payload.fields,
        }
        return message, payload.buffers

    def _send_everything(self) -> None:
        if self._revision:
            self.send(*self._message("snapshot", self._times, self._values))
