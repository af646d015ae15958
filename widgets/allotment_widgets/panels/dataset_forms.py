"""The form that registers a dataset or changes one."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from allotment.model.amounts import counted, format_size
from allotment.model.datasets import FileFormat, PrivacyLabel
from allotment.model.documents import Audience, Dataset
from allotment_widgets.asking import Asking, Slot
from allotment_widgets.audience_fields import AudienceFields
from allotment_widgets.csv_fields import CsvFields
from allotment_widgets.dataset_rows import LABEL_WORDS, rows_words
from allotment_widgets.desk import Desk
from allotment_widgets.fields import area_field, choice_field, helped, show, text_field, words
from allotment_widgets.picture import Topic
from allotment_widgets.sentences import listed

CHANGED = (Topic.DATASETS,)
_NONE = ""
_HELP = {
    "name": "What people write to load it: lower-case letters, digits, '-', '_' and '.'.",
    "uris": "One in each line: a file, a folder (ending in /), or a pattern such as s3://lake/sales/*.parquet.",
    "source": "Where you manage the source, the dataset's users need no right to it; else they need both.",
    "target": "Where its versions are kept; it cannot change once there are any.",
}


def registering(desk: Desk, slot: Slot, uris: Sequence[str] = (), source: str = "") -> Asking:
    """The form that registers files under a name; these files, read through this source, where they are known."""
    return DatasetEditing(desk, slot, None, uris, source).asking


def changing(desk: Desk, slot: Slot, dataset: Dataset) -> Asking:
    """The form that changes a dataset."""
    return DatasetEditing(desk, slot, dataset).asking


class DatasetEditing:
    """The form."""

    def __init__(
        self,
        desk: Desk,
        slot: Slot,
        before: Dataset | None,
        uris: Sequence[str] = (),
        source: str = "",
    ) -> None:
        self._desk, self._before = desk, before
        self._make_fields(before, before.uris if before else uris, source)
        self._audience = AudienceFields(
            desk,
            before.audience if before else _oneself(desk),
            before.group if before else None,
            "dataset",
        )
        self._csv = CsvFields(desk, before.options if before else {})
        first = [] if before else [helped(self._name, _HELP["name"])]
        self.asking = Asking(
            desk,
            slot,
            f"Change {before.name}" if before else "Register a dataset",
            confirm="Save" if before else "Register",
            act=self._act,
            fields=[
                *first,
                self._title,
                self._description,
                helped(self._uris, _HELP["uris"], wide=True),
                self._format,
                helped(self._source, _HELP["source"]),
                self._label,
                helped(self._target, _HELP["target"]),
                self._csv.view,
                words("<h3>Who may use it</h3>", "wide"),
                self._audience.view,
            ],
        )
        for field in self._controls:
            field.observe(lambda _: desk.backend.soon(self._refresh), "value")
        self._audience.on_change(self._refresh)
        self._csv.on_change(self._refresh)
        self.asking.refresh = self._refresh
        self._refresh()

    def _make_fields(self, before: Dataset | None, uris: Sequence[str], source: str) -> None:
        picture = self._desk.picture
        self._name = text_field("Name", placeholder="sales")
        self._title = text_field(
            "Title", before.title if before else "", placeholder="Sales, daily"
        )
        self._description = area_field(
            "Description",
            before.description if before else "",
            rows=2,
            placeholder="What a row is, where it comes from, how fresh it is",
        )
        self._uris = area_field(
            "Files",
            "\n".join(uris),
            rows=3,
            placeholder="s3://lake/sales/2026/",
        )
        self._format = choice_field(
            "Format",
            [("found out by the files' names", _NONE), ("Parquet", "parquet"), ("CSV", "csv")],
            str(before.format) if before else _NONE,
        )
        sources = [(f"{each.name} ({each.kind_title})", each.name) for each in picture.sources]
        self._source = choice_field(
            "Read through",
            [("the source that covers the files", _NONE), *sources],
            (before.source if before else source) or _NONE,
        )
        self._label = choice_field(
            "Privacy label",
            [(said, str(label)) for label, said in LABEL_WORDS.items()],
            str(before.label if before else PrivacyLabel.INTERNAL),
        )
        targets = [(each.title or each.name, each.name) for each in picture.targets]
        self._target = choice_field(
            "Versions",
            [("not kept", _NONE), *targets],
            (before.target if before else None) or _NONE,
        )

    @property
    def _controls(self) -> tuple[Any, ...]:
        return (
            *(self._name, self._title, self._description, self._uris, self._format, self._source),
            *(self._label, self._target),
        )

    def _written(self) -> dict[str, Any]:
        """Everything as it is written now."""
        uris = tuple(line.strip() for line in self._uris.value.splitlines() if line.strip())
        return {
            "uris": uris,
            "title": self._title.value.strip(),
            "description": self._description.value.strip(),
            "format": self._format.value or None,
            "source": self._source.value or None,
            "label": self._label.value,
            "target": self._target.value or None,
            "options": self._csv.options if self._may_be_csv() else {},
        }

    def _may_be_csv(self) -> bool:
        if self._format.value:
            return bool(self._format.value == FileFormat.CSV)
        return any(
            line.strip().lower().endswith((".csv", ".csv.gz", ".tsv", ".txt"))
            for line in self._uris.value.splitlines()
        )

    def _given(self) -> dict[str, Any]:
        """What differs from what it was, or from what it would be without being said."""
        before, written = self._before, self._written()
        if before is None:
            known: dict[str, Any] = {
                "uris": None,
                "title": "",
                "description": "",
                "format": None,
                "source": None,
                "label": "internal",
                "target": None,
                "options": {},
            }
        else:
            known = {key: getattr(before, key) for key in written}
            known |= {"format": str(before.format), "label": str(before.label)}
            known["options"] = dict(before.options)
        given = {key: value for key, value in written.items() if value != known[key]}
        return given | self._audience.given

    def _refresh(self) -> None:
        show(self._csv.view, shown=self._may_be_csv())
        missing = [] if self._before or self._name.value.strip() else ["Name"]
        missing += [] if self._written()["uris"] else ["Files"]
        given = self._given()
        self.asking.enable(possible=not missing and bool(given))
        self.asking.will(*self._lines(given, missing))

    def _lines(self, given: dict[str, Any], missing: list[str]) -> list[str]:
        if missing:
            return [f"Still needed: {listed(missing)}."]
        if not given:
            return ["Nothing is changed yet."]
        lines = [f"Who may use it: {self._audience.audience.words}."]
        if self._before is None or {"uris", "format", "source", "options"} & set(given):
            lines.insert(
                0,
                "Its files are read at once: listings, footers and first lines, not their contents.",
            )
            lines.append(
                "A file that is missing, unreadable or of another schema is named, and nothing is changed then."
            )
        personal = self._label.value == PrivacyLabel.PERSONAL
        if personal and self._audience.audience.everyone:
            lines.append("Data about people is not shared with everyone: this will be refused.")
        return lines

    async def _act(self) -> str:
        given, calls = self._given(), self._desk.client.datasets
        try:
            if self._before is None:
                uris = given.pop("uris")
                create = partial(calls.create, self._name.value.strip(), uris)
                made = await self._desk.call(partial(create, **given))
                said = f"{made.name} was registered"
            else:
                edit = partial(calls.edit, self._before.name, revision=self._before.revision)
                made = await self._desk.call(partial(edit, **given))
                said = f"{made.name} was changed"
        finally:
            self._desk.again(*CHANGED)
        return f"{said}{read_words(made)}"


def _oneself(desk: Desk) -> Audience | None:
    """At first a dataset is for whoever registers it."""
    me = desk.picture.me
    return Audience(people=(me.person,)) if me else None


def read_words(dataset: Dataset) -> str:
    """What was read of the files, as the end of a sentence."""
    reading = dataset.reading
    if reading is None:
        return "."
    rows = rows_words(reading)
    said = [
        *([f"{rows} rows"] if rows else []),
        counted(len(reading.columns), "column"),
        f"{counted(reading.files, 'file')} of {format_size(reading.size)}",
    ]
    return f": {', '.join(said)}."
