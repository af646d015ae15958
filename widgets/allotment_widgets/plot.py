"""One square for one device, and the colours that groups have."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

PlotState = Literal["held", "idle", "free", "out", "unhealthy", "wanted"]

#: Colours in tokens.css. More groups than colours share them; the name is always said too.
COLOURS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """A device as it is drawn.

    ``section`` is the line it stands in, a node or a pool; ``group`` and ``colour`` say whose it is
    (0 is grey), ``holder`` who holds it, in words; ``borrowed`` draws a ring.
    """

    id: str
    title: str
    state: PlotState = "free"
    section: str = ""
    group: str = ""
    colour: int = 0
    holder: str = ""
    borrowed: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.colour <= COLOURS:
            raise ValueError(f"Plot {self.id!r}: colour {self.colour} is not in 0 to {COLOURS}.")


class Palette:
    """Colours for groups: the same group has the same colour in every grid, plot and chart.

    Names keep their colour as long as the palette lives; a new one takes the next.
    """

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._places: dict[str, int] = {}
        for name in sorted(names):
            self.colour(name)

    def colour(self, name: str) -> int:
        """1 to ``COLOURS``, or 0 (grey) for no name."""
        if not name:
            return 0
        return self._places.setdefault(name, len(self._places)) % COLOURS + 1
