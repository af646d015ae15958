"""A table of many rows that stays readable while it changes: AG Grid in a page, its rows in the kernel."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Literal, TypedDict, Unpack

import traitlets

from allotment.model import currency
from allotment_widgets.chosen import Selectable
from allotment_widgets.columns import Action, Column
from allotment_widgets.keyed_rows import KeyedRows
from allotment_widgets.transport import Field, Message

Sort = tuple[str, Literal["ascending", "descending"]]
OnAction = Callable[[str, tuple[str, ...]], object]


class GridOptions(TypedDict, total=False):
    """What a grid may be told beside its columns. ``max_height`` is in pixels."""

    title: str
    noun: tuple[str, str]
    empty: str
    summary: str
    filter_hint: str
    filter_text: str
    filterable: bool
    selection: Literal["many", "one", "none"]
    sort: Sequence[Sort]
    row_tone: str
    max_height: int


class Grid(Selectable):
    """Rows by id in columns, with a filter, sorting, selection and buttons.

    ``noun`` is what a row is, one and many. ``row_tone`` names a column of kind state: rows whose
    state has the tone bad, warn or quiet are marked. ``sort``, ``filter_text`` and ``selected`` are
    kept over every change of the rows.
    """

    columns: traitlets.List[dict[str, object]] = traitlets.List().tag(sync=True)
    actions: traitlets.List[dict[str, object]] = traitlets.List().tag(sync=True)
    withheld: traitlets.List[str] = traitlets.List(
        traitlets.Unicode(), help="Keys of actions that make no sense for what is selected."
    ).tag(sync=True)
    noun = traitlets.Tuple(traitlets.Unicode(), traitlets.Unicode(), default_value=("row", "rows"))
    noun.tag(sync=True)
    summary = traitlets.Unicode(help="Words before the count of rows.").tag(sync=True)
    filter_hint = traitlets.Unicode().tag(sync=True)
    filter_text = traitlets.Unicode(help="Every word of it must be in a row.").tag(sync=True)
    filterable = traitlets.Bool(default_value=True).tag(sync=True)
    selection = traitlets.Enum(["many", "one", "none"], default_value="many").tag(sync=True)
    sort: traitlets.List[list[str]] = traitlets.List().tag(sync=True)
    row_tone = traitlets.Unicode().tag(sync=True)
    all_columns = traitlets.Bool(help="Whether extra columns are shown.").tag(sync=True)
    max_height = traitlets.Int(520).tag(sync=True)

    def __init__(
        self,
        columns: Sequence[Column],
        *,
        row_id: str = "id",
        actions: Sequence[Action] = (),
        **options: Unpack[GridOptions],
    ) -> None:
        states = [column.key for column in columns if column.kind == "state"]
        if options.get("row_tone", "") not in ("", *states):
            raise ValueError(f"row_tone names a column of kind state: one of {states}.")
        self._actions = {action.key: action for action in actions}
        self._on_action: list[OnAction] = []
        super().__init__(
            "grid",
            KeyedRows(_fields(columns), row_id),
            columns=[_told(column) for column in columns],
            actions=[asdict(action) for action in actions],
            **{**options, "sort": [list(each) for each in options.get("sort", ())]},
        )

    def replace(self, rows: Iterable[Mapping[str, object]]) -> None:
        """Shows exactly these rows; sends only what differs where that is less.

        Raises:
            ValueError: A row has no id, or a value that its column cannot show.
        """
        self._replace(rows)

    def update(
        self, changed_rows: Iterable[Mapping[str, object]], removed_ids: Iterable[str] = ()
    ) -> None:
        """Merges rows, or parts of rows, by id, and takes rows away.

        Raises:
            ValueError: As ``replace``.
        """
        self._update(changed_rows, removed_ids)

    def withhold(self, keys: Iterable[str]) -> None:
        """Takes the buttons of these actions away: they make no sense for what is selected."""
        withheld = sorted(set(keys) & set(self._actions))
        if withheld != self.withheld:
            self.withheld = withheld

    def on_action(self, callback: OnAction) -> None:
        """Calls back with an action's key and the selected ids when its button is pressed."""
        self._on_action.append(callback)

    def _said(self, kind: str, message: Message) -> None:
        if kind != "action":
            super()._said(kind, message)
            return
        action = self._actions.get(str(message.get("action")))
        if action is not None and _met(action, len(self.selected)):
            for callback in self._on_action:
                callback(action.key, self.selected)


def _met(action: Action, selected: int) -> bool:
    return {"none": True, "one": selected == 1, "some": selected > 0}[action.needs]


def _told(column: Column) -> dict[str, object]:
    """A column as the page is told of it: money has the sign of the platform's currency."""
    told = asdict(column)
    if column.kind == "money" and not column.unit:
        told["unit"] = currency.in_force().sign
    return told


def _fields(columns: Sequence[Column]) -> tuple[Field, ...]:
    """Each key once; a column's own kind outweighs its use as somebody's hover text."""
    shown: dict[str, Field] = {}
    for column in columns:
        for field in column.fields():
            if field.key == column.key or field.key not in shown:
                shown[field.key] = field
    return tuple(shown.values())
