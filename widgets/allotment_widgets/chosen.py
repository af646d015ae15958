"""What a person has selected, for the widgets whose rows can be."""

from collections.abc import Callable, Iterable, Mapping

from allotment_widgets.keyed_rows import KeyedRows
from allotment_widgets.script import Scripted
from allotment_widgets.transport import Message

OnSelect = Callable[[tuple[str, ...]], object]
OnActivate = Callable[[str], object]


class Selectable(Scripted):
    """Rows by id, of which some are selected. Callbacks run in the thread that reads messages."""

    def __init__(self, part: str, rows: KeyedRows, **options: object) -> None:
        self._rows = rows
        self._selected: tuple[str, ...] = ()
        self._on_select: list[OnSelect] = []
        self._on_activate: list[OnActivate] = []
        super().__init__(part, **options)

    @property
    def selected(self) -> tuple[str, ...]:
        """Ids of the selected rows; never one that is gone."""
        return self._selected

    def select(self, ids: Iterable[str]) -> None:
        """Selects these rows and no others; ids that no row has are left out."""
        with self._lock:
            changed = self._choose(ids)
            self._send_if_asked(({"kind": "select", "ids": list(self._selected)}, []))
        self._tell(changed=changed)

    def on_select(self, callback: OnSelect) -> None:
        """Calls back with the selected ids whenever they change."""
        self._on_select.append(callback)

    def on_activate(self, callback: OnActivate) -> None:
        """Calls back with the id of a row that was opened: Enter or a double click."""
        self._on_activate.append(callback)

    def _replace(self, rows: Iterable[Mapping[str, object]]) -> None:
        with self._lock:
            self._apply(self._rows.replace(rows))
            changed = self._choose(self._selected)
        self._tell(changed=changed)

    def _update(self, rows: Iterable[Mapping[str, object]], removed_ids: Iterable[str]) -> None:
        with self._lock:
            self._apply(self._rows.update(rows, removed_ids))
            changed = self._choose(self._selected)
        self._tell(changed=changed)

    def _apply(self, sent: tuple[Message, list[bytes]] | None) -> None:
        if sent is not None and sent[0]["kind"] == "snapshot":
            self._choose(self._selected)
            sent[0]["selected"] = list(self._selected)
        self._send_if_asked(sent)

    def _choose(self, ids: Iterable[str]) -> bool:
        chosen = tuple(name for name in dict.fromkeys(ids) if name in self._rows)
        changed = chosen != self._selected
        self._selected = chosen
        return changed

    def _tell(self, *, changed: bool) -> None:
        if changed:
            for callback in self._on_select:
                callback(self._selected)

    def _send_everything(self) -> None:
        if self._rows.revision:
            message, buffers = self._rows.snapshot()
            message["selected"] = list(self._selected)
            self.send(message, buffers)

    def _said(self, kind: str, message: Message) -> None:
        if kind == "selection":
            with self._lock:
                changed = self._choose(_ids(message))
            self._tell(changed=changed)
        elif kind == "activate":
            row_id = str(message.get("id"))
            if row_id in self._rows:
                for callback in self._on_activate:
                    callback(row_id)
        else:
            super()._said(kind, message)


def _ids(message: Message) -> list[str]:
    ids = message.get("ids")
    return [str(each) for each in ids] if isinstance(ids, list) else []
