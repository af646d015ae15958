"""Rows by id with a revision: the kernel's side of a grid, and what decides between snapshot and delta."""

from collections.abc import Iterable, Mapping, Sequence

from allotment_widgets import transport
from allotment_widgets.transport import Cell, Field, Message

Row = dict[str, Cell]

#: Up to this many rows a snapshot costs so little that rows may as well stand in the caller's order.
SMALL = 500


class KeyedRows:
    """Rows as the page has them. Not safe for threads: its widget holds a lock."""

    def __init__(self, fields: Sequence[Field], row_id: str) -> None:
        self._fields = tuple(fields)
        self._by_key = {each.key: each for each in fields}
        self._row_id = row_id
        self._rows: dict[str, Row] = {}
        self.revision = 0

    def __contains__(self, row_id: object) -> bool:
        return row_id in self._rows

    def __len__(self) -> int:
        return len(self._rows)

    def snapshot(self) -> tuple[Message, list[bytes]]:
        """The message that says everything."""
        return transport.snapshot(self.revision, self._rows, self._fields)

    def replace(self, rows: Iterable[Mapping[str, object]]) -> tuple[Message, list[bytes]] | None:
        """Takes the full list; returns the smaller of delta and snapshot, None if nothing differs.

        Above ``SMALL`` rows new ones come last on the page whatever their place in the list:
        sending everything again for the order of a list that is sorted anyway is too dear.
        """
        wanted = dict(self._take(row) for row in rows)
        if self.revision == 0:
            return self._all_anew(wanted)
        removed = [name for name in self._rows if name not in wanted]
        changed = self._differences(wanted)
        if not changed and not removed and self._in_order(wanted):
            return None
        large = len(changed) + len(removed) > len(wanted) // 2
        reordered = len(wanted) <= SMALL and not self._in_order(wanted)
        if large or reordered:
            return self._all_anew(wanted)
        return self._change(changed, removed)

    def update(
        self, changed_rows: Iterable[Mapping[str, object]], removed_ids: Iterable[str]
    ) -> tuple[Message, list[bytes]] | None:
        """Merges partial rows by id; returns the delta, None if nothing differs.

        A row that is not there yet is added with the cells it has.
        """
        removed = [name for name in dict.fromkeys(removed_ids) if name in self._rows]
        wanted: dict[str, Row] = {}
        for row in changed_rows:
            name, cells = self._take(row)
            wanted.setdefault(name, {}).update(cells)
        changed = self._differences(wanted)
        if not changed and not removed:
            return None
        return self._change(changed, removed)

    def _take(self, row: Mapping[str, object]) -> tuple[str, Row]:
        if self._row_id not in row:
            raise ValueError(f"A row without {self._row_id!r}: {sorted(row)}.")
        fields = self._by_key
        cells = {key: fields[key].cell(value) for key, value in row.items() if key in fields}
        return str(row[self._row_id]), cells

    def _differences(self, wanted: Mapping[str, Row]) -> dict[str, Row]:
        changed: dict[str, Row] = {}
        for name, cells in wanted.items():
            held = self._rows.get(name)
            if held is None:
                changed[name] = cells
            elif held != cells:
                differing = {key: cell for key, cell in cells.items() if held.get(key) != cell}
                if differing:
                    changed[name] = differing
        return changed

    def _in_order(self, wanted: Mapping[str, Row]) -> bool:
        """Whether the rows that stay come first and in the order they have."""
        stay = [name for name in self._rows if name in wanted]
        return stay == list(wanted)[: len(stay)]

    def _all_anew(self, rows: dict[str, Row]) -> tuple[Message, list[bytes]]:
        self._rows = rows
        self.revision += 1
        return self.snapshot()

    def _change(
        self, changed: Mapping[str, Row], removed: Sequence[str]
    ) -> tuple[Message, list[bytes]]:
        for name in removed:
            del self._rows[name]
        for name, cells in changed.items():
            self._rows.setdefault(name, {}).update(cells)
        self.revision += 1
        return transport.delta(self.revision, changed, removed, self._fields)
